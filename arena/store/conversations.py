"""Battles behind votes as they are published: the whole conversation of each side, and what is known about it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from arena.rules.votes import OVERALL, SIDES
from arena.store.judgeable_battles import conversations
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, BattleStatus, Turn
from arena.store.schema.judging import JudgedBattle, Prompt, PromptCompletion, VerdictRow
from ratings import STYLE_FEATURES

Message = Mapping[str, str]


@dataclass(frozen=True)
class Behind:
    """What stands behind a vote. `open`: its texts may be published, for the voter agreed or it is a judge's."""

    open: bool
    judged: bool
    pair_probability: float
    categories: tuple[str, ...]
    prompt: str  # all that the user said
    turns: int
    conversation_a: tuple[Message, ...]
    conversation_b: tuple[Message, ...]
    style: Mapping[str, int] = field(default_factory=dict)  # length_a, …; empty where it is not known


def behind(session: Session, battles: Sequence[int], *, show_judged: bool = True) -> dict[int, Behind]:
    """By battle id; call it with a page of them, not with all.

    `show_judged`: the texts of judges' battles are open.
    """
    turns = conversations(session, battles)
    before = _before(session, battles)
    named = _categories(session, battles)
    styles = {row.battle_id: row for row in session.exec(_of(BattleStyle, battles))}
    found = {}
    for battle in session.exec(select(Battle).where(col(Battle.id).in_(battles))):
        number = battle.id or 0
        said, a, b = _talks(turns.get(number, []), before.get(number))
        own = () if battle.category == OVERALL else (battle.category,)
        judged = battle.status == BattleStatus.JUDGED
        found[number] = Behind(
            open=show_judged if judged else battle.shared,
            judged=judged,
            pair_probability=battle.pair_probability,
            categories=tuple(dict.fromkeys((*own, *sorted(named[number])))),
            prompt="\n".join(said),
            turns=len(said),
            conversation_a=a,
            conversation_b=b,
            style=_style(styles.get(number)),
        )
    return found


def prompts_said(session: Session, battles: Sequence[int]) -> dict[int, str]:
    """By battle id all that the user said, as `Behind.prompt` has it, without reading what models wrote."""
    said: dict[int, list[str]] = defaultdict(list)
    turns = select(Turn.battle_id, Turn.prompt).where(col(Turn.battle_id).in_(battles))
    for number, prompt in session.exec(turns.order_by(col(Turn.battle_id), col(Turn.number))):
        said[number].append(prompt)
    judged = (
        select(JudgedBattle.battle_id, Prompt.messages)
        .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id))
        .where(col(JudgedBattle.battle_id).in_(battles))
    )
    for number, messages in session.exec(judged):
        said[number] = [str(one["content"]) for one in json.loads(messages) if one["role"] == "user"]
    return {number: "\n".join(said[number]) for number in battles}


def reasons(session: Session, votes: Sequence[int]) -> dict[int, tuple[str, float]]:
    """By vote id: what a judge said, and its preference for the left model."""
    rows = session.exec(select(VerdictRow).where(col(VerdictRow.vote_id).in_(votes)))
    return {row.vote_id: (row.reason, row.preference) for row in rows}


def _of(table: Any, battles: Sequence[int]) -> Any:
    return select(table).where(col(table.battle_id).in_(battles))


def _categories(session: Session, battles: Sequence[int]) -> dict[int, list[str]]:
    named: dict[int, list[str]] = defaultdict(list)
    for row in session.exec(_of(BattleCategory, battles)):
        named[row.battle_id].append(row.category)
    return named


def _style(row: BattleStyle | None) -> dict[str, int]:
    if row is None:
        return {}
    return {f"{name}_{side}": getattr(row, f"{name}_{side}") for name in STYLE_FEATURES for side in SIDES}


Judged = tuple[list[Message], tuple[str, ...], tuple[str, ...]]


def _before(session: Session, battles: Sequence[int]) -> dict[int, Judged]:
    """For judged battles the prompt's messages, and what each side wrote in turns before the last."""
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


Talk = tuple[Message, ...]


def _talks(turns: Sequence[tuple[str, str, str]], judged: Judged | None) -> tuple[list[str], Talk, Talk]:
    """What the user said, and both conversations with the completions in their places."""
    if judged is None or not turns:
        said = [prompt for prompt, _, _ in turns]
        return said, _woven(said, [a for _, a, _ in turns]), _woven(said, [b for _, _, b in turns])
    messages, earlier_a, earlier_b = judged
    _, last_a, last_b = turns[-1]
    start = len(messages)
    while start > 0 and messages[start - 1]["role"] == "user":
        start -= 1
    head = tuple(messages[:start])
    asked = [str(message["content"]) for message in messages[start:]]
    said = [str(message["content"]) for message in messages if message["role"] == "user"]
    return said, head + _woven(asked, [*earlier_a, last_a]), head + _woven(asked, [*earlier_b, last_b])


def _woven(prompts: Sequence[str], completions: Sequence[str]) -> Talk:
    """Prompts and completions in turn; a prompt that was not answered apart stands alone."""
    gap = len(prompts) - len(completions)
    answers = [None] * max(gap, 0) + list(completions)
    talk: list[Message] = []
    for prompt, answer in zip(prompts, answers, strict=False):
        talk.append({"role": "user", "content": prompt})
        if answer is not None:
            talk.append({"role": "assistant", "content": answer})
    return tuple(talk)
