"""Sessions of accounts: a random token in a cookie, and its SHA-256 in the database.

A session ends after some time without a request, some time after the sign-in, at sign-out, and when the account is
disabled or gets another password. The account is read with each request, so another role counts at once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from arena.config import AdminSettings
from arena.rules.roles import Actor, Role
from arena.store import Database, Session
from arena.store.accounts import add_session, mark_seen, session_and_account
from arena.store.schema.accounts import Account, AccountSession
from arena.store.schema.battles import now

SEEN_EVERY = timedelta(minutes=1)  # a write for each request would be too many


@dataclass(frozen=True)
class SignedIn:
    """Who a request comes from: an account, in a session."""

    account_id: int
    name: str
    role: Role
    key: str  # the hash of the session's token
    csrf: str
    message: dict[str, object] | None = None  # for the next page

    def actor(self, address: str | None = None) -> Actor:
        """Who the audit trail names."""
        return Actor(self.name, self.role, address)


def key_of(token: str) -> str:
    """The hash under which a session is stored. A random token of 256 bits needs no slow hash."""
    return hashlib.sha256(f"arena account session {token}".encode()).hexdigest()


def begin(session: Session, account: Account, settings: AdminSettings) -> str:
    """Begin a session of an account; returns its token, which is stored nowhere."""
    token, at = secrets.token_urlsafe(32), now()
    assert account.id is not None
    row = AccountSession(
        token_sha256=key_of(token),
        account_id=account.id,
        csrf=secrets.token_urlsafe(32),
        created_at=at,
        seen_at=at,
        expires_at=at + timedelta(hours=settings.session_hours),
    )
    add_session(session, row)
    return token


def signed_in(database: Database, token: str, settings: AdminSettings) -> SignedIn | None:
    """Who a token belongs to, or None if its session has ended."""
    key, at = key_of(token), now()
    with database.read() as session:
        found = session_and_account(session, key)
    if found is None or not _is_live(*found, at, settings):
        return None
    row, account = found
    if at - row.seen_at >= SEEN_EVERY:
        with database.write() as session:
            mark_seen(session, key, at)
    assert account.id is not None
    return SignedIn(account.id, account.name, Role(account.role), key, row.csrf, row.message)


def _is_live(row: AccountSession, account: Account, at: datetime, settings: AdminSettings) -> bool:
    idle = at - row.seen_at
    return account.disabled_at is None and at < row.expires_at and idle < timedelta(minutes=settings.idle_minutes)
