"""Single figures for operators: reported battles, voters whose votes are held, votes without a seal, attempts to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from arena.rules.limits import Action
from arena.store.ledger import last_seal
from arena.store.schema.battles import Report, Vote
from arena.store.schema.usage import UsageEvent
from arena.store.schema.vote_states import VoteHold


@dataclass(frozen=True)
class Figures:
    """`sealed_at` is the time of the newest seal, `number` its number."""

    reported: int  # battles
    held_voters: int
    unsealed: int  # votes
    number: int | None
    sealed_at: datetime | None
    sign_ins: int  # attempts in a day, right ones included


def figures(session: Session, at: datetime) -> Figures:
    """The figures now."""
    seal = last_seal(session)
    attempts = select(func.count()).where(
        col(UsageEvent.action) == Action.LOGIN,
        col(UsageEvent.created_at) >= at - timedelta(days=1),
        col(UsageEvent.subject).startswith("account "),
    )
    held = select(func.count(func.distinct(Vote.voter))).join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
    unsealed = select(func.count()).where(col(Vote.id) > (seal.last_vote if seal else 0))
    return Figures(
        reported=session.exec(select(func.count(func.distinct(Report.battle_id)))).one(),
        held_voters=session.exec(held).one(),
        unsealed=session.exec(unsealed).one(),
        number=seal.number if seal else None,
        sealed_at=datetime.fromisoformat(seal.sealed_at) if seal else None,
        sign_ins=session.exec(attempts).one(),
    )
