"""Battle features: categories by rule and style, stored in the transaction of the first vote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, insert, null, union_all
from sqlmodel import Session, and_, col, select
from sqlmodel.sql.expression import SelectOfScalar

import ratings
from arena.rules.categories import VERSION, categories
from arena.rules.tagger_prompt import SUFFIX
from arena.rules.votes import SIDES, Side
from arena.store.query_filters import has_texts
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, Turn, Vote
from arena.store.schema.images import TurnImage
from arena.store.schema.judging import JudgedBattle, Prompt

GIVEN_LANGUAGE = "given language"  # the classifier of a language that an imported file names
BATCH = 500  # battles classified in one transaction, which other writers wait for

# built once: every vote needs them
_OF: Any = bindparam("battle_id")
_STORED: Any = union_all(  # the categories, and None for the style
    select(col(BattleCategory.category)).where(col(BattleCategory.battle_id) == _OF),
    select(null()).where(exists().where(col(BattleStyle.battle_id) == _OF)),
)
_PROMPTS = (
    select(Turn.prompt, exists().where(col(TurnImage.turn_id) == col(Turn.id)))
    .where(col(Turn.battle_id) == _OF)
    .order_by(col(Turn.number))
)
_COMPLETIONS = (
    select(Turn.number, CompletionRow.side, CompletionRow.text)
    .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
    .where(col(Turn.battle_id) == _OF)
    .order_by(col(Turn.number), col(CompletionRow.attempt))
)


def record_battle_features(session: Session, battle_id: int) -> tuple[str, ...]:
    """The categories of a battle by rule, which are stored with its style on its first vote.

    A battle without a turn has neither.
    """
    stored = session.connection().execute(_STORED, {"battle_id": battle_id}).scalars().all()
    if stored:
        return tuple(name for name in stored if name is not None)
    if (matching := _store_categories(session, battle_id, None)) is None:
        return ()
    _store_style(session, battle_id)
    return matching


def _store(session: Session, battle_id: int) -> None:
    """Store the categories of a battle by rule, but for a language that its file names, and its style if it has none."""
    spoken = session.exec(_categories_of(battle_id).where(BattleCategory.classifier == GIVEN_LANGUAGE)).first()
    has_turns = _store_categories(session, battle_id, spoken) is not None
    if has_turns and session.get(BattleStyle, battle_id) is None:
        _store_style(session, battle_id)


def _store_categories(session: Session, battle_id: int, spoken: str | None) -> tuple[str, ...] | None:
    """The categories of a battle by rule, which are stored; None without a turn."""
    of_set = session.get_one(Battle, battle_id).status == BattleStatus.JUDGED
    turns = session.connection().execute(_PROMPTS, {"battle_id": battle_id}).all()
    prompts = _prompts_of_set(session, battle_id) if of_set else None
    if prompts is None:
        prompts = [prompt for prompt, _ in turns]
    if not prompts:
        return None
    matching = categories(prompts, images=any(has_images for _, has_images in turns), spoken=spoken)
    rows = [
        {"battle_id": battle_id, "category": name, "classifier": VERSION} for name in matching if name != spoken
    ]
    if rows:
        session.connection().execute(insert(BattleCategory), rows)
    return matching


def _categories_of(battle_id: int) -> SelectOfScalar[str]:
    return select(BattleCategory.category).where(BattleCategory.battle_id == battle_id)


def reclassify(session: Session, after: int = 0) -> int | None:
    """Classify the next battles with votes, after the id `after`, by the rules of this version.

    Categories of taggers stay, languages that an imported file named, and the categories of battles whose texts were
    erased. Style counts stay too: seals hold a hash of them. Returns the last classified id, or None at the end, when
    the caller must compute the pair counts again.
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
    by_rule = and_(
        ~col(BattleCategory.category).endswith(SUFFIX), col(BattleCategory.classifier) != GIVEN_LANGUAGE
    )
    session.execute(delete(BattleCategory).where(col(BattleCategory.battle_id).in_(ids), by_rule))
    for battle_id in ids:
        _store(session, battle_id)
    return ids[-1]


def prompts_of_battles(session: Session, battle_ids: Sequence[int]) -> dict[int, list[str]]:
    """The user turns of battles by id, as `prompts_of_battle` gives them; at most as many as a statement may name."""
    prompts: dict[int, list[str]] = {}
    turns = (
        select(Turn.battle_id, Turn.prompt).where(col(Turn.battle_id).in_(battle_ids)).order_by(col(Turn.number))
    )
    for battle, prompt in session.exec(turns):
        prompts.setdefault(battle, []).append(prompt)
    judged = (
        select(JudgedBattle.battle_id, Prompt.messages)
        .join(Prompt, col(JudgedBattle.prompt_id) == col(Prompt.id))
        .where(col(JudgedBattle.battle_id).in_(battle_ids))
    )
    for battle, messages in session.exec(judged):
        prompts[battle] = _user_turns(messages)
    return prompts


def _user_turns(messages: str) -> list[str]:
    return [str(message["content"]) for message in json.loads(messages) if message["role"] == "user"]


def prompts_of_battle(session: Session, battle_id: int) -> list[str]:
    """The user turns of a battle, including those of a prompt set before the judged ones."""
    prompts = _prompts_of_set(session, battle_id)
    if prompts is None:
        prompts = [prompt for prompt, _ in session.connection().execute(_PROMPTS, {"battle_id": battle_id})]
    return prompts


def _prompts_of_set(session: Session, battle_id: int) -> list[str] | None:
    """The user turns of a prompt of a set; None for a battle without one."""
    messages = session.exec(
        select(Prompt.messages)
        .join(JudgedBattle, col(JudgedBattle.prompt_id) == col(Prompt.id))
        .where(JudgedBattle.battle_id == battle_id)
    ).one_or_none()
    return None if messages is None else _user_turns(messages)


def _completions(session: Session, battle_id: int) -> dict[Side, str]:
    """The completions of each side in all turns, joined; the last attempt of each turn."""
    rows = session.connection().execute(_COMPLETIONS, {"battle_id": battle_id})
    last = {(side, number): text for number, side, text in rows}
    return {side: "\n\n".join(text for (wrote, _), text in last.items() if wrote == side) for side in SIDES}


def _store_style(session: Session, battle_id: int) -> None:
    texts = _completions(session, battle_id)
    features = ratings.style_counts([texts[side] for side in SIDES])
    counts = {
        f"{name}_{side}": int(values[place])
        for name, values in features.items()
        for place, side in enumerate(SIDES)
    }
    session.connection().execute(insert(BattleStyle), {"battle_id": battle_id, **counts})
