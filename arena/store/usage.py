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

from arena.rules.limits import Action, Limit, Spending
from arena.store.schema.battles import Battle, now
from arena.store.schema.usage import AddressSalt, CookieKey, UsageDay, UsageEvent

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


@dataclass(frozen=True)
class Settlement:
    """The cost of an ended turn less its reservation, on the day of the reservation; and its retried calls."""

    day: str
    difference: Spending
    retried: int = 0


class LimitExceeded(Exception):
    """The action would exceed a limit; the transaction must not be committed."""

    def __init__(self, limit: Limit, seconds: float) -> None:
        self.refusal = limit.refusal(seconds)
        super().__init__(self.refusal)
        self.limit, self.seconds = limit, seconds


class BudgetExceeded(Exception):
    """The turn could exceed the budget of the day; the transaction must not be committed."""


def count_actions(session: Session, claims: Sequence[Claim], at: datetime) -> None:
    """Count one action for each claim. Call it first in a transaction. Raises `LimitExceeded`."""
    if not claims:
        return
    _lock(session, sorted({name for claim in claims for name in (claim.subject, *claim.other_names)}))
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
    """Replace the reservations of ended turns by their costs, and count their retried calls.

    Call it last in a transaction: all turns wait for it.
    """
    if retried := sum(settlement.retried for settlement in settlements):
        call = {"subject": ARENA, "action": Action.CALL, "created_at": now()}
        session.execute(insert(UsageEvent.__table__), [call] * retried)  # type: ignore[attr-defined]
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


def address_hashes(session: Session, address: str, at: datetime) -> list[str]:
    """The hash of an address with the salt of the day, then those with the salts that exist around midnight.

    An action just before midnight, also by the clock of another server, is counted under another hash.
    """
    today = at.date().isoformat()
    salts = _salts(session)
    if today not in salts:
        _forget_salts(session, at)
        upsert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        new = {"day": today, "salt": secrets.token_hex(32)}
        session.execute(upsert(AddressSalt).values(new).on_conflict_do_nothing())
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


def _newest(claim: Claim, at: datetime) -> ScalarSelect[datetime]:
    """The time of the action that must leave the window before the claim is allowed; null when it is allowed."""
    limit = claim.limit
    return (
        select(UsageEvent.created_at)
        .where(
            col(UsageEvent.subject).in_((claim.subject, *claim.other_names)),
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


def _salts(session: Session) -> dict[str, str]:
    """The salts by day."""
    return dict(session.exec(select(AddressSalt.day, AddressSalt.salt)).all())


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
