"""Votes and pair counts, which are written in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, union
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from arena.errors import DatabaseFailed
from arena.rules.messages import Phrase
from arena.rules.set_aside import sentence
from arena.rules.votes import HUMAN, JUDGE, OVERALL
from arena.store.battle_features import battle_features
from arena.store.battle_prompts import record_prompt
from arena.store.battles import move
from arena.store.models import model_ids
from arena.store.packed_votes import add_packed, packed_vote, rewrite_packed_votes
from arena.store.pending_votes import encoded
from arena.store.query_filters import counting, of_source
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, BattleStatus, PairCount, Vote
from arena.store.schema.set_aside import SetAside
from arena.store.unanswered import unanswered
from arena.store.upserts import FEW, dialect_of, given, literal_rows, upsert_of, values_of
from arena.store.vote_holds import NewHold, hold_new_votes

KEYS = ["model_a_id", "model_b_id", "category", "source"]  # of a pair count
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
    held: NewHold | None = None,
) -> int:
    """Add a vote and count it, unless it is `held` or its judge set aside; returns its id.

    A person's vote closes the battle.

    Raises `AlreadyVoted` for a second vote of a source, and `WrongStatus` when a person votes on a battle that is
    not open.
    """
    if source == HUMAN:
        move(session, battle_id, BattleStatus.OPEN, BattleStatus.VOTED)
    vote = {
        "battle_id": battle_id,
        "source": source,
        "voter": voter,
        "winner": winner,
        "stopped_early": stopped_early,
        "reasons": encoded(reasons),
    }
    session.flush()
    try:
        (number,) = session.connection().execute(insert(Vote), vote).inserted_primary_key or (0,)
    except IntegrityError as error:
        raise AlreadyVoted(f"{source} has already voted on battle {battle_id}. Run the command again.") from error
    if held is not None:
        hold_new_votes(session, [number], held)
    battle = session.get_one(Battle, battle_id)
    features = battle_features(session, battle_id)
    record_prompt(session, battle)
    counted = packed_vote(session, number) if held is None else None
    with unanswered(session):
        features.store(session)
        if counted is not None:
            categories = dict.fromkeys((OVERALL, battle.category, *features.categories))
            pair = (battle.model_a_id, battle.model_b_id)
            count_many(session, {(*pair, category, source, COLUMNS[winner]): 1 for category in categories})
            add_packed(session, [(counted, categories)])
    return number


def pair_counts(session: Session, source: str | None = HUMAN, category: str = OVERALL) -> list[PairVotes]:
    """The counts of one source, `judges`, or all votes (`None`), in order of the models' names."""
    names = model_ids(session)
    added: dict[tuple[str, str], list[int]] = {}
    for a, b, *counts in count_rows(session, source, category):
        sums = added.setdefault((names[a], names[b]), [0, 0, 0, 0])
        sums[:] = (x + y for x, y in zip(sums, counts, strict=True))
    return [PairVotes(*pair, *counts) for pair, counts in sorted(added.items())]


def count_rows(
    session: Session, source: str | None = HUMAN, category: str = OVERALL, without: Collection[str] = ()
) -> Sequence[tuple[int, int, int, int, int, int]]:
    """(left id, right id, wins, losses, ties, both bad), one row for each pair and source (see `of_source`).

    Rows of the driver: a large board has ninety thousand, and those of SQLAlchemy cost three times the rest.
    """
    columns = (
        PairCount.model_a_id,
        PairCount.model_b_id,
        *(getattr(PairCount, name) for name in COLUMNS.values()),
    )
    query = select(*columns).where(PairCount.category == category, of_source(PairCount.source, source, without))
    result = session.connection().execute(query)
    rows: Sequence[tuple[int, int, int, int, int, int]] = result.cursor.fetchall()
    result.close()
    return rows


def counted_sources(session: Session, category: str = OVERALL) -> list[str]:
    """The sources with votes in a category: `human`, then judges by name."""
    sources = session.exec(select(PairCount.source).where(PairCount.category == category).distinct()).all()
    return sorted(sources, key=lambda source: (source != HUMAN, source))


def unknown_judge(session: Session, source: str) -> Phrase | None:
    """The error text for a judge without verdicts, with the judges that have some; None for any other source."""
    if not source.startswith(JUDGE) or source in (sources := counted_sources(session)):
        return None
    judges = [name for name in sources if name.startswith(JUDGE)]
    aside = select(SetAside.reason).where(SetAside.name == source, col(SetAside.taken_back_at).is_(None))
    if (reason := session.exec(aside).first()) is not None:
        return Phrase(
            "The verdicts of {judge} are set aside: {reason} Choose another source.",
            judge=source,
            reason=sentence(reason),
        )
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
    counted = counts_from_votes(session)
    nothing = (0, 0, 0, 0)
    return [
        Difference(key, stored.get(key, nothing), counted.get(key, nothing))
        for key in sorted(stored.keys() | counted.keys())
        if stored.get(key, nothing) != counted.get(key, nothing)
    ]


def rewrite_pair_counts(session: Session) -> None:
    """Replace the pair counts, and the packed votes, with those of the votes."""
    session.execute(delete(PairCount))
    for (a, b, category, source), counts in counts_from_votes(session).items():
        wins, losses, ties, both_bad = counts
        session.add(
            PairCount(
                model_a_id=a, model_b_id=b, category=category, source=source,
                wins=wins, losses=losses, ties=ties, both_bad=both_bad,
            )
        )  # fmt: skip
    rewrite_packed_votes(session)


def count_many(session: Session, cells: Mapping[tuple[int, int, str, str, str], int]) -> None:
    """Add to the pair counts: by (left id, right id, category, source, column) the number of votes."""
    rows: dict[tuple[int, int, str, str], dict[str, int]] = {}
    for (a, b, category, source, column), number in sorted(cells.items()):
        rows.setdefault((a, b, category, source), dict.fromkeys(COLUMNS.values(), 0))[column] += number
    values = [dict(zip(KEYS, key, strict=True)) | counts for key, counts in rows.items()]
    # sorted, in the same order everywhere, to avoid deadlocks between concurrent votes
    if len(values) > FEW:
        session.connection().execute(_add_to_counts(dialect_of(session), None), values)
    elif values:
        session.connection().execute(_add_to_counts(dialect_of(session), len(values)), values_of(values))


@cache
def _add_to_counts(dialect: str, number: int | None) -> Any:
    """The upsert of so many pair counts, or of any list of them, built once: every vote needs it."""
    statement = upsert_of(dialect, PairCount)
    if number is not None:
        columns = {name: given(getattr(PairCount, name)) for name in [*KEYS, *COLUMNS.values()]}
        statement = statement.from_select(list(columns), literal_rows(columns, number))
    added = {name: getattr(PairCount, name) + statement.excluded[name] for name in COLUMNS.values()}
    return statement.on_conflict_do_update(index_elements=KEYS, set_=added)


def counts_from_votes(
    session: Session, *conditions: Any, counted: ColumnElement[bool] | None = None
) -> dict[tuple[int, int, str, str], tuple[int, ...]]:
    """The pair counts of the votes that count (or are `counted`) and meet conditions on `Vote` and `Battle`.

    Each vote counts once in every category of its battle.
    """
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
        .where(counting() if counted is None else counted, *conditions)
        .group_by(*keys)
    )
    return {(a, b, c, s): tuple(int(n) for n in counts) for a, b, c, s, *counts in session.execute(query)}


def _key(row: PairCount) -> tuple[int, int, str, str]:
    return row.model_a_id, row.model_b_id, row.category, row.source
