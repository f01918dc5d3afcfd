"""Counted actions. A check and its count are in one transaction of the caller, also with many servers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult, Integer, ScalarSelect, Select, bindparam, delete, insert, or_, text
from sqlalchemy import select as columns  # of SQLModel's there is none for so many
from sqlmodel import Session, col, select

from arena.rules.limits import Limit
from arena.store.schema.battles import Battle
from arena.store.schema.usage import AddressSalt, CookieKey, UsageEvent
from arena.store.upserts import upsert

DAY = timedelta(days=1)
LONGEST_WINDOW = timedelta(hours=1)  # of the limits per address
ARENA = "arena"  # the subject of limits on all visitors together
# Clocks of two servers may differ. Events from further in the future are ignored: a clock that was set back must
# not lock voters out for long.
CLOCK_DIFFERENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Claim:
    """One action of one subject, and the limit that counts it."""

    subject: str
    limit: Limit
    number: int = 1
    other_names: tuple[str, ...] = ()  # under which the same subject is counted too


class LimitExceeded(Exception):
    """The action would exceed a limit; the transaction must not be committed."""

    def __init__(self, limit: Limit, seconds: float) -> None:
        self.refusal = limit.refusal(seconds)
        super().__init__(self.refusal)
        self.limit, self.seconds = limit, seconds


def count_actions(session: Session, claims: Sequence[Claim], at: datetime) -> None:
    """Count one action for each claim, once for those that differ in their limit only. Raises `LimitExceeded`.

    Call it first in a transaction.
    """
    if not claims:
        return
    lock_subjects(session, sorted({name for claim in claims for name in (claim.subject, *claim.other_names)}))
    values = {f"{name}_{n}": value for n, claim in enumerate(claims) for name, value in _window(claim, at).items()}
    times = session.connection().execute(_newest(len(claims)), values).one()
    for claim, earlier in zip(claims, times, strict=True):
        if earlier is not None:
            raise LimitExceeded(claim.limit, claim.limit.lifts_in(at, earlier))
    counted = {(claim.subject, claim.limit.action): claim.number for claim in claims}
    rows = [
        {"subject": subject, "action": action, "created_at": at}
        for (subject, action), number in counted.items()
        for _ in range(number)
    ]
    session.connection().execute(insert(UsageEvent), rows)


def address_hashes(session: Session, address: str, at: datetime) -> list[str]:
    """The hash of an address with the salt of the day, then those with the salts that exist around midnight.

    An action just before midnight, also by the clock of another server, is counted under another hash.
    """
    today = at.date().isoformat()
    salts = _salts(session)
    if today not in salts:
        _forget_salts(session, at)
        new = {"day": today, "salt": secrets.token_hex(32)}
        session.execute(upsert(session, AddressSalt).values(new).on_conflict_do_nothing())
        salts = _salts(session)
    ordered = [salts.pop(today), *salts.values()]
    return [hashlib.blake2b(address.encode(), key=bytes.fromhex(s), digest_size=16).hexdigest() for s in ordered]


def address_claims(session: Session, address: str, limits: Sequence[Limit], at: datetime) -> list[Claim]:
    """A claim of this address for each limit, under every hash that it has now."""
    name, *others = (f"address {hashed}" for hashed in address_hashes(session, address, at))
    return [Claim(name, limit, other_names=tuple(others)) for limit in limits]


def forget_usage(session: Session, at: datetime) -> int:
    """Delete the actions that are older than a day and the salts of other days; returns the number of actions."""
    _forget_salts(session, at)
    old: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        delete(UsageEvent).where(col(UsageEvent.created_at) < at - DAY)
    )
    return old.rowcount


def cookie_key(session: Session) -> bytes:
    """The key that signs the cookies of voters."""
    return bytes.fromhex(session.get_one(CookieKey, 1).key)


def is_voter(session: Session, voter: str) -> bool:
    """Whether there is a battle of this voter."""
    return session.exec(select(Battle.id).where(Battle.voter == voter).limit(1)).first() is not None


@lru_cache
def _newest(claims: int) -> Select[*tuple[Any, ...]]:
    """The times of the actions that must leave the windows before the claims are allowed; null for an allowed one."""
    return columns(*map(_newest_of, range(claims)))


def _newest_of(n: int) -> ScalarSelect[datetime]:
    return (
        select(UsageEvent.created_at)
        .where(
            col(UsageEvent.subject).in_(bindparam(f"subjects_{n}", expanding=True)),
            col(UsageEvent.action) == bindparam(f"action_{n}"),
            col(UsageEvent.created_at) > bindparam(f"begin_{n}"),
            col(UsageEvent.created_at) <= bindparam(f"end_{n}"),
        )
        .order_by(col(UsageEvent.created_at).desc())
        .offset(bindparam(f"earlier_{n}", type_=Integer))
        .limit(1)
        .scalar_subquery()
    )


def _window(claim: Claim, at: datetime) -> dict[str, Any]:
    """The values of a claim for `_newest`."""
    limit = claim.limit
    return {
        "subjects": (claim.subject, *claim.other_names),
        "action": limit.action,
        "begin": at - limit.window,
        "end": at + CLOCK_DIFFERENCE,
        "earlier": max(0, limit.most - claim.number),
    }


def voter_subject(voter: str) -> str:
    """The subject of what a voter does."""
    return f"voter {voter}"


def lock_subjects(session: Session, subjects: Sequence[str]) -> None:
    """Let one transaction at a time act for a subject. SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        for subject in subjects:
            session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": subject})


_SALTS = select(AddressSalt.day, AddressSalt.salt)


def _salts(session: Session) -> dict[str, str]:
    """The salts by day."""
    return {day: salt for day, salt in session.connection().execute(_SALTS)}  # noqa: C416  (rows are no pairs for mypy)


def _forget_salts(session: Session, at: datetime) -> None:
    """Delete the salts of days with no action in a window of a limit, and of days that no server's clock can have."""
    first, last = (at - LONGEST_WINDOW - CLOCK_DIFFERENCE).date(), (at + DAY).date()
    _erase(session)
    session.execute(
        delete(AddressSalt).where(
            or_(col(AddressSalt.day) < first.isoformat(), col(AddressSalt.day) > last.isoformat())
        )
    )


def _erase(session: Session) -> None:
    """Let SQLite overwrite what it deletes, so that the file does not keep a salt."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))
