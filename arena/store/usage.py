"""Counted actions and spending. A check and its count are in one transaction of the caller, also with many servers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, ScalarSelect, delete, insert, or_, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from arena.rules.limits import Limit, Spending
from arena.store.schema.battles import Battle
from arena.store.schema.usage import AddressSalt, CookieKey, UsageDay, UsageEvent

DAY = timedelta(days=1)
# Clocks of two servers may differ. Events from further in the future are ignored: a clock that was set back must
# not lock voters out for long.
CLOCK_DIFFERENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Claim:
    """One action of one subject, and the limit that counts it."""

    subject: str
    limit: Limit
    number: int = 1


@dataclass(frozen=True)
class Settlement:
    """The cost of an ended turn less its reservation, on the day of the reservation."""

    day: str
    difference: Spending


class LimitExceeded(Exception):
    """The action would exceed a limit; the transaction must not be committed."""

    def __init__(self, limit: Limit, seconds: float) -> None:
        super().__init__(limit.refusal(seconds))
        self.seconds = seconds


class BudgetExceeded(Exception):
    """The turn could exceed the budget of the day; the transaction must not be committed."""


def count_actions(session: Session, claims: Sequence[Claim], at: datetime) -> None:
    """Count one action for each claim. Call it first in a transaction. Raises `LimitExceeded`."""
    if not claims:
        return
    _lock(session, sorted({claim.subject for claim in claims}))
    times = session.execute(select(*(_newest(claim, at) for claim in claims))).one()
    for claim, earlier in zip(claims, times, strict=True):
        if earlier is not None:
            raise LimitExceeded(claim.limit, claim.limit.lifts_in(at, earlier))
    rows = [
        {"subject": claim.subject, "action": claim.limit.action, "created_at": at}
        for claim in claims
        for _ in range(claim.number)
    ]
    session.execute(insert(UsageEvent.__table__), rows)  # type: ignore[attr-defined]


def reserve(session: Session, day: str, most: Spending, amount: Spending) -> None:
    """Add to the spending of a day unless that would exceed `most`, where 0 is no limit. Raises `BudgetExceeded`."""
    if _add(session, day, most, amount):
        return
    upsert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(upsert(UsageDay).values(day=day, tokens=0, usd=0.0).on_conflict_do_nothing())
    if not _add(session, day, most, amount):
        raise BudgetExceeded(day)


def settle(session: Session, settlements: Sequence[Settlement]) -> None:
    """Replace the reservations of ended turns by their costs. Call it last in a transaction: all turns wait for it."""
    for day in sorted({settlement.day for settlement in settlements}):
        total = sum((settlement.difference for settlement in settlements if settlement.day == day), Spending())
        session.execute(
            update(UsageDay)
            .where(col(UsageDay.day) == day)
            .values(tokens=col(UsageDay.tokens) + total.tokens, usd=col(UsageDay.usd) + total.usd)
        )


def spent(session: Session, day: str) -> Spending:
    """What the turns of a day have cost, with the reservations of those that still run."""
    row = session.get(UsageDay, day)
    return Spending(row.tokens, row.usd) if row else Spending()


def address_hash(session: Session, address: str, at: datetime) -> str:
    """The hash of an address, with a salt of the day that no longer exists on the next day."""
    day = at.date().isoformat()
    salt = session.exec(select(AddressSalt.salt).where(AddressSalt.day == day)).one_or_none()
    if salt is None:
        _erase(session)
        session.execute(delete(AddressSalt).where(col(AddressSalt.day) != day))
        upsert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        new = {"day": day, "salt": secrets.token_hex(32)}
        session.execute(upsert(AddressSalt).values(new).on_conflict_do_nothing())
        salt = session.exec(select(AddressSalt.salt).where(AddressSalt.day == day)).one()
    return hashlib.blake2b(address.encode(), key=bytes.fromhex(salt), digest_size=16).hexdigest()


def forget_usage(session: Session, at: datetime) -> int:
    """Delete the actions that are older than a day and the salts of other days; returns the number of actions."""
    _erase(session)
    session.execute(delete(AddressSalt).where(col(AddressSalt.day) != at.date().isoformat()))
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


def _newest(claim: Claim, at: datetime) -> ScalarSelect[datetime]:
    """The time of the action that must leave the window before the claim is allowed; null when it is allowed."""
    limit = claim.limit
    return (
        select(UsageEvent.created_at)
        .where(
            UsageEvent.subject == claim.subject,
            UsageEvent.action == limit.action,
            col(UsageEvent.created_at) > at - limit.window,
            col(UsageEvent.created_at) <= at + CLOCK_DIFFERENCE,
        )
        .order_by(col(UsageEvent.created_at).desc())
        .offset(max(0, limit.most - claim.number))
        .limit(1)
        .scalar_subquery()
    )


def _add(session: Session, day: str, most: Spending, amount: Spending) -> bool:
    """Whether the day is known and the amount could be added within the limits."""
    tokens, usd = col(UsageDay.tokens) + amount.tokens, col(UsageDay.usd) + amount.usd
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(UsageDay)
        .where(
            col(UsageDay.day) == day,
            or_(most.tokens == 0, tokens <= most.tokens),  # type: ignore[arg-type]
            or_(most.usd == 0, usd <= most.usd),  # type: ignore[arg-type]
        )
        .values(tokens=tokens, usd=usd)
    )
    return done.rowcount == 1


def _lock(session: Session, subjects: Sequence[str]) -> None:
    """Let one transaction at a time count the actions of a subject. SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        for subject in subjects:
            session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": subject})


def _erase(session: Session) -> None:
    """Let SQLite overwrite what it deletes, so that the file does not keep a salt."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))
