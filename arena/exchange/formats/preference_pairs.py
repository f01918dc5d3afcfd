"""Preference pairs as DPO and reward models are trained on: `prompt, chosen, rejected` with the names of two models.

`chosen` and `rejected` are texts, or lists of messages that begin with the prompt. The names are `chosen_model` and
`rejected_model`, or other spellings of them. Sources: argilla/ultrafeedback-binarized-preferences (`chosen-model`),
ai2-adapt-dev/multipref-human-overall-binarized (`chosen_model`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from arena.exchange.formats.battle_columns import (
    SAME_MODEL,
    BadBattlesFile,
    BattlesFile,
    Collector,
    Columns,
    given,
    records,
)

NAMES = ("{}_model", "{}-model", "{}_model_name", "model_{}", "{}_by", "{}_source")
PROMPTS = ("prompt", "instruction", "question", "input")
DROPPED = ("chosen", "rejected", "source")  # a pair's `source` is where its prompt is from


def reads(names: Collection[str]) -> bool:
    """Whether the columns have these names."""
    return {"chosen", "rejected"} <= set(names) and not {"model_a", "model_b", "winner"} <= set(names)


def read(columns: Columns) -> BattlesFile:
    """The battles, each with its sides in an order that depends on its texts: a file has the chosen side first always.

    Raises BadBattlesFile for pairs without the names of models: nothing can be rated.
    """
    chosen, rejected = _name(columns, "chosen"), _name(columns, "rejected")
    battles = Collector()
    for number, row in enumerate(records(columns)):
        models = given(row[chosen]), given(row[rejected])
        if None in models or models[0] == models[1]:
            battles.skip("no names of models" if None in models else SAME_MODEL)
            continue
        other = {name: value for name, value in row.items() if name not in (*DROPPED, *PROMPTS, chosen, rejected)}
        battles.add(number, {**other, **_sides(row, *models)})
    return battles.file(names_the_source=False)


def _name(columns: Columns, which: str) -> str:
    for name in (pattern.format(which) for pattern in NAMES):
        if name in columns:
            return name
    raise BadBattlesFile(
        f"the pairs do not name the models. Add columns chosen_model and rejected_model; they are: {', '.join(columns)}"
    )


def _sides(row: Mapping[str, Any], chosen: object, rejected: object) -> dict[str, object]:
    prompt = next((row[name] for name in PROMPTS if given(row.get(name)) is not None), None)
    sides = [(chosen, _conversation(prompt, row["chosen"])), (rejected, _conversation(prompt, row["rejected"]))]
    digest = hashlib.sha256(repr(sides).encode("utf-8", "surrogatepass")).digest()
    swapped = digest[0] % 2
    (model_a, talk_a), (model_b, talk_b) = reversed(sides) if swapped else sides
    return {
        "model_a": model_a,
        "model_b": model_b,
        "winner": "model_b" if swapped else "model_a",
        "conversation_a": talk_a,
        "conversation_b": talk_b,
    }


def _conversation(prompt: object, answer: object) -> object:
    if not isinstance(answer, str):
        return answer  # messages, or nothing
    before = prompt if isinstance(prompt, list) else [{"role": "user", "content": str(prompt)}] if prompt else []
    return [*before, {"role": "assistant", "content": answer}] if before else None
