"""Single figures for operators: reported battles, voters whose votes are held, appeals that wait, votes without a seal, and
attempts to sign in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from arena.store.appeals import appeal_counts
from arena.store.figure_rows import attempts, unsealed_votes
from arena.store.ledger import last_seal
from arena.store.schema.battles import Report, Vote
from arena.store.schema.usage import UsageEvent
from arena.store.schema.vote_states import VoteHold


@dataclass(frozen=True)
class Figures:
    """`sealed_at` is the time of the newest seal, `number` its number."""

    reported: int  # battles
    held_voters: int
    appeals: int  # without a decision
    unsealed: int  # votes
    number: int | None
    sealed_at: datetime | None
    sign_ins: int  # attempts in a day, right ones included


def figures(session: Session, at: datetime) -> Figures:
    """The figures now."""
    seal = last_seal(session)
    sign_ins = select(func.count()).select_from(UsageEvent).where(*attempts(at - timedelta(days=1)))
    held = select(func.count(func.distinct(Vote.voter))).join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
    unsealed = select(func.count()).select_from(Vote).where(unsealed_votes(session))
    return Figures(
        reported=session.exec(select(func.count(func.distinct(Report.battle_id)))).one(),
        held_voters=session.exec(held).one(),
        appeals=appeal_counts(session)["open"],
        unsealed=session.exec(unsealed).one(),
        number=seal.number if seal else None,
        sealed_at=datetime.fromisoformat(seal.sealed_at) if seal else None,
        sign_ins=session.exec(sign_ins).one(),
    )
