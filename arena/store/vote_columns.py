"""Single votes in order, for methods that need more than pair counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from arena.rules.votes import HUMAN, NO_VOTER, SIDES
from arena.store.models import model_ids
from arena.store.query_filters import counting, in_category, of_source
from arena.store.schema.battle_features import BattleStyle
from arena.store.schema.battles import Battle, Vote
from ratings import STYLE_FEATURES

Columns = tuple[list[str], list[str], list[str]]  # model_a, model_b, winner


@dataclass(frozen=True)
class Styled:
    """Votes with the style features of both sides, each a column."""

    votes: Columns
    features_a: dict[str, list[int]]
    features_b: dict[str, list[int]]
    numbers: list[int]  # the ids of the votes


def ordered_votes(
    session: Session, source: str | None, category: str, without: Collection[str] = ()
) -> tuple[Columns, list[int]]:
    """The votes of a source (see `of_source`) in a category, and their ids."""
    query = (
        select(Battle.model_a_id, Battle.model_b_id, Vote.winner, Vote.id)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(of_source(Vote.source, source, without), in_category(category), counting())
        .order_by(col(Vote.id))
    )
    names = model_ids(session)
    rows = session.exec(query).all()
    columns = [names[a] for a, *_ in rows], [names[b] for _, b, *_ in rows], [winner for *_, winner, _ in rows]
    return columns, [number or 0 for *_, number in rows]


def styled_votes(session: Session, source: str | None, category: str, without: Collection[str] = ()) -> Styled:
    """The votes of a source in a category on battles with stored completions."""
    features = [getattr(BattleStyle, f"{name}_{side}") for side in SIDES for name in STYLE_FEATURES]
    query = (
        select(Battle.model_a_id, Battle.model_b_id, Vote.winner, Vote.id, *features)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(BattleStyle, col(BattleStyle.battle_id) == col(Vote.battle_id))
        .where(of_source(Vote.source, source, without), in_category(category), counting())
        .order_by(col(Vote.id))
    )
    names = model_ids(session)
    rows = session.execute(query).all()
    columns = [[row[place] for row in rows] for place in range(4 + 2 * len(STYLE_FEATURES))]
    a, b = columns[4 : 4 + len(STYLE_FEATURES)], columns[4 + len(STYLE_FEATURES) :]
    return Styled(
        ([names[number] for number in columns[0]], [names[number] for number in columns[1]], columns[2]),
        dict(zip(STYLE_FEATURES, a, strict=True)),
        dict(zip(STYLE_FEATURES, b, strict=True)),
        columns[3],
    )


def style_features(session: Session) -> dict[str, tuple[Sequence[int], Sequence[int]]]:
    """The style features of both sides, each in the order of `STYLE_FEATURES`, by the public id of the battle."""
    columns = [getattr(BattleStyle, f"{name}_{side}") for side in SIDES for name in STYLE_FEATURES]
    query: Any = select(Battle.public_id, *columns).join(Battle, col(Battle.id) == col(BattleStyle.battle_id))
    half = len(STYLE_FEATURES)
    return {public_id: (counts[:half], counts[half:]) for public_id, *counts in session.execute(query)}


@dataclass(frozen=True)
class CastVote:
    """A vote with its voter, its time, and the battle's models: `model_a` was shown on the left."""

    model_a: str
    model_b: str
    winner: str
    voter: str
    created_at: datetime


def cast_votes(session: Session, source: str = HUMAN) -> list[CastVote]:
    """The votes of one source that count and whose voter is known, in the order in which they were given."""
    names = model_ids(session)
    query = (
        select(Battle.model_a_id, Battle.model_b_id, Vote.winner, Vote.voter, Vote.created_at)  # type: ignore[call-overload]
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(Vote.source == source, col(Vote.voter).not_in(NO_VOTER), counting())
        .order_by(col(Vote.id))
    )
    return [CastVote(names[a], names[b], *rest) for a, b, *rest in session.execute(query)]
