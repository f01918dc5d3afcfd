"""Passes of visitors who have answered a challenge. Every function works in the session of its caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, update
from sqlmodel import Session, col, select

from arena.rules.limits import Action
from arena.store.schema.checks import SpentChallenge, VisitorPass
from arena.store.schema.usage import UsageEvent
from arena.store.upserts import upsert
from arena.store.usage import CLOCK_DIFFERENCE


def use_pass(session: Session, voter: str, at: datetime) -> bool | None:
    """Use one battle of a visitor's pass: whether the visitor was checked, or None without a pass."""
    valid = (col(VisitorPass.voter) == voter, col(VisitorPass.battles_left) > 0, col(VisitorPass.until) > at)
    used = update(VisitorPass).where(*valid).values(battles_left=VisitorPass.battles_left - 1)
    return session.execute(used.returning(col(VisitorPass.checked))).scalar_one_or_none()


def grant_pass(
    session: Session, voter: str, battles: int, at: datetime, until: datetime, *, checked: bool = True
) -> None:
    """Give a visitor a pass in place of an earlier one."""
    values = {"battles_left": battles, "checked": checked, "until": until, "granted_at": at}
    statement = upsert(session, VisitorPass).values(voter=voter, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["voter"], set_=values))


def spend(session: Session, salt: str, until: datetime) -> bool:
    """Spend a challenge; returns whether this transaction did: of two at once, one does."""
    statement = upsert(session, SpentChallenge).values(salt=salt, until=until).on_conflict_do_nothing()
    return session.execute(statement.returning(col(SpentChallenge.salt))).scalar_one_or_none() is not None


def note_challenge(session: Session, subjects: Sequence[str], since: datetime, at: datetime) -> int:
    """Count one more challenge of an address, the first of whose names is today's; returns those since then."""
    earlier = select(func.count()).where(
        col(UsageEvent.subject).in_(subjects),
        UsageEvent.action == Action.CHALLENGE,
        col(UsageEvent.created_at) > since,
        col(UsageEvent.created_at) <= at + CLOCK_DIFFERENCE,
    )
    count = session.exec(earlier).one()
    row = {"subject": subjects[0], "action": Action.CHALLENGE, "created_at": at}
    session.connection().execute(insert(UsageEvent), [row])
    return count


def forget_passes(session: Session, at: datetime) -> None:
    """Delete the passes and the spent challenges that have expired."""
    session.execute(delete(VisitorPass).where(col(VisitorPass.until) < at))
    session.execute(delete(SpentChallenge).where(col(SpentChallenge.until) < at - CLOCK_DIFFERENCE))
