"""Battles with one column for each outcome, as in Kaggle's "LMSYS – Chatbot Arena Human Preference Predictions".

Columns: `id, model_a, model_b, prompt, response_a, response_b, winner_model_a, winner_model_b, winner_tie`. `prompt`
and the responses are JSON lists with a text for each turn, or plain texts. Source: lmsys/lmsys-arena-human-preference-55k.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from arena.config.given_files import json_value
from arena.exchange.formats.battle_columns import (
    BadBattlesFile,
    BattlesFile,
    Collector,
    Columns,
    given,
    is_true,
    records,
)

OUTCOMES = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie",
            "winner_both_bad": "both_bad", "winner_tie (bothbad)": "both_bad"}  # fmt: skip
FLAGS = {"0", "1", "0.0", "1.0", "true", "false"}
TEXTS = ("prompt", "response_a", "response_b", *OUTCOMES)


def reads(names: Collection[str]) -> bool:
    """Whether the columns have these names."""
    return "winner" not in names and {"winner_model_a", "winner_model_b"} <= set(names)


def read(columns: Columns) -> BattlesFile:
    """The battles. Raises BadBattlesFile for a row in which not exactly one outcome is marked."""
    battles = Collector()
    for number, row in enumerate(records(columns)):
        battle = {name: value for name, value in row.items() if name not in TEXTS}
        battles.add(number, {**battle, "winner": _winner(number, row), **_conversations(row)})
    return battles.file()


def _winner(number: int, row: Mapping[str, Any]) -> str:
    flags = {name: row[name] for name in OUTCOMES if name in row}
    if wrong := [name for name, flag in flags.items() if str(flag).strip().lower() not in FLAGS]:
        raise BadBattlesFile(f"row {number}: {wrong[0]} is {flags[wrong[0]]!r}. Write 0 or 1.")
    marked = [OUTCOMES[name] for name, flag in flags.items() if is_true(flag)]
    if len(marked) != 1:
        raise BadBattlesFile(f"row {number}: {len(marked)} of {', '.join(flags)} are 1. Mark exactly one.")
    return marked[0]


def _conversations(row: Mapping[str, Any]) -> dict[str, object]:
    """The conversation of each side, where the row has texts."""
    if given(row.get("prompt")) is None or given(row.get("response_a")) is None:
        return {}
    prompts = _texts(row["prompt"])
    return {f"conversation_{side}": _turns(prompts, _texts(row.get(f"response_{side}"))) for side in "ab"}


def _texts(value: object) -> list[str]:
    """The texts of a field: a list, a JSON list, or one text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(json.JSONDecodeError):  # a text may begin with a bracket
            value = json_value(value)
    if isinstance(value, list | tuple):
        return ["" if text is None else str(text) for text in value]
    return [] if value is None else [str(value)]


def _turns(prompts: list[str], responses: list[str]) -> list[dict[str, str]]:
    responses = responses + [""] * (len(prompts) - len(responses))
    return [
        {"role": role, "content": text}
        for turn in zip(prompts, responses, strict=False)
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
