"""Votes and their running sum. A vote and its pair count are written in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from arena.store.battles import move
from arena.store.tables import HUMAN, OVERALL, Battle, BattleStatus, Model, PairCount, Vote

JUDGES, JUDGE_SOURCES = "judges", "judge:%"  # every judge, and their sources as a pattern
# which column of a pair count a winner adds to
COLUMNS = {"model_a": "wins", "model_b": "losses", "tie": "ties", "both_bad": "both_bad"}


@dataclass(frozen=True)
class Counted:
    """Votes on one ordered pair: `wins` are those of `model_a`, shown on the left."""

    model_a: str
    model_b: str
    wins: int
    losses: int
    ties: int
    both_bad: int


def add_vote(session: Session, battle_id: int, source: str, voter: str, winner: str, stopped_early: bool) -> None:
    """Record a vote and add it to its pair count. A person's vote closes the battle.

    Raises `sqlalchemy.exc.IntegrityError` when this source has voted on the battle before, and `WrongStatus`
    when a person votes on a battle that is not open.
    """
    if source == HUMAN:
        move(session, battle_id, BattleStatus.OPEN, BattleStatus.VOTED)
    vote = Vote(battle_id=battle_id, source=source, voter=voter, winner=winner, stopped_early=stopped_early)
    session.add(vote)
    session.flush()
    battle = session.get_one(Battle, battle_id)
    for category in dict.fromkeys((OVERALL, battle.category)):
        _count(session, battle, category, source, COLUMNS[winner])


def pair_counts(session: Session, source: str | None = HUMAN, category: str = OVERALL) -> list[Counted]:
    """The counts of one source, of all `JUDGES` or (`None`) of everybody, ordered by the models' names."""
    left, right = _models()
    sums = [func.sum(getattr(PairCount, name)) for name in ("wins", "losses", "ties", "both_bad")]
    query = (
        select(left.c.name, right.c.name, *sums)
        .select_from(PairCount)
        .join(left, left.c.id == PairCount.model_a_id)
        .join(right, right.c.id == PairCount.model_b_id)
        .where(PairCount.category == category)
        .group_by(left.c.name, right.c.name)
        .order_by(left.c.name, right.c.name)
    )
    if source == JUDGES:
        query = query.where(col(PairCount.source).like(JUDGE_SOURCES))
    elif source is not None:
        query = query.where(PairCount.source == source)
    return [Counted(a, b, *(int(n) for n in counts)) for a, b, *counts in session.execute(query)]


@dataclass(frozen=True)
class Cast:
    """A vote with its voter and the battle's models: `model_a` was shown on the left."""

    model_a: str
    model_b: str
    winner: str
    voter: str


def cast_votes(session: Session, source: str = HUMAN) -> list[Cast]:
    """All votes of one source in the order they came in."""
    left, right = _models()
    query = (
        select(left.c.name, right.c.name, Vote.winner, Vote.voter)
        .select_from(Vote)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(left, left.c.id == col(Battle.model_a_id))
        .join(right, right.c.id == col(Battle.model_b_id))
        .where(Vote.source == source)
        .order_by(col(Vote.id))
    )
    return [Cast(*row) for row in session.execute(query)]


def model_names(session: Session) -> list[str]:
    return list(session.exec(select(Model.name).order_by(Model.name)).all())


def vote_count(session: Session) -> int:
    """Votes of every source, from the pair counts."""
    total = PairCount.wins + PairCount.losses + PairCount.ties + PairCount.both_bad
    return session.exec(select(func.coalesce(func.sum(total), 0)).where(PairCount.category == OVERALL)).one()


@dataclass(frozen=True)
class Difference:
    """A pair count that the votes do not bear out."""

    key: tuple[int, int, str, str]
    stored: tuple[int, ...]
    counted: tuple[int, ...]


def recount(session: Session) -> list[Difference]:
    """Count every vote again and compare with the stored pair counts."""
    stored = {_key(row): (row.wins, row.losses, row.ties, row.both_bad) for row in session.exec(select(PairCount))}
    counted = _from_votes(session)
    nothing = (0, 0, 0, 0)
    return [
        Difference(key, stored.get(key, nothing), counted.get(key, nothing))
        for key in sorted(stored.keys() | counted.keys())
        if stored.get(key, nothing) != counted.get(key, nothing)
    ]


def rewrite_pair_counts(session: Session) -> None:
    """Throw the pair counts away and make them again from the votes."""
    session.execute(delete(PairCount))
    for (a, b, category, source), counts in _from_votes(session).items():
        wins, losses, ties, both_bad = counts
        session.add(
            PairCount(
                model_a_id=a, model_b_id=b, category=category, source=source,
                wins=wins, losses=losses, ties=ties, both_bad=both_bad,
            )
        )  # fmt: skip


def _count(session: Session, battle: Battle, category: str, source: str, column: str) -> None:
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {
        "model_a_id": battle.model_a_id, "model_b_id": battle.model_b_id,
        "category": category, "source": source,
        "wins": 0, "losses": 0, "ties": 0, "both_bad": 0,
    }  # fmt: skip
    keys = ["model_a_id", "model_b_id", "category", "source"]
    added = {column: getattr(PairCount, column) + 1}
    session.execute(
        insert(PairCount).values({**row, column: 1}).on_conflict_do_update(index_elements=keys, set_=added)
    )


def _from_votes(session: Session) -> dict[tuple[int, int, str, str], tuple[int, ...]]:
    """Pair counts made from the votes alone: each vote counts overall and in its battle's category."""
    counted: dict[tuple[int, int, str, str], tuple[int, ...]] = {}
    for category, which in (("", col(Battle.category) != OVERALL), (OVERALL, col(Battle.id).is_not(None))):
        for a, b, own, source, *counts in session.execute(_sums(which)):
            key = (a, b, category or own, source)
            earlier = counted.get(key, (0, 0, 0, 0))
            counted[key] = tuple(x + int(y) for x, y in zip(earlier, counts, strict=True))
    return counted


def _sums(which: ColumnElement[bool]) -> Any:
    sums = [func.sum(case((col(Vote.winner) == winner, 1), else_=0)) for winner in COLUMNS]
    keys: tuple[Any, ...] = (Battle.model_a_id, Battle.model_b_id, Battle.category, Vote.source)
    return select(*keys, *sums).join(Battle, col(Battle.id) == col(Vote.battle_id)).where(which).group_by(*keys)


def _key(row: PairCount) -> tuple[int, int, str, str]:
    return row.model_a_id, row.model_b_id, row.category, row.source


def _models() -> Sequence[Any]:
    table: Any = Model.__table__  # type: ignore[attr-defined]
    return table.alias("model_left"), table.alias("model_right")
