"""What turns cost on a day. A reservation and its check are in one transaction of the caller, also with many servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Float, bindparam, insert, or_, update
from sqlmodel import Session, col

from arena.rules.limits import Action, Spending
from arena.store.schema.battles import now
from arena.store.schema.usage import UsageDay, UsageEvent
from arena.store.upserts import upsert
from arena.store.usage import ARENA

NO_LIMIT = Spending()
_TOKENS = col(UsageDay.tokens) + bindparam("more_tokens", type_=BigInteger)
_USD = col(UsageDay.usd) + bindparam("more_usd", type_=Float)
_MOST_TOKENS, _MOST_USD = bindparam("most_tokens", type_=BigInteger), bindparam("most_usd", type_=Float)
_SPEND = (
    update(UsageDay)
    .where(
        col(UsageDay.day) == bindparam("of_day"),
        or_(_MOST_TOKENS == 0, _TOKENS <= _MOST_TOKENS),
        or_(_MOST_USD == 0.0, _USD <= _MOST_USD),
    )
    .values(tokens=_TOKENS, usd=_USD)
)


@dataclass(frozen=True)
class Settlement:
    """The cost of an ended turn less its reservation, on the day of the reservation; and its retried calls."""

    day: str
    difference: Spending
    retried: int = 0


class BudgetExceeded(Exception):
    """The turn could exceed the budget of the day; the transaction must not be committed."""


def reserve(session: Session, day: str, most: Spending, amount: Spending) -> None:
    """Add to the spending of a day unless that would exceed `most`, where 0 is no limit. Raises `BudgetExceeded`."""
    if _add(session, day, most, amount):
        return
    session.execute(upsert(session, UsageDay).values(day=day, tokens=0, usd=0.0).on_conflict_do_nothing())
    if not _add(session, day, most, amount):
        raise BudgetExceeded(day)


def settle(session: Session, settlements: Sequence[Settlement]) -> None:
    """Replace the reservations of ended turns by their costs, and count their retried calls.

    Call it last in a transaction: all turns wait for it.
    """
    if retried := sum(settlement.retried for settlement in settlements):
        call = {"subject": ARENA, "action": Action.CALL, "created_at": now()}
        session.connection().execute(insert(UsageEvent), [call] * retried)
    for day in sorted({settlement.day for settlement in settlements}):
        total = sum((settlement.difference for settlement in settlements if settlement.day == day), Spending())
        _add(session, day, NO_LIMIT, total)


def spent(session: Session, day: str) -> Spending:
    """What the turns of a day have cost, with the reservations of those that still run."""
    row = session.get(UsageDay, day)
    return Spending(row.tokens, row.usd) if row else Spending()


def _add(session: Session, day: str, most: Spending, amount: Spending) -> bool:
    """Whether the day is known and the amount could be added within the limits."""
    values = {
        "of_day": day,
        "more_tokens": amount.tokens,
        "more_usd": amount.usd,
        "most_tokens": most.tokens,
        "most_usd": most.usd,
    }
    return session.connection().execute(_SPEND, values).rowcount == 1
