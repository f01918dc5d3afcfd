"""Signing in with a name and a password.

Every attempt is counted, right ones included: by account, whether the account exists or not, and by address. A browser
that has signed in to the account before has a count of its own, so that strangers who try passwords do not keep its
operator out. An unknown name, a disabled account and one without a password take as long as a wrong password and get the
same reply.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from arena.accounts.accounts import NAME, canonical_name, set_password
from arena.accounts.audit import record
from arena.accounts.passwords import (
    LONGEST,
    TooManyAttempts,
    hashed,
    is_outdated,
    is_right,
    is_right_unless_busy,
)
from arena.accounts.sessions import SignedIn, begin
from arena.config import AdminSettings
from arena.rules.limits import OWN_CHANGE, Action, Limit, Scope, account_subject
from arena.rules.messages import TranslatableError
from arena.rules.roles import Actor
from arena.store import Database
from arena.store.accounts import find_account
from arena.store.schema.battles import now
from arena.store.usage import Claim, LimitExceeded, address_claims, count_actions

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
FLOOD_LASTS = 5.0  # seconds until somebody who was refused in a flood may try again


class LoginRefused(TranslatableError):
    """The sign-in was not accepted. The text is the same for every reason but the limits."""

    seconds: float | None = None  # until the next attempt


def sign_in(
    database: Database, name: str, password: str, address: str, settings: AdminSettings, browser: str | None = None
) -> str:
    """Begin a session for a name and its password; returns the token of its cookie. Raises `LoginRefused`.

    `browser` is one that has signed in to this account before, by its signed cookie.
    """
    name = canonical_name(name)
    if browser is None:
        _count_attempt(database, account_subject(name), settings, address)
    else:
        _count_attempt(database, account_subject(f"{name} {browser}"), settings)
    with database.read() as session:
        account = find_account(session, name) if NAME.fullmatch(name) else None
    known = account.password_hash if account is not None else None
    right = _compared(known, password[: LONGEST + 1], is_known=browser is not None)
    if not right or account is None or account.disabled_at is not None:
        log.warning("A sign-in to the account %r was refused.", name if account else "(unknown)")
        raise LoginRefused("The name or the password is wrong. Try again, or ask an operator for a new password.")
    renewed = hashed(password) if known and is_outdated(known) else None
    with database.write() as session:
        account = find_account(session, name, lock=True)
        if account is None or account.disabled_at is not None or account.password_hash != known:
            raise LoginRefused("The account has just been changed. Sign in again.")
        account.password_hash = renewed or known
        record(session, Actor(name, account.role, address), "session.begin", name)
        return begin(session, account, settings)


def _compared(password_hash: str | None, password: str, *, is_known: bool) -> bool:
    """Whether the password is right. A flood of strangers keeps no known browser out. Raises `LoginRefused`."""
    if is_known:
        return is_right(password_hash, password)
    try:
        return is_right_unless_busy(password_hash, password)
    except TooManyAttempts:
        refused = LoginRefused("Too many sign-ins are tried at the moment. Try again in a few seconds.")
        refused.seconds = FLOOD_LASTS
        raise refused from None


def change_own_password(
    database: Database, who: SignedIn, current: str, password: str, address: str, settings: AdminSettings
) -> None:
    """Change one's own password, for which the current one is needed: a stolen session must not become an account.

    Every attempt is counted, apart from the sign-ins, which strangers can use up. The other sessions end. Raises
    `LoginRefused`, `PasswordRefused`.
    """
    _count_attempt(database, account_subject(f"{who.name} {OWN_CHANGE}"), settings)
    with database.read() as session:
        account = find_account(session, who.name)
    if not is_right(account.password_hash if account else None, current[: LONGEST + 1]):
        raise LoginRefused("The current password is wrong. Nothing was changed.")
    set_password(database, who.name, password, who.actor(address), who.key)


def _count_attempt(database: Database, subject: str, settings: AdminSettings, address: str | None = None) -> None:
    """Count an attempt, of an address if there is one, in a transaction of its own, so that one that fails counts too."""
    at = now()
    by_account = Limit(Scope.ACCOUNT, Action.LOGIN, settings.logins_per_account, HOUR)
    by_address = Limit(Scope.ADDRESS, Action.LOGIN, settings.logins_per_address, HOUR)
    try:
        with database.write() as session:
            claims = [] if address is None else address_claims(session, address, [by_address], at)
            count_actions(session, [Claim(subject, by_account), *claims], at)
    except LimitExceeded as exceeded:
        refused = LoginRefused(exceeded.refusal)
        refused.seconds = exceeded.seconds
        raise refused from None
