"""The review queue: battles are put into it, dealt to reviewers one at a time, and decided.

Every function works in the transaction of the caller. One transaction at a time deals and decides.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, CursorResult, and_, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from arena.rules.modes import Mode
from arena.rules.reviews import UNDO_WITHIN
from arena.rules.vote_states import VoteState
from arena.rules.votes import OVERALL, mirrored
from arena.store.images import with_images
from arena.store.judgeable_battles import parts
from arena.store.query_filters import has_texts, in_category, is_control
from arena.store.schema.battles import Battle, BattleStatus, Vote
from arena.store.schema.reviews import AssignmentStatus, QueuedBattle, Review, ReviewAssignment
from arena.store.schema.vote_states import VoteHold
from arena.store.shared_battles import readable
from arena.store.usage import lock_subjects

AT_ONCE = 5_000  # ids in one statement: databases limit its parameters
FINISHED = (BattleStatus.VOTED, BattleStatus.JUDGED)  # whose votes and verdicts exist


class NotAssigned(Exception):
    """The reviewer has no such open assignment; nothing was changed."""


@dataclass(frozen=True)
class Candidate:
    """A battle to put into the queue, and why."""

    battle: int
    cause: str
    disagreement: float


@dataclass(frozen=True)
class Rules:
    """Which battles may be dealt, and until when an assignment holds."""

    expires_at: datetime
    unshared: bool = False  # texts that their voters did not share, too


@dataclass(frozen=True)
class Assignment:
    """What a reviewer has to decide."""

    id: int
    battle: int
    public_id: str
    swapped: bool


def reviewable(session: Session, battles: Collection[int], *, unshared: bool) -> set[int]:
    """Those of the battles that reviewers may read: with texts and without images, which nobody but their voter sees."""
    found: set[int] = set()
    for part in parts(sorted(battles), AT_ONCE):
        wanted = select(Battle.id).where(col(Battle.id).in_(part), _readable(unshared))
        found.update(number or 0 for number in session.exec(wanted))
    return found


def quarantined_battles(session: Session, category: str | None) -> list[int]:
    """The battles with a vote in quarantine, the newest vote first."""
    query = (
        select(Battle.id)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        .where(VoteHold.state == VoteState.QUARANTINED, in_category(category or OVERALL))
        .order_by(col(Vote.id).desc())
    )
    return [number or 0 for number in session.exec(query)]


def queue(session: Session, candidates: Iterable[Candidate], wanted: int, by: str) -> int:
    """Put battles into the queue, each for `wanted` reviewers; returns the number of new ones.

    One that is there keeps its cause, and gets more reviewers if it had fewer.
    """
    _lock(session)
    added = 0
    for candidate in candidates:
        row = session.get(QueuedBattle, candidate.battle)
        if row is None:
            row = QueuedBattle(
                battle_id=candidate.battle,
                cause=candidate.cause,
                disagreement=candidate.disagreement,
                wanted=wanted,
                added_by=by,
            )
            added += 1
        row.wanted = max(row.wanted, wanted)
        session.add(row)
    session.flush()
    return added


def remaining(session: Session, account: int, own: Collection[str], *, unshared: bool) -> int:
    """The number of battles that a reviewer could still be dealt, besides the one that they have."""
    return len(session.exec(_for(account, own, unshared)).all())


def deal(session: Session, account: int, own: Collection[str], rules: Rules, at: datetime) -> Assignment | None:
    """What the reviewer has to decide now: the open assignment, else a new one; None while nothing is left for them.

    `own` are the voters that are the reviewer: nobody reviews a battle of their own.
    """
    _lock(session)
    _return_expired(session, at)
    if (row := _open(session, account)) is not None:
        if row.battle_id in reviewable(session, [row.battle_id], unshared=rules.unshared):
            return _assignment(session, row)
        row.status = AssignmentStatus.RETURNED  # its voter no longer shares it
    battle = _next(session, account, own, rules.unshared)
    if battle is None:
        session.flush()
        return None
    return _assignment(session, _assign(session, battle, account, rules, at))


def decide(session: Session, account: int, assignment: int, winner: str, at: datetime) -> None:
    """Save a review of an assignment, with the winner as the reviewer saw the sides.

    The same choice again changes nothing. Raises `NotAssigned` for an assignment of another reviewer, one that was
    returned, and another choice after the first.
    """
    _lock(session)
    row = _own(session, account, assignment)
    chosen = mirrored(winner) if row.swapped else winner
    if row.status == AssignmentStatus.REVIEWED and _current(session, assignment) == chosen:
        return
    _close(session, row, AssignmentStatus.REVIEWED, at)
    session.add(Review(assignment_id=assignment, battle_id=row.battle_id, account_id=account, winner=chosen))
    session.flush()


def skip(session: Session, account: int, assignment: int, reason: str, at: datetime) -> None:
    """Give an assignment back for good, with the reason. Raises `NotAssigned` as `decide` does."""
    _lock(session)
    row = _own(session, account, assignment)
    if row.status == AssignmentStatus.SKIPPED:
        return
    _close(session, row, AssignmentStatus.SKIPPED, at)
    row.skip_reason = reason
    session.flush()


def undo(session: Session, account: int, rules: Rules, at: datetime) -> bool:
    """Take back the reviewer's last review or skip, and open its assignment again; False if there is none, or none that is
    younger than `UNDO_WITHIN`.
    """
    _lock(session)
    decided = (
        select(ReviewAssignment)
        .where(
            ReviewAssignment.account_id == account,
            col(ReviewAssignment.status).in_((AssignmentStatus.REVIEWED, AssignmentStatus.SKIPPED)),
            col(ReviewAssignment.decided_at) > at - UNDO_WITHIN,
        )
        .order_by(col(ReviewAssignment.decided_at).desc(), col(ReviewAssignment.id).desc())
        .limit(1)
    )
    row = session.exec(decided).first()
    if row is None:
        return False
    if (other := _open(session, account)) is not None:
        other.status = AssignmentStatus.RETURNED
    session.execute(
        update(Review)
        .where(col(Review.assignment_id) == row.id, col(Review.undone_at).is_(None))
        .values(undone_at=at)
    )
    row.status, row.skip_reason, row.decided_at = AssignmentStatus.OPEN, None, None
    row.expires_at = rules.expires_at
    session.flush()
    return True


def _lock(session: Session) -> None:
    lock_subjects(session, ["review queue"])


def _readable(unshared: bool) -> ColumnElement[bool]:
    """The condition on `Battle`: shared by its voter or of a prompt set; others if the operator allows them."""
    finished = and_(col(Battle.status).in_(FINISHED), col(Battle.mode) == Mode.BLIND, ~is_control(Battle.id))
    return and_(finished if unshared else readable(judged=True), has_texts(), ~with_images())


def _return_expired(session: Session, at: datetime) -> None:
    session.execute(
        update(ReviewAssignment)
        .where(col(ReviewAssignment.status) == AssignmentStatus.OPEN, col(ReviewAssignment.expires_at) <= at)
        .values(status=AssignmentStatus.RETURNED)
    )


def _open(session: Session, account: int) -> ReviewAssignment | None:
    wanted = select(ReviewAssignment).where(
        ReviewAssignment.account_id == account, ReviewAssignment.status == AssignmentStatus.OPEN
    )
    return session.exec(wanted.order_by(col(ReviewAssignment.id)).limit(1)).first()


def _next(session: Session, account: int, own: Collection[str], unshared: bool) -> int | None:
    """The battle with the largest disagreement of those that a reviewer could be dealt."""
    ordered = _for(account, own, unshared).order_by(
        col(QueuedBattle.disagreement).desc(), col(QueuedBattle.battle_id)
    )
    return session.exec(ordered.limit(1)).first()


def _for(account: int, own: Collection[str], unshared: bool) -> SelectOfScalar[int]:
    """The battles that still want a reviewer, and that this one has not decided."""
    taken = (
        select(func.count())
        .where(
            ReviewAssignment.battle_id == QueuedBattle.battle_id,
            col(ReviewAssignment.status).in_((AssignmentStatus.OPEN, AssignmentStatus.REVIEWED)),
        )
        .scalar_subquery()
    )
    mine = select(ReviewAssignment.id).where(
        ReviewAssignment.battle_id == QueuedBattle.battle_id,
        ReviewAssignment.account_id == account,
        ReviewAssignment.status != AssignmentStatus.RETURNED,
    )
    return (
        select(QueuedBattle.battle_id)
        .join(Battle, col(Battle.id) == col(QueuedBattle.battle_id))
        .where(_readable(unshared), col(Battle.voter).not_in(own), ~mine.exists(), taken < QueuedBattle.wanted)
    )


def _assign(session: Session, battle: int, account: int, rules: Rules, at: datetime) -> ReviewAssignment:
    """A new assignment, or the one that this reviewer had before it was returned."""
    wanted = select(ReviewAssignment).where(
        ReviewAssignment.battle_id == battle, ReviewAssignment.account_id == account
    )
    row = session.exec(wanted).first()
    if row is None:
        row = ReviewAssignment(
            battle_id=battle, account_id=account, swapped=bool(secrets.randbelow(2)), expires_at=rules.expires_at
        )
    row.status, row.assigned_at, row.expires_at = AssignmentStatus.OPEN, at, rules.expires_at
    session.add(row)
    session.flush()
    return row


def _assignment(session: Session, row: ReviewAssignment) -> Assignment:
    public_id = session.get_one(Battle, row.battle_id).public_id
    return Assignment(row.id or 0, row.battle_id, public_id, row.swapped)


def _own(session: Session, account: int, assignment: int) -> ReviewAssignment:
    row = session.get(ReviewAssignment, assignment)
    if row is None or row.account_id != account:
        raise NotAssigned(assignment)
    return row


def _close(session: Session, row: ReviewAssignment, status: AssignmentStatus, at: datetime) -> None:
    """Close an open assignment; the condition lets one of two requests do it."""
    changed: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(ReviewAssignment)
        .where(col(ReviewAssignment.id) == row.id, col(ReviewAssignment.status) == AssignmentStatus.OPEN)
        .values(status=status, decided_at=at)
    )
    if not changed.rowcount:
        raise NotAssigned(row.id)


def _current(session: Session, assignment: int) -> str | None:
    wanted = select(Review.winner).where(Review.assignment_id == assignment, col(Review.undone_at).is_(None))
    return session.exec(wanted).first()
