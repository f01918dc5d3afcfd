"""Votes and pair counts, which are written in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, delete, func, literal, union
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from arena.errors import DatabaseFailed
from arena.messages import Phrase
from arena.rules.votes import HUMAN, JUDGE, OVERALL
from arena.store.battle_features import record_battle_features
from arena.store.battles import move
from arena.store.models import model_ids
from arena.store.pending_votes import encoded
from arena.store.query_filters import of_source
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, BattleStatus, PairCount, Vote
from arena.store.upserts import upsert

ROWS = 500  # pair counts in one statement: databases limit its parameters
# the column of the pair counts for each winner
COLUMNS = {"model_a": "wins", "model_b": "losses", "tie": "ties", "both_bad": "both_bad"}


class AlreadyVoted(DatabaseFailed):
    """This source has voted on the battle before; nothing was written."""


@dataclass(frozen=True)
class PairVotes:
    """Votes on one ordered pair: `wins` are those of `model_a`, shown on the left."""

    model_a: str
    model_b: str
    wins: int
    losses: int
    ties: int
    both_bad: int


def add_vote(
    session: Session,
    battle_id: int,
    source: str,
    voter: str,
    winner: str,
    stopped_early: bool,
    reasons: Sequence[str] = (),
) -> None:
    """Add a vote and count it. A person's vote closes the battle.

    Raises `AlreadyVoted` for a second vote of a source, and `WrongStatus` when a person votes on a battle that is
    not open.
    """
    if source == HUMAN:
        move(session, battle_id, BattleStatus.OPEN, BattleStatus.VOTED)
    column = COLUMNS[winner]
    vote = Vote(
        battle_id=battle_id,
        source=source,
        voter=voter,
        winner=winner,
        stopped_early=stopped_early,
        reasons=encoded(reasons),
    )
    session.add(vote)
    try:
        session.flush()
    except IntegrityError as error:
        raise AlreadyVoted(f"{source} has already voted on battle {battle_id}. Run the command again.") from error
    battle = session.get_one(Battle, battle_id)
    categories = record_battle_features(session, battle_id)
    _count(session, battle, dict.fromkeys((OVERALL, battle.category, *categories)), source, column)


def pair_counts(session: Session, source: str | None = HUMAN, category: str = OVERALL) -> list[PairVotes]:
    """The counts of one source, `judges`, or all votes (`None`), in order of the models' names."""
    names = model_ids(session)
    added: dict[tuple[str, str], list[int]] = {}
    for a, b, *counts in count_rows(session, source, category):
        sums = added.setdefault((names[a], names[b]), [0, 0, 0, 0])
        sums[:] = (x + y for x, y in zip(sums, counts, strict=True))
    return [PairVotes(*pair, *counts) for pair, counts in sorted(added.items())]


def count_rows(
    session: Session, source: str | None = HUMAN, category: str = OVERALL
) -> Sequence[tuple[int, int, int, int, int, int]]:
    """(left id, right id, wins, losses, ties, both bad), one row for each pair and source.

    Rows of the driver: a large board has ninety thousand, and those of SQLAlchemy cost three times the rest.
    """
    columns = (
        PairCount.model_a_id,
        PairCount.model_b_id,
        *(getattr(PairCount, name) for name in COLUMNS.values()),
    )
    query = select(*columns).where(PairCount.category == category, of_source(PairCount.source, source))
    result = session.connection().execute(query)
    rows: Sequence[tuple[int, int, int, int, int, int]] = result.cursor.fetchall()
    result.close()
    return rows


def counted_sources(session: Session) -> list[str]:
    """The sources with votes: `human`, then judges by name."""
    sources = session.exec(select(PairCount.source).where(PairCount.category == OVERALL).distinct()).all()
    return sorted(sources, key=lambda source: (source != HUMAN, source))


def unknown_judge(session: Session, source: str) -> Phrase | None:
    """The error text for a judge without verdicts, with the judges that have some; None for any other source."""
    if not source.startswith(JUDGE) or source in (sources := counted_sources(session)):
        return None
    judges = [name for name in sources if name.startswith(JUDGE)]
    return Phrase(
        "{judge!r} has no verdicts. Judges with verdicts: {judges}.",
        judge=source,
        judges=", ".join(judges) or Phrase("none"),
    )


def counted_categories(session: Session, source: str | None = None) -> dict[str, int]:
    """Every category with its votes of a source (`None`: all votes), most first."""
    total = func.sum(PairCount.wins + PairCount.losses + PairCount.ties + PairCount.both_bad)
    query = select(PairCount.category, total).where(of_source(PairCount.source, source))
    rows = session.exec(query.group_by(PairCount.category)).all()
    return {name: int(votes) for name, votes in sorted(rows, key=lambda row: (-row[1], row[0]))}


def last_vote_id(session: Session) -> int:
    """The id of the newest vote, or 0; it identifies the state of every leaderboard."""
    return session.exec(select(func.max(Vote.id))).one() or 0


