"""Recovery codes: one secret on paper that brings a voter's history to another browser.

A code has 25 letters of an alphabet of 24, 114 bits, so that nobody finds one by trying; attempts are limited all the
same. The store has its SHA-256, which needs no salt and no slow hash, since a code is no password that people choose.
The server does not know the session of the first browser, only its hash. Entering a code therefore gives the *new*
browser's session to the voter (`arena/store/voter_sessions.py`). The code stays valid until it is replaced or revoked.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from datetime import timedelta

from arena.rules.limits import Action, Limit, Scope
from arena.rules.messages import TranslatableError
from arena.store import Database
from arena.store.schema.battles import now
from arena.store.usage import LimitExceeded, address_claims, count_actions, is_voter
from arena.store.voter_sessions import (
    end_sessions,
    give_session,
    lock_voter,
    revoke_code,
    set_code,
    voter_of_code,
)

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O, which look like other letters and digits
GROUPS, LETTERS = 5, 5
HOUR = timedelta(hours=1)


class CodeRefused(TranslatableError):
    """The code was not accepted; nothing changed. The text is for the voter."""

    seconds: float | None = None  # until the next attempt


def new_code() -> str:
    """A random code, as it is shown."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(GROUPS))
    return "-".join(groups)


def code_hash(entered: str) -> str:
    """The stored form of a code; case, width, spaces and hyphens do not matter."""
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", entered).upper()))
    return hashlib.sha256(f"arena recovery {letters}".encode()).hexdigest()


def issue_code(database: Database, voter: str) -> str:
    """A new code for a voter with battles, which replaces the one before. Raises `CodeRefused`."""
    code = new_code()
    with database.write() as session:
        lock_voter(session, voter)
        if not is_voter(session, voter):
            raise CodeRefused("There is nothing to recover yet. Start a battle first.")
        set_code(session, voter, code_hash(code))
    return code


def withdraw_code(database: Database, voter: str) -> None:
    """Make the voter's code worthless."""
    with database.write() as session:
        revoke_code(session, voter)


def sign_out_others(database: Database, voter: str, own: str) -> None:
    """End every session of the voter but the one with the hash `own`, and the code with them."""
    with database.write() as session:
        end_sessions(session, voter, keep=own)
        revoke_code(session, voter)


def enter_code(database: Database, entered: str, own: str, address: str | None, most: int) -> str:
    """Give the session with the hash `own` to the voter of a code; returns the voter.

    An address may try `most` codes in an hour, right ones included. Raises `CodeRefused`.
    """
    _count_attempt(database, address, most)
    wanted = code_hash(entered)
    with database.write() as session:
        if found := voter_of_code(session, wanted):
            lock_voter(session, found)
        voter = voter_of_code(session, wanted)  # unless it was deleted meanwhile
        if voter is None:
            raise CodeRefused("This code is not valid. Check the letters; a newer code replaces an older one.")
        give_session(session, own, voter)
    return voter


def _count_attempt(database: Database, address: str | None, most: int) -> None:
    """Count an attempt in a transaction of its own, so that one that fails counts too."""
    limit, at = Limit(Scope.ADDRESS, Action.CODE, most, HOUR), now()
    if not most or address is None:
        return
    try:
        with database.write() as session:
            count_actions(session, address_claims(session, address, [limit], at), at)
    except LimitExceeded as exceeded:
        refused = CodeRefused("Too many recovery codes were entered from your network. Try again later.")
        refused.seconds = exceeded.seconds
        raise refused from None
