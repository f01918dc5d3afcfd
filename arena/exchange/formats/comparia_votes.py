"""The votes of compar:IA, the French government's arena: one for a whole conversation.

Columns: `id, timestamp, model_a_name, model_b_name, chosen_model_name, both_equal, opening_msg, conversation_a,
conversation_b, conversation_pair_id, session_hash, visitor_id` and others. Source: ministere-culture/comparia-votes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from arena.exchange.formats.battle_columns import (
    SAME_MODEL,
    BadBattlesFile,
    BattlesFile,
    Collector,
    Columns,
    given,
    is_true,
    records,
)

CHOSEN_MODELS = "the voter had chosen the models"
KEPT = ("timestamp", "conversation_a", "conversation_b", "category", "categories", "language", "languages")
CUSTOM = "custom"  # the mode in which a visitor chooses the models


def reads(names: Collection[str]) -> bool:
    """Whether the columns have these names."""
    return {"model_a_name", "model_b_name", "chosen_model_name"} <= set(names)


def read(columns: Columns) -> BattlesFile:
    """The battles with a choice. Raises BadBattlesFile for a chosen model that is neither of the two."""
    battles = Collector()
    for number, row in enumerate(records(columns)):
        winner = _winner(number, row)
        if (reason := reason_to_skip(row)) or winner is None:
            battles.skip(reason or "no choice")
        else:
            battles.add(number, {"id": row.get("id"), "winner": winner, **common_fields(row)})
    return battles.file()


def reason_to_skip(row: Mapping[str, Any]) -> str | None:
    """Why a row is no battle of two models that were drawn, or None."""
    if given(row["model_a_name"]) is None or given(row["model_b_name"]) is None:
        return "no names of models"
    if row["model_a_name"] == row["model_b_name"]:
        return SAME_MODEL
    return CHOSEN_MODELS if row.get("mode") == CUSTOM else None


def common_fields(row: Mapping[str, Any]) -> dict[str, object]:
    """The fields that votes and reactions share: models, texts, time, and the visitor or else the session as voter."""
    kept: dict[str, object] = {name: row[name] for name in KEPT if name in row}
    voter = given(row.get("visitor_id")) or given(row.get("session_hash"))
    return {**kept, "model_a": row["model_a_name"], "model_b": row["model_b_name"], "voter": voter}


def _winner(number: int, row: Mapping[str, Any]) -> str | None:
    if is_true(row.get("both_equal")):
        return "tie"
    chosen = given(row["chosen_model_name"])
    for side in "ab":
        if chosen is not None and chosen == row[f"model_{side}_name"]:
            return f"model_{side}"
    if chosen is None:
        return None
    names = f"{row['model_a_name']!r} nor {row['model_b_name']!r}"
    raise BadBattlesFile(f"row {number}: chosen_model_name {chosen!r} is neither {names}. Correct the row.")
