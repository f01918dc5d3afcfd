"""FastChat's conversation logs: JSON lines, of which those of the votes are battles.

A vote has `tstamp`, `type` (leftvote, rightvote, tievote, bothbad_vote), `models` (empty or "Model A" while they are
anonymous), `states` (two, each with `conv_id`, `model_name`, `messages` as [role, text] and the `offset` of the first) and
`ip`. Source: fastchat/serve/gradio_block_arena_anony.py and fastchat/serve/monitor/clean_battle_data.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from arena.exchange.formats.battle_columns import (
    NOT_BLIND,
    SAME_MODEL,
    BadBattlesFile,
    BattlesFile,
    Collector,
    Columns,
    given,
    records,
)
from arena.exchange.formats.winners import MEANING

VOTES = ("leftvote", "rightvote", "tievote", "bothbad_vote")
ANONYMOUS = ({"", "Model A"}, {"", "Model B"})  # what the page shows before the vote


def reads(names: Collection[str]) -> bool:
    """Whether the columns have these names."""
    return {"type", "states", "models"} <= set(names)


def read(columns: Columns) -> BattlesFile:
    """The blind votes, the first on each conversation. Raises BadBattlesFile for a vote without its two states."""
    battles, seen = Collector(), set()
    for number, row in enumerate(records(columns)):
        if row["type"] not in VOTES:
            battles.skip("not a vote")
            continue
        try:
            battle, reason = _battle(row), _reason(row)
        except (LookupError, TypeError, AttributeError, ValueError) as problem:
            raise BadBattlesFile(
                f"row {number}: not a vote of FastChat's log ({type(problem).__name__}: {problem}). Remove the line."
            ) from problem
        if reason is None and battle["question_id"] is not None and battle["question_id"] in seen:
            reason = "a further vote on the same conversation"
        if reason is not None:
            battles.skip(reason)
            continue
        seen.add(battle["question_id"])
        battles.add(number, battle)
    return battles.file()


def _reason(row: Mapping[str, Any]) -> str | None:
    """Why a vote does not count, or None."""
    shown = [str(name or "").strip() for name in row["models"]]
    if not all(name in allowed for name, allowed in zip(shown, ANONYMOUS, strict=True)):
        return NOT_BLIND
    names = [state.get("model_name") for state in row["states"]]
    if not all(names):
        return "no names of models"
    return SAME_MODEL if names[0] == names[1] else None


def _battle(row: Mapping[str, Any]) -> dict[str, object]:
    left, right = row["states"]
    return {
        "question_id": None if given(left["conv_id"]) is None else str(left["conv_id"]),
        "model_a": left.get("model_name"),
        "model_b": right.get("model_name"),
        "winner": MEANING[row["type"]],
        "voter": row.get("ip"),
        "tstamp": row.get("tstamp"),
        "conversation_a": _conversation(left),
        "conversation_b": _conversation(right),
    }


def _conversation(state: Mapping[str, Any]) -> list[dict[str, str]]:
    messages: Sequence[Sequence[Any]] = state["messages"][int(state.get("offset") or 0) :]
    return [
        {"role": ("user", "assistant")[place % 2], "content": _text(message[1])}
        for place, message in enumerate(messages)
    ]


def _text(content: object) -> str:
    """The text of a message; one with images is a list whose first element is the text."""
    if isinstance(content, list | tuple):
        content = content[0] if content else ""
    return "" if content is None else str(content)
