"""Add, disable and change accounts. Each change is one transaction with its entry in the audit trail."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from arena.accounts.audit import record
from arena.accounts.passwords import check_password, hashed
from arena.errors import InputError
from arena.rules.messages import Phrase, TranslatableError
from arena.rules.roles import Actor, Role
from arena.store import Database, Session
from arena.store.accounts import AccountRow, account_rows, active_operators, end_sessions, find_account
from arena.store.schema.accounts import Account
from arena.store.schema.battles import now
from arena.store.usage import lock_subjects

LOCK = "accounts"  # one change at a time, so that two operators cannot demote each other
NAME = re.compile(r"[^\W_][\w.@+-]{0,59}")


class AccountRefused(TranslatableError, InputError):
    """The account was not changed. The text says why."""


def canonical_name(entered: str) -> str:
    """The stored form of a name: case and width do not matter."""
    return unicodedata.normalize("NFKC", entered).strip().casefold()[:200]


def list_accounts(database: Database) -> Sequence[AccountRow]:
    """Every account with its sessions."""
    with database.read() as session:
        return account_rows(session, now())


def add_account(database: Database, entered: str, role: Role, password: str | None, actor: Actor) -> str:
    """Add an account, without a password if it is for sign-in elsewhere only; returns its name.

    Raises `AccountRefused`, `PasswordRefused`.
    """
    name = canonical_name(entered)
    if not NAME.fullmatch(name):
        raise AccountRefused(
            "The name {name!r} cannot be used. Give up to 60 letters, digits and . _ @ + -.", name=entered[:80]
        )
    password_hash = None if password is None else _hash(name, password)
    with database.write() as session:
        lock_subjects(session, [LOCK])
        if find_account(session, name) is not None:
            raise AccountRefused("There is an account {name!r} already. Choose another name.", name=name)
        session.add(Account(name=name, role=role, password_hash=password_hash))
        record(session, actor, "account.add", name, details={"role": role, "password": password is not None})
    return name


def set_disabled(database: Database, name: str, disabled: bool, actor: Actor, reason: str = "") -> None:
    """Disable an account and end its sessions, or enable it again. Raises `AccountRefused`."""
    with database.write() as session:
        account = _account(session, name)
        if (account.disabled_at is not None) == disabled:
            raise AccountRefused(
                Phrase("The account {name!r} is disabled already. Nothing was changed.", name=account.name)
                if disabled
                else Phrase("The account {name!r} is not disabled. Nothing was changed.", name=account.name)
            )
        account.disabled_at = now() if disabled else None
        end_sessions(session, [account.id])
        action = "account.disable" if disabled else "account.enable"
        record(session, actor, action, account.name, reason=reason)
        _keep_an_operator(session, actor)


def set_password(database: Database, name: str, password: str, actor: Actor, keep: str | None = None) -> None:
    """Change a password and end the account's sessions but the one with the hash `keep`.

    Raises `AccountRefused`, `PasswordRefused`.
    """
    password_hash = _hash(canonical_name(name), password)
    with database.write() as session:
        account = _account(session, name)
        account.password_hash = password_hash
        end_sessions(session, [account.id], keep)
        record(session, actor, "account.password", account.name)


def set_role(database: Database, name: str, role: Role, actor: Actor, reason: str = "") -> None:
    """Give an account another role. Raises `AccountRefused`."""
    with database.write() as session:
        account = _account(session, name)
        before, account.role = account.role, role
        record(session, actor, "account.role", account.name, reason=reason, details={"from": before, "to": role})
        _keep_an_operator(session, actor)


def _hash(name: str, password: str) -> str:
    check_password(name, password)
    return hashed(password)


def _account(session: Session, name: str) -> Account:
    """The account, which no other transaction changes until the end of this one. Raises `AccountRefused`."""
    lock_subjects(session, [LOCK])
    account = find_account(session, canonical_name(name))
    if account is None:
        raise AccountRefused("There is no account {name!r}. Check the list of accounts.", name=name[:80])
    return account


def _keep_an_operator(session: Session, actor: Actor) -> None:
    """Raises `AccountRefused` when an operator of the page would lock everybody out; a terminal may do it."""
    session.flush()
    if actor.role == Role.OPERATOR and not active_operators(session, Role.OPERATOR):
        raise AccountRefused("This is the last operator. Make another account an operator first.")