@dataclass(frozen=True)
class CastVote:
    """A vote with its voter and the battle's models: `model_a` was shown on the left."""

    model_a: str
    model_b: str
    winner: str
    voter: str


def cast_votes(session: Session, source: str = HUMAN) -> list[CastVote]:
    """All votes of one source in the order in which they were given."""
    names = model_ids(session)
    query = (
        select(Battle.model_a_id, Battle.model_b_id, Vote.winner, Vote.voter)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(Vote.source == source)
        .order_by(col(Vote.id))
    )
    return [CastVote(names[a], names[b], winner, voter) for a, b, winner, voter in session.execute(query)]


def battle_ids(session: Session, vote_ids: Sequence[int]) -> dict[int, int]:
    """The id of each vote's battle, by the id of the vote."""
    return dict(session.exec(select(Vote.id, Vote.battle_id).where(col(Vote.id).in_(vote_ids))).all())  # type: ignore[arg-type]


def vote_count(session: Session, category: str = OVERALL) -> int:
    """The number of votes of all sources, from the pair counts."""
    total = PairCount.wins + PairCount.losses + PairCount.ties + PairCount.both_bad
    return session.exec(select(func.coalesce(func.sum(total), 0)).where(PairCount.category == category)).one()


@dataclass(frozen=True)
class Difference:
    """A pair count that differs from the votes."""

    key: tuple[int, int, str, str]
    stored: tuple[int, ...]
    counted: tuple[int, ...]


def recount(session: Session) -> list[Difference]:
    """The differences between the stored pair counts and the votes."""
    stored = {_key(row): (row.wins, row.losses, row.ties, row.both_bad) for row in session.exec(select(PairCount))}
    counted = _from_votes(session)
    nothing = (0, 0, 0, 0)
    return [
        Difference(key, stored.get(key, nothing), counted.get(key, nothing))
        for key in sorted(stored.keys() | counted.keys())
        if stored.get(key, nothing) != counted.get(key, nothing)
    ]


def rewrite_pair_counts(session: Session) -> None:
    """Replace the pair counts with those of the votes."""
    session.execute(delete(PairCount))
    for (a, b, category, source), counts in _from_votes(session).items():
        wins, losses, ties, both_bad = counts
        session.add(
            PairCount(
                model_a_id=a, model_b_id=b, category=category, source=source,
                wins=wins, losses=losses, ties=ties, both_bad=both_bad,
            )
        )  # fmt: skip


def _count(session: Session, battle: Battle, categories: Iterable[str], source: str, column: str) -> None:
    keys = ["model_a_id", "model_b_id", "category", "source"]
    nothing = dict.fromkeys(COLUMNS.values(), 0)
    rows = [
        {"model_a_id": battle.model_a_id, "model_b_id": battle.model_b_id, "category": category, "source": source}
        | {**nothing, column: 1}
        for category in sorted(
            categories
        )  # in the same order everywhere, to avoid deadlocks between concurrent votes
    ]
    added = {column: getattr(PairCount, column) + 1}
    session.execute(upsert(session, PairCount).values(rows).on_conflict_do_update(index_elements=keys, set_=added))


def count_many(session: Session, cells: Mapping[tuple[int, int, str, str, str], int]) -> None:
    """Add to the pair counts: by (left id, right id, category, source, column) the number of votes."""
    keys = ["model_a_id", "model_b_id", "category", "source"]
    rows: dict[tuple[int, int, str, str], dict[str, int]] = {}
    for (a, b, category, source, column), number in sorted(cells.items()):
        rows.setdefault((a, b, category, source), dict.fromkeys(COLUMNS.values(), 0))[column] += number
    values = [dict(zip(keys, key, strict=True)) | counts for key, counts in rows.items()]
    for start in range(0, len(values), ROWS):
        statement = upsert(session, PairCount).values(values[start : start + ROWS])
        added = {name: getattr(PairCount, name) + statement.excluded[name] for name in COLUMNS.values()}
        session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added))


def _from_votes(session: Session) -> dict[tuple[int, int, str, str], tuple[int, ...]]:
    """The pair counts of the votes; each vote counts once in every category of its battle."""
    belongs = union(
        select(col(Battle.id).label("battle_id"), literal(OVERALL).label("category")),
        select(col(Battle.id), col(Battle.category)),
        select(col(BattleCategory.battle_id), col(BattleCategory.category)),
    ).subquery()
    keys = (col(Battle.model_a_id), col(Battle.model_b_id), belongs.c.category, col(Vote.source))
    sums = [func.sum(case((col(Vote.winner) == winner, 1), else_=0)) for winner in COLUMNS]
    query: Any = (
        select(*keys, *sums)
        .select_from(Vote)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(belongs, belongs.c.battle_id == col(Vote.battle_id))
        .group_by(*keys)
    )
    return {(a, b, c, s): tuple(int(n) for n in counts) for a, b, c, s, *counts in session.execute(query)}


def _key(row: PairCount) -> tuple[int, int, str, str]:
    return row.model_a_id, row.model_b_id, row.category, row.source
