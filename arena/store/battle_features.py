"""Battle features: categories by rule and style, stored in the transaction of the first vote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

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
_TURN_PROMPTS = select(Turn.prompt).where(col(Turn.battle_id) == _OF).order_by(col(Turn.number))
_TEXTS = (  # a row for each completion, or one for a turn without any
    select(  # type: ignore[call-overload]
        Turn.number,
        Turn.prompt,
        exists().where(col(TurnImage.turn_id) == col(Turn.id)).label("has_images"),
        CompletionRow.side,
        CompletionRow.text,
    )
    .outerjoin(CompletionRow, col(CompletionRow.turn_id) == col(Turn.id))
    .where(col(Turn.battle_id) == _OF)
    .order_by(col(Turn.number), col(CompletionRow.attempt))
)
_INSERT_CATEGORIES, _INSERT_STYLE = insert(BattleCategory), insert(BattleStyle)


class Features(NamedTuple):
    """The categories of a battle by rule, and the rows that are still to be stored: statements with their parameters."""

    categories: tuple[str, ...]
    rows: tuple[tuple[Any, Any], ...] = ()

    def store(self, session: Session) -> None:
        for statement, values in self.rows:
            session.connection().execute(statement, values)


def battle_features(session: Session, battle_id: int) -> Features:
    """The categories of a battle by rule, which its first vote stores with its style.

    A battle without a turn has neither.
    """
    stored = session.connection().execute(_STORED, {"battle_id": battle_id}).scalars().all()
    if stored:
        return Features(tuple(name for name in stored if name is not None))
    texts = _texts(session, battle_id)
    if (found := _categorised(session, battle_id, None, texts)) is None:
        return Features(())
    return Features(found.categories, (*found.rows, _style_row(battle_id, texts)))


def _store(session: Session, battle_id: int) -> None:
    """Store the categories of a battle by rule, but for a language that its file names, and its style if it has none."""
    spoken = session.exec(_categories_of(battle_id).where(BattleCategory.classifier == GIVEN_LANGUAGE)).first()
    texts = _texts(session, battle_id)
    if (found := _categorised(session, battle_id, spoken, texts)) is None:
        return
    found.store(session)
    if session.get(BattleStyle, battle_id) is None:
        Features((), (_style_row(battle_id, texts),)).store(session)


def _categorised(session: Session, battle_id: int, spoken: str | None, texts: Sequence[Any]) -> Features | None:
    """The categories of a battle by rule, not stored yet; None without a turn."""
    of_set = session.get_one(Battle, battle_id).status == BattleStatus.JUDGED
    prompts = _prompts_of_set(session, battle_id) if of_set else None
    turns = {row.number: row for row in texts}
    if prompts is None:
        prompts = [row.prompt for row in turns.values()]
    if not prompts:
        return None
    matching = categories(prompts, images=any(row.has_images for row in turns.values()), spoken=spoken)
    rows = [
        {"battle_id": battle_id, "category": name, "classifier": VERSION} for name in matching if name != spoken
    ]
    return Features(matching, ((_INSERT_CATEGORIES, rows),) if rows else ())


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
        prompts = list(session.connection().execute(_TURN_PROMPTS, {"battle_id": battle_id}).scalars())
    return prompts


def _prompts_of_set(session: Session, battle_id: int) -> list[str] | None:
    """The user turns of a prompt of a set; None for a battle without one."""
    messages = session.exec(
        select(Prompt.messages)
        .join(JudgedBattle, col(JudgedBattle.prompt_id) == col(Prompt.id))
        .where(JudgedBattle.battle_id == battle_id)
    ).one_or_none()
    return None if messages is None else _user_turns(messages)


def _texts(session: Session, battle_id: int) -> Sequence[Any]:
    """(number, prompt, has_images, side, text) of each completion of a battle, with the prompt of its turn."""
    return session.connection().execute(_TEXTS, {"battle_id": battle_id}).all()


def _style_row(battle_id: int, texts: Sequence[Any]) -> tuple[Any, Any]:
    """What stores the style of the completions of each side in all turns, joined; the last attempt of each turn."""
    last: dict[tuple[Side, int], str] = {(row.side, row.number): row.text for row in texts if row.side is not None}
    joined = ["\n\n".join(text for (wrote, _), text in last.items() if wrote == side) for side in SIDES]
    counts = {
        f"{name}_{side}": int(values[place])
        for name, values in ratings.style_counts(joined).items()
        for place, side in enumerate(SIDES)
    }
    return _INSERT_STYLE, {"battle_id": battle_id, **counts}
