"""Rows of the states of votes: events, their votes, and holds. Pair counts are changed in `arena.store.quarantine`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert
from sqlmodel import Session

from arena.rules.vote_states import HELD, QuarantineReason, VoteState
from arena.store.schema.vote_states import VoteHold, VoteStateChange, VoteStateEvent

LONGEST = {"reason": 40, "check_version": 40, "by": 120}  # characters of their columns


@dataclass(frozen=True)
class NewHold:
    """A state in which a vote does not count, why, what the check found, and who or which check gives it."""

    state: VoteState
    reason: QuarantineReason | str
    by: str
    detail: str = ""
    check_version: str = ""

    def __post_init__(self) -> None:
        if self.state not in HELD:
            raise ValueError(f"{self.state} votes count. Hold votes as one of: {', '.join(HELD)}.")
        for name, most in LONGEST.items():
            if len(getattr(self, name)) > most:
                raise ValueError(f"{name} has more than {most} characters. Shorten it.")


def hold_new_votes(session: Session, vote_ids: Sequence[int], held: NewHold) -> None:
    """Hold votes of this transaction that were never counted."""
    event = add_event(session, held.state, held, len(vote_ids), changes_boards=False)
    add_changes(session, event, vote_ids)
    add_holds(session, event, held, vote_ids)


def add_event(session: Session, state: VoteState, given: NewHold, votes: int, *, changes_boards: bool) -> int:
    """The number of a new event, whose reason, detail and author are those `given`."""
    row = VoteStateEvent(
        state=state,
        reason=given.reason,
        detail=given.detail,
        check_version=given.check_version,
        set_by=given.by,
        votes=votes,
        changes_boards=changes_boards,
    )
    session.add(row)
    session.flush()
    return row.id or 0


def add_changes(session: Session, event: int, vote_ids: Sequence[int]) -> None:
    """Note the votes of an event."""
    session.execute(insert(VoteStateChange), [{"event_id": event, "vote_id": number} for number in vote_ids])


def add_holds(session: Session, event: int, held: NewHold, vote_ids: Sequence[int]) -> None:
    """Note the votes that do not count from now on."""
    plain = {"state": held.state, "reason": held.reason, "event_id": event}
    session.execute(insert(VoteHold), [{"vote_id": number, **plain} for number in vote_ids])
