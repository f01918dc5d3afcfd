"""What a battle is like, noted in the transaction of its first vote: categories by rule, and style."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, true
from sqlmodel import Session, col, or_, select

import ratings
from arena.categories import VERSION, categories
from arena.store.battles import SIDES, Side
from arena.store.judging_tables import JudgedBattle, Prompt
from arena.store.tables import OVERALL, Battle, CompletionRow, Model, Turn, Vote
from arena.store.trait_tables import BattleCategory, BattleStyle
from ratings.style import FEATURES

BATCH = 500  # battles sorted anew in one transaction: other writers wait no longer than that


def note_traits(session: Session, battle_id: int) -> tuple[str, ...]:
    """The categories of a battle by rule; found and kept, with its style, when nobody has voted on it yet.

    A battle without a turn has neither.
    """
    kept = session.exec(select(BattleCategory.category).where(BattleCategory.battle_id == battle_id)).all()
    if kept or session.get(BattleStyle, battle_id) is not None:
        return tuple(kept)
    prompts = prompts_of_battle(session, battle_id)
    if not prompts:
        return ()
    found = categories(prompts)
    session.add_all(BattleCategory(battle_id=battle_id, category=name, classifier=VERSION) for name in found)
    session.add(_style(battle_id, _completions(session, battle_id)))
    return found


def classify_again(session: Session, after: int = 0) -> int | None:
    """Sort the next battles with votes, those after the id `after`, by the rules of this version.

    Returns the last id sorted, or None when none was left. Counts are to be made anew after the last one.
    """
    voted = select(Vote.battle_id).where(Vote.battle_id > after).distinct().order_by(col(Vote.battle_id))
    ids = session.exec(voted.limit(BATCH)).all()
    if not ids:
        return None
    for table in (BattleCategory, BattleStyle):
        session.execute(delete(table).where(col(table.battle_id).in_(ids)))
    for battle_id in ids:
        note_traits(session, battle_id)
    return ids[-1]


def outdated(session: Session) -> bool:
    """Whether any battle was voted on before its categories were kept, or sorted by other rules."""
    other = select(BattleCategory.battle_id).where(BattleCategory.classifier != VERSION).limit(1)
    if session.exec(other).first() is not None:
        return True
    unsorted = (
        select(Vote.battle_id)
        .join(BattleStyle, col(BattleStyle.battle_id) == col(Vote.battle_id), isouter=True)
        .join(Turn, col(Turn.battle_id) == col(Vote.battle_id))
        .where(col(BattleStyle.battle_id).is_(None))
        .limit(1)
    )
    return session.exec(unsorted).first() is not None


def prompts_of_battle(session: Session, battle_id: int) -> list[str]:
    """The user's words, turn by turn, with those of the set's prompt that come before a judged battle."""
    messages = session.exec(
        select(Prompt.messages)
        .join(JudgedBattle, col(JudgedBattle.prompt_id) == col(Prompt.id))
        .where(JudgedBattle.battle_id == battle_id)
    ).one_or_none()
    if messages is not None:
        return [str(one["content"]) for one in json.loads(messages) if one["role"] == "user"]
    turns = select(Turn.prompt).where(Turn.battle_id == battle_id).order_by(col(Turn.number))
    return list(session.exec(turns).all())


@dataclass(frozen=True)
class Styled:
    """Votes as columns, in the order in which they were given, with what style control needs of each."""

    model_a: list[str]
    model_b: list[str]
    winner: list[str]
    features_a: dict[str, list[int]]
    features_b: dict[str, list[int]]


def styled_votes(session: Session, sources: Any, category: str) -> Styled:
    """The votes of `sources` (a condition on `Vote.source`) in a category whose completions are known."""
    names: dict[int | None, str] = dict(session.exec(select(Model.id, Model.name)).all())
    columns = [getattr(BattleStyle, f"{name}_{side}") for side in SIDES for name in FEATURES]
    query = (
        select(Battle.model_a_id, Battle.model_b_id, Vote.winner, *columns)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(BattleStyle, col(BattleStyle.battle_id) == col(Vote.battle_id))
        .where(sources, in_category(category))
        .order_by(col(Vote.id))
    )
    rows = session.execute(query).all()
    a, b, winner, *features = ([list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 11)
    half = len(FEATURES)
    return Styled(
        [names[one] for one in a],
        [names[one] for one in b],
        winner,
        dict(zip(FEATURES, features[:half], strict=True)),
        dict(zip(FEATURES, features[half:], strict=True)),
    )


def in_category(category: str) -> ColumnElement[bool]:
    """A condition on `Battle`: it belongs to the category, its prompt set's own or one found by rule."""
    if category == OVERALL:
        return true()
    found = select(BattleCategory.battle_id).where(
        BattleCategory.battle_id == Battle.id, BattleCategory.category == category
    )
    return or_(col(Battle.category) == category, found.exists())


def _completions(session: Session, battle_id: int) -> dict[Side, str]:
    """Each side's words in all turns, the last attempt of each."""
    rows = session.exec(
        select(Turn.number, CompletionRow.side, CompletionRow.text)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(Turn.battle_id == battle_id)
        .order_by(col(Turn.number), col(CompletionRow.attempt))
    )
    last = {(side, number): text for number, side, text in rows}
    return {side: "\n\n".join(text for (one, _), text in last.items() if one == side) for side in SIDES}


def _style(battle_id: int, texts: Mapping[Side, str]) -> BattleStyle:
    features = ratings.style_counts([texts[side] for side in SIDES])
    counts = {
        f"{name}_{side}": int(values[place])
        for name, values in features.items()
        for place, side in enumerate(SIDES)
    }
    return BattleStyle(battle_id=battle_id, **counts)
