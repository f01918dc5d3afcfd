"""Conversations of battles as they are published, with categories and style."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from arena.rules.votes import OVERALL, SIDES
from arena.store.hidden_battles import hidden_among
from arena.store.judgeable_battles import conversations
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, BattleStatus, Turn
from arena.store.schema.judging import JudgedBattle, Prompt, PromptCompletion, VerdictRow
from ratings import STYLE_FEATURES

Message = Mapping[str, str]


@dataclass(frozen=True)
class BattleContent:
    """The content of a battle. `open`: its texts may be published, since its voter shares it or it is a judge's."""

    open: bool
    judged: bool
    pair_probability: float
    categories: tuple[str, ...]
    prompt: str  # all user turns, joined
    turns: int
    conversation_a: tuple[Message, ...]
    conversation_b: tuple[Message, ...]
    style: Mapping[str, int] = field(default_factory=dict)  # length_a, …; empty if it is not stored


def battle_contents(
    session: Session, battles: Sequence[int], *, show_judged: bool = True
) -> dict[int, BattleContent]:
    """The contents of a page of battles, by id.

    `show_judged`: the texts of judges' battles are open.
    """
    turns = conversations(session, battles)
    judged_prompts = _judged_prompts(session, battles)
    categories = _categories(session, battles)
    styles = {row.battle_id: row for row in session.exec(_of(BattleStyle, battles))}
    hidden = hidden_among(session, list(battles))
    by_id = {}
    for battle in session.exec(select(Battle).where(col(Battle.id).in_(battles))):
        number = battle.id or 0
        prompts, a, b = _conversations(turns.get(number, []), judged_prompts.get(number))
        own = () if battle.category == OVERALL else (battle.category,)
        judged = battle.status == BattleStatus.JUDGED
        by_id[number] = BattleContent(
            open=(show_judged if judged else battle.shared) and number not in hidden,
            judged=judged,
            pair_probability=battle.pair_probability,
            categories=tuple(dict.fromkeys((*own, *sorted(categories[number])))),
            prompt="\n".join(prompts),
            turns=len(prompts),
            conversation_a=a,
            conversation_b=b,
            style=_style(styles.get(number)),
        )
    return by_id


def user_prompts(session: Session, battles: Sequence[int]) -> dict[int, str]:
    """The user turns of each battle as in `BattleContent.prompt`, by id, without reading completions."""
    prompts: dict[int, list[str]] = defaultdict(list)
    turns = select(Turn.battle_id, Turn.prompt).where(col(Turn.battle_id).in_(battles))
    for number, prompt in session.exec(turns.order_by(col(Turn.battle_id), col(Turn.number))):
        prompts[number].append(prompt)
    judged = (
        select(JudgedBattle.battle_id, Prompt.messages)
        .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id))
        .where(col(JudgedBattle.battle_id).in_(battles))
    )
    for number, messages in session.exec(judged):
        prompts[number] = [
            str(message["content"]) for message in json.loads(messages) if message["role"] == "user"
        ]
    return {number: "\n".join(prompts[number]) for number in battles}


def suggested_prompts_of(session: Session, battles: Sequence[int]) -> dict[int, str]:
    """The first prompt of those of the battles that began with one that the page suggests, by id."""
    first = (
        select(Turn.battle_id, Turn.prompt)
        .join(Battle, col(Battle.id) == col(Turn.battle_id))
        .where(col(Turn.battle_id).in_(battles), Turn.number == 1, col(Battle.suggested))
    )
    return dict(session.exec(first).all())


def reasons(session: Session, votes: Sequence[int]) -> dict[int, tuple[str, float]]:
    """The reason of each judge's vote and its preference for the left model, by vote id."""
    rows = session.exec(select(VerdictRow).where(col(VerdictRow.vote_id).in_(votes)))
    return {row.vote_id: (row.reason, row.preference) for row in rows}


def _of(table: Any, battles: Sequence[int]) -> Any:
    return select(table).where(col(table.battle_id).in_(battles))


def _categories(session: Session, battles: Sequence[int]) -> dict[int, list[str]]:
    by_battle: dict[int, list[str]] = defaultdict(list)
    for row in session.exec(_of(BattleCategory, battles)):
        by_battle[row.battle_id].append(row.category)
    return by_battle


def _style(row: BattleStyle | None) -> dict[str, int]:
    if row is None:
        return {}
    return {f"{name}_{side}": getattr(row, f"{name}_{side}") for name in STYLE_FEATURES for side in SIDES}


Judged = tuple[list[Message], tuple[str, ...], tuple[str, ...]]


def _judged_prompts(session: Session, battles: Sequence[int]) -> dict[int, Judged]:
    """The messages of the prompt of each judged battle, and the completions of both sides before the last."""
    query = (
        select(JudgedBattle, Prompt.messages)
        .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id))
        .where(col(JudgedBattle.battle_id).in_(battles))
    )
    rows = session.exec(query).all()
    wrote = select(PromptCompletion.prompt_id, PromptCompletion.model_id, PromptCompletion.earlier).where(
        col(PromptCompletion.prompt_id).in_({row.prompt_id for row, _ in rows})
    )
    earlier = {(prompt, model): tuple(json.loads(text)) for prompt, model, text in session.exec(wrote)}
    return {
        row.battle_id: (
            json.loads(messages),
            earlier.get((row.prompt_id, row.model_a_id), ()),
            earlier.get((row.prompt_id, row.model_b_id), ()),
        )
        for row, messages in rows
    }


Conversation = tuple[Message, ...]


def _conversations(
    turns: Sequence[tuple[str, str, str]], judged: Judged | None
) -> tuple[list[str], Conversation, Conversation]:
    """The user turns, and both conversations."""
    if judged is None or not turns:
        prompts = [prompt for prompt, _, _ in turns]
        return prompts, _joined(prompts, [a for _, a, _ in turns]), _joined(prompts, [b for _, _, b in turns])
    messages, earlier_a, earlier_b = judged
    _, last_a, last_b = turns[-1]
    start = len(messages)
    while start > 0 and messages[start - 1]["role"] == "user":
        start -= 1
    head = tuple(messages[:start])
    last_prompts = [str(message["content"]) for message in messages[start:]]
    prompts = [str(message["content"]) for message in messages if message["role"] == "user"]
    return (
        prompts,
        head + _joined(last_prompts, [*earlier_a, last_a]),
        head + _joined(last_prompts, [*earlier_b, last_b]),
    )


def _joined(prompts: Sequence[str], completions: Sequence[str]) -> Conversation:
    """Prompts and completions in alternation; a prompt without its own completion stands alone."""
    gap = len(prompts) - len(completions)
    padded = [None] * max(gap, 0) + list(completions)
    conversation: list[Message] = []
    for prompt, completion in zip(prompts, padded, strict=False):
        conversation.append({"role": "user", "content": prompt})
        if completion is not None:
            conversation.append({"role": "assistant", "content": completion})
    return tuple(conversation)
