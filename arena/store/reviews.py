"""What reviewers decided: the reviews that stand, the labels that they make together, and the progress of the queue."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from arena.rules.seals import pseudonym
from arena.rules.votes import mirrored
from arena.store.ledger import ledger_key
from arena.store.schema.accounts import Account
from arena.store.schema.battles import Battle
from arena.store.schema.reviews import AssignmentStatus, QueuedBattle, Review, ReviewAssignment

UNDECIDED = "tie"  # the label where no choice has more reviewers than every other


@dataclass(frozen=True)
class StoredReview:
    """A review that stands, in the sides of the battle, and in those that its reviewer saw."""

    battle: int
    public_id: str
    account: int
    reviewer: str  # the pseudonym
    name: str
    winner: str
    seen: str
    at: datetime


@dataclass(frozen=True)
class Progress:
    """The queue as a whole: battles in it, those with all reviews, and assignments by status."""

    queued: int
    complete: int
    reviews: int
    open: int
    causes: Mapping[str, int]


@dataclass(frozen=True)
class ReviewerProgress:
    """What one reviewer did."""

    account: int
    name: str
    reviewer: str
    reviews: int
    skips: Mapping[str, int]  # by reason
    open: int
    last_at: datetime | None


def reviewer_pseudonym(session: Session, account: int) -> str:
    """The name under which a reviewer is exported: as for voters, nobody can find the account from it."""
    return pseudonym(ledger_key(session), f"reviewer {account}")


def reviews(session: Session, battles: Sequence[int] = (), until: datetime | None = None) -> list[StoredReview]:
    """The reviews that stand, in order; on these battles, or on all; those `until` a time, or all."""
    query = (
        select(Review, Battle.public_id, Account.name, ReviewAssignment.swapped)
        .join(Battle, col(Battle.id) == col(Review.battle_id))
        .join(Account, col(Account.id) == col(Review.account_id))
        .join(ReviewAssignment, col(ReviewAssignment.id) == col(Review.assignment_id))
        .where(col(Review.undone_at).is_(None))
        .order_by(col(Review.id))
    )
    if battles:
        query = query.where(col(Review.battle_id).in_(battles))
    if until is not None:
        query = query.where(col(Review.created_at) <= until)
    key = ledger_key(session)
    return [
        StoredReview(
            row.battle_id,
            public_id,
            row.account_id,
            pseudonym(key, f"reviewer {row.account_id}"),
            name,
            row.winner,
            mirrored(row.winner) if swapped else row.winner,
            row.created_at,
        )
        for row, public_id, name, swapped in session.exec(query)
    ]


def reviews_version(session: Session, until: datetime | None = None) -> tuple[int, int]:
    """Two numbers of which one changes with every review and every undo; of reviews `until` a time, or of all."""
    query = select(func.count(), func.count(col(Review.undone_at))).select_from(Review)
    if until is not None:
        query = query.where(col(Review.created_at) <= until)
    row = session.execute(query).one()
    return int(row[0]), int(row[1])


def labels(session: Session) -> dict[int, tuple[str, datetime]]:
    """The choice of the reviewers of a battle and the time of the last review, by battle.

    A battle has a label from two reviews on, or from one if one was wanted: the choice of most of them, and a tie where
    several have as many.
    """
    wanted = dict(session.exec(select(QueuedBattle.battle_id, QueuedBattle.wanted)).all())
    chosen: dict[int, list[StoredReview]] = defaultdict(list)
    for review in reviews(session):
        chosen[review.battle].append(review)
    return {
        battle: (_plurality([review.winner for review in given]), max(review.at for review in given))
        for battle, given in chosen.items()
        if len(given) >= min(2, wanted.get(battle, 2))
    }


def _plurality(winners: Sequence[str]) -> str:
    """The winner that most name.

    >>> _plurality(["model_a", "tie", "model_a"]), _plurality(["model_a", "model_b"])
    ('model_a', 'tie')
    """
    (first, most), *others = Counter(winners).most_common(2)
    return UNDECIDED if others and others[0][1] == most else first


def progress(session: Session) -> Progress:
    """The progress of the queue."""
    given = dict(
        session.exec(
            select(Review.battle_id, func.count())
            .where(col(Review.undone_at).is_(None))
            .group_by(col(Review.battle_id))
        ).all()
    )
    rows = session.exec(select(QueuedBattle)).all()
    is_open = select(func.count()).where(ReviewAssignment.status == AssignmentStatus.OPEN)
    return Progress(
        queued=len(rows),
        complete=sum(given.get(row.battle_id, 0) >= row.wanted for row in rows),
        reviews=sum(given.values()),
        open=session.exec(is_open).one(),
        causes=dict(Counter(row.cause for row in rows)),
    )


def reviewers(session: Session) -> list[ReviewerProgress]:
    """What each reviewer with an assignment did, by name."""
    names = select(Account.id, Account.name).where(
        col(Account.id).in_(select(ReviewAssignment.account_id).distinct())
    )
    columns: tuple[Any, ...] = (
        ReviewAssignment.account_id,
        ReviewAssignment.status,
        ReviewAssignment.skip_reason,
    )
    counted = func.count(), func.max(ReviewAssignment.decided_at)
    query = select(*columns, *counted).group_by(*columns)  # type: ignore[call-overload]
    states: dict[int, list[tuple[str, str | None, int, datetime | None]]] = defaultdict(list)
    for account, status, reason, count, last in session.exec(query):
        states[account].append((status, reason, count, last))
    return [
        _reviewer(account or 0, name, reviewer_pseudonym(session, account or 0), states[account or 0])
        for account, name in sorted(session.exec(names), key=lambda row: row[1])
    ]


def _reviewer(
    account: int, name: str, reviewer: str, states: Sequence[tuple[str, str | None, int, datetime | None]]
) -> ReviewerProgress:
    def count(status: AssignmentStatus) -> int:
        return sum(number for state, _, number, _ in states if state == status)

    return ReviewerProgress(
        account,
        name,
        reviewer,
        count(AssignmentStatus.REVIEWED),
        {reason or "other": number for state, reason, number, _ in states if state == AssignmentStatus.SKIPPED},
        count(AssignmentStatus.OPEN),
        max((last for *_, last in states if last is not None), default=None),
    )
