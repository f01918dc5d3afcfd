"""Battle features: categories by rule and style, stored in the transaction of the first vote."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import delete
from sqlmodel import Session, col, select

import ratings
from arena.rules.categories import VERSION, categories
from arena.rules.tagger_prompt import SUFFIX
from arena.rules.votes import SIDES, Side
from arena.store.images import images_of_turns
from arena.store.query_filters import has_texts
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, CompletionRow, Turn, Vote
from arena.store.schema.judging import JudgedBattle, Prompt

BATCH = 500  # battles classified in one transaction, which other writers wait for


def record_battle_features(session: Session, battle_id: int) -> tuple[str, ...]:
    """The categories of a battle by rule, which are stored with its style on its first vote.

    A battle without a turn has neither.
    """
    stored = session.exec(select(BattleCategory.category).where(BattleCategory.battle_id == battle_id)).all()
    if stored or session.get(BattleStyle, battle_id) is not None:
        return tuple(stored)
    return _store(session, battle_id)


def _store(session: Session, battle_id: int) -> tuple[str, ...]:
    prompts = prompts_of_battle(session, battle_id)
    if not prompts:
        return ()
    matching = categories(prompts, images=bool(images_of_turns(session, [battle_id])))
    session.add_all(BattleCategory(battle_id=battle_id, category=name, classifier=VERSION) for name in matching)
    session.add(_style(battle_id, _completions(session, battle_id)))
    return matching


def reclassify(session: Session, after: int = 0) -> int | None:
    """Classify the next battles with votes, after the id `after`, by the rules of this version.

    Categories of taggers stay, and those of battles whose texts were erased. Returns the last classified id, or None
    at the end, when the caller must compute the pair counts again.
    """
    voted = (
        select(Vote.battle_id)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(Vote.battle_id > after, has_texts())
        .distinct()
        .order_by(col(Vote.battle_id))
    )
    ids = session.exec(voted.limit(BATCH)).all()
    if not ids:
        return None
    by_tagger = col(BattleCategory.category).endswith(SUFFIX)
    session.execute(delete(BattleCategory).where(col(BattleCategory.battle_id).in_(ids), ~by_tagger))
    session.execute(delete(BattleStyle).where(col(BattleStyle.battle_id).in_(ids)))
    for battle_id in ids:
        _store(session, battle_id)
    return ids[-1]


def prompts_of_battle(session: Session, battle_id: int) -> list[str]:
    """The user turns of a battle, including those of a prompt set before the judged ones."""
    messages = session.exec(
        select(Prompt.messages)
        .join(JudgedBattle, col(JudgedBattle.prompt_id) == col(Prompt.id))
        .where(JudgedBattle.battle_id == battle_id)
    ).one_or_none()
    if messages is not None:
        return [str(message["content"]) for message in json.loads(messages) if message["role"] == "user"]
    turns = select(Turn.prompt).where(Turn.battle_id == battle_id).order_by(col(Turn.number))
    return list(session.exec(turns).all())


def _completions(session: Session, battle_id: int) -> dict[Side, str]:
    """The completions of each side in all turns, joined; the last attempt of each turn."""
    rows = session.exec(
        select(Turn.number, CompletionRow.side, CompletionRow.text)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(Turn.battle_id == battle_id)
        .order_by(col(Turn.number), col(CompletionRow.attempt))
    )
    last = {(side, number): text for number, side, text in rows}
    return {side: "\n\n".join(text for (wrote, _), text in last.items() if wrote == side) for side in SIDES}


def _style(battle_id: int, texts: Mapping[Side, str]) -> BattleStyle:
    features = ratings.style_counts([texts[side] for side in SIDES])
    counts = {
        f"{name}_{side}": int(values[place])
        for name, values in features.items()
        for place, side in enumerate(SIDES)
    }
    return BattleStyle(battle_id=battle_id, **counts)
