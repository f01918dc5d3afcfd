"""Accounts and their sessions. Every function works in the session of its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, func, select

from arena.store.schema.accounts import Account, AccountSession


@dataclass(frozen=True)
class AccountRow:
    """An account with its sessions that have not ended."""

    account: Account
    sessions: int
    seen_at: datetime | None


def has_accounts(session: Session) -> bool:
    """Whether there is an account, disabled or not."""
    return session.exec(select(Account.id).limit(1)).first() is not None


def find_account(session: Session, name: str, *, lock: bool = False) -> Account | None:
    """The account of a name; locked until the end of the transaction where the database has such locks."""
    query = select(Account).where(Account.name == name)
    return session.exec(query.with_for_update() if lock else query).one_or_none()


def account_rows(session: Session, at: datetime) -> list[AccountRow]:
    """Every account, by name."""
    live = col(AccountSession.expires_at) > at
    query = (
        select(Account, func.count(col(AccountSession.token_sha256)), func.max(col(AccountSession.seen_at)))
        .join(AccountSession, (col(AccountSession.account_id) == col(Account.id)) & live, isouter=True)
        .group_by(col(Account.id))
        .order_by(col(Account.name))
    )
    return [AccountRow(account, sessions, seen) for account, sessions, seen in session.exec(query)]


def active_operators(session: Session, role: str) -> int:
    """The number of accounts with this role that are not disabled."""
    query = select(func.count(col(Account.id))).where(Account.role == role, col(Account.disabled_at).is_(None))
    return session.exec(query).one()


def add_session(session: Session, row: AccountSession) -> None:
    """Store a new session, and forget those that have expired."""
    session.execute(delete(AccountSession).where(col(AccountSession.expires_at) <= row.created_at))
    session.add(row)


def session_and_account(session: Session, token_sha256: str) -> tuple[AccountSession, Account] | None:
    """The session with this hash, and its account."""
    query = (
        select(AccountSession, Account)
        .join(Account, col(Account.id) == col(AccountSession.account_id))
        .where(AccountSession.token_sha256 == token_sha256)
    )
    return session.exec(query).one_or_none()


def mark_seen(session: Session, token_sha256: str, at: datetime) -> None:
    """Note that a session was used."""
    mine = col(AccountSession.token_sha256) == token_sha256
    session.execute(update(AccountSession).where(mine).values(seen_at=at))


def set_message(session: Session, token_sha256: str, message: dict[str, object] | None) -> None:
    """Keep a message for the next page of a session, or remove it."""
    mine = col(AccountSession.token_sha256) == token_sha256
    session.execute(update(AccountSession).where(mine).values(message=message))


def end_session(session: Session, token_sha256: str) -> None:
    """Delete one session."""
    session.execute(delete(AccountSession).where(col(AccountSession.token_sha256) == token_sha256))


def end_sessions(session: Session, account_ids: Sequence[int | None], keep: str | None = None) -> None:
    """Delete every session of some accounts but the one with the hash `keep`."""
    kept = [] if keep is None else [col(AccountSession.token_sha256) != keep]
    session.execute(delete(AccountSession).where(col(AccountSession.account_id).in_(account_ids), *kept))
