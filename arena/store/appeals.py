"""Appeals: what voters say against the state of a vote of theirs, and what a reviewer decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, func, select

from arena.rules.vote_states import VoteState
from arena.rules.votes import HUMAN
from arena.store.held_votes import AT_ONCE, HeldVote, vote_states
from arena.store.judgeable_battles import parts
from arena.store.models import model_ids
from arena.store.quarantine import release
from arena.store.schema.battles import Battle, Vote, now
from arena.store.schema.vote_states import Appeal, VoteHold, VoteStateEvent

MOST_CHARACTERS = 1_000  # of the text of an appeal
PAGE = 100


class Decision(StrEnum):
    RELEASE = "release"  # the vote counts again
    KEEP = "keep"


class NotHeld(Exception):
    """The vote counts, or is not the voter's; nothing was written."""


class AppealedAlready(Exception):
    """This state of the vote has an appeal; nothing was written."""


class DecidedAlready(Exception):
    """The appeal does not exist, or another reviewer has decided it; nothing was written."""


@dataclass(frozen=True)
class StoredAppeal:
    """An appeal with the vote as it was held then. Without a decision it is open."""

    id: int
    held: HeldVote
    text: str
    created_at: datetime
    decision: Decision | None
    why: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True)
class OwnHold:
    """What a voter sees of a vote of theirs that does not count."""

    state: VoteState
    reason: str
    appealed: bool
    decision: Decision | None
    why: str | None


def add_appeal(session: Session, voter: str, public_id: str, text: str) -> int:
    """Save the appeal of a voter against the hold of their vote on a battle. Raises `NotHeld`, `AppealedAlready`."""
    query = (
        select(VoteHold)
        .join(Vote, col(Vote.id) == col(VoteHold.vote_id))
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(Battle.public_id == public_id, Battle.voter == voter, Vote.source == HUMAN)
    )
    hold = session.exec(query.with_for_update(of=VoteHold)).first()
    if hold is None:
        raise NotHeld(public_id)
    same = select(Appeal.id).where(Appeal.vote_id == hold.vote_id, Appeal.event_id == hold.event_id)
    if session.exec(same).first() is not None:
        raise AppealedAlready(public_id)
    row = Appeal(vote_id=hold.vote_id, event_id=hold.event_id, text=text[:MOST_CHARACTERS])
    session.add(row)
    session.flush()
    return row.id or 0


def decide(session: Session, appeal_id: int, decision: Decision, why: str, by: str) -> StoredAppeal:
    """Decide an open appeal: `release` lets the vote count again. Raises `DecidedAlready`."""
    row = session.exec(select(Appeal).where(Appeal.id == appeal_id).with_for_update()).first()
    if row is None or row.decided_at is not None:
        raise DecidedAlready(appeal_id)
    if decision is Decision.RELEASE:
        release(session, [row.vote_id], why, by)
    row.decision, row.why, row.decided_by, row.decided_at = decision, why, by, now()
    session.flush()
    return appeals(session, number=appeal_id)[0]


def appeal_counts(session: Session) -> dict[str, int]:
    """The number of appeals by decision; `open` has those without one."""
    rows = session.exec(select(Appeal.decision, func.count()).group_by(col(Appeal.decision)))
    return {"open": 0, **dict.fromkeys(Decision, 0), **{decision or "open": number for decision, number in rows}}


def appeals(
    session: Session, *, undecided: bool = False, after: int = 0, limit: int = PAGE, number: int | None = None
) -> list[StoredAppeal]:
    """Appeals with numbers above `after`, the oldest first: all, those without a decision, or the one of a number."""
    names = model_ids(session)
    query: Any = (
        select(Appeal, Vote, Battle, VoteStateEvent)
        .join(Vote, col(Vote.id) == col(Appeal.vote_id))
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(VoteStateEvent, col(VoteStateEvent.id) == col(Appeal.event_id))
        .where(col(Appeal.id) > after)
        .order_by(col(Appeal.id))
        .limit(limit)
    )
    if undecided:
        query = query.where(col(Appeal.decided_at).is_(None))
    if number is not None:
        query = query.where(Appeal.id == number)
    return [
        StoredAppeal(
            id=row.id,
            held=HeldVote.of(names, vote, battle, event),
            text=row.text,
            created_at=row.created_at,
            decision=None if row.decision is None else Decision(row.decision),
            why=row.why,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )
        for row, vote, battle, event in session.execute(query)
    ]


def own_holds(session: Session, battles: Sequence[str]) -> dict[str, OwnHold]:
    """The holds of their voters' votes on battles, by public id."""
    found: dict[str, OwnHold] = {}
    query: Any = (
        select(Battle.public_id, VoteHold, Appeal)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        .join(
            Appeal,
            (col(Appeal.vote_id) == col(VoteHold.vote_id)) & (col(Appeal.event_id) == col(VoteHold.event_id)),
            isouter=True,
        )
        .where(Vote.source == HUMAN)
    )
    for part in parts(battles, AT_ONCE):
        for public_id, hold, appeal in session.execute(query.where(col(Battle.public_id).in_(part))):
            decision = Decision(appeal.decision) if appeal and appeal.decision else None
            why = appeal.why if appeal else None
            found[public_id] = OwnHold(VoteState(hold.state), hold.reason, appeal is not None, decision, why)
    return found


def released_votes(session: Session, battles: Sequence[str]) -> set[str]:
    """Those battles, by public id, whose voters' votes were quarantined and count again."""
    found: set[str] = set()
    query: Any = (
        select(Battle.public_id, Vote.id)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .where(Vote.source == HUMAN)
    )
    for part in parts(battles, AT_ONCE):
        votes = {
            number: battle for battle, number in session.execute(query.where(col(Battle.public_id).in_(part)))
        }
        states = vote_states(session, list(votes))
        found.update(votes[number] for number, status in states.items() if status.state is VoteState.RELEASED)
    return found


def released_appeals(session: Session, battles: Sequence[str]) -> dict[str, str]:
    """Why votes count again after an appeal of their voters, by public id of the battle: the newest decision."""
    found: dict[str, str] = {}
    query: Any = (
        select(Battle.public_id, Appeal.why)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .join(Appeal, col(Appeal.vote_id) == col(Vote.id))
        .where(Vote.source == HUMAN, Appeal.decision == Decision.RELEASE)
        .order_by(col(Appeal.id))
    )
    for part in parts(battles, AT_ONCE):
        found.update(
            (battle, why or "") for battle, why in session.execute(query.where(col(Battle.public_id).in_(part)))
        )
    return found


def held_battles(session: Session, voter: str) -> list[str]:
    """The public ids of the battles on which the vote of a voter does not count, the newest first."""
    query = (
        select(Battle.public_id)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        .where(Battle.voter == voter, Vote.source == HUMAN)
        .order_by(col(Battle.id).desc())
    )
    return list(session.exec(query))
