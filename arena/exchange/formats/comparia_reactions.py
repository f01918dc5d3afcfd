"""The reactions of compar:IA: marks of one message of one side, which together make a vote on a turn.

Columns: `conversation_pair_id, msg_rank, model_pos` (a or b), `liked, disliked`, further marks, and those of the votes. A
turn's vote is compar:IA's own rule: a side is good with positive marks alone, bad with negative ones alone; good against
not good wins, as does not bad against bad. Source: ministere-culture/comparia-reactions, and
utils/database/actions/backfill_choices_from_reactions.py of github.com/betagouv/ComparIA.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from arena.exchange.formats.battle_columns import BadBattlesFile, BattlesFile, Collector, Columns, is_true, records
from arena.exchange.formats.comparia_votes import common_fields, reason_to_skip

POSITIVE = ("liked", "useful", "complete", "creative", "clear_formatting")
NEGATIVE = ("disliked", "incorrect", "superficial", "instructions_not_followed")
NO_PREFERENCE = "reactions that prefer neither side"
Turn = tuple[str, str]
# The winner by what the marks of A and of B say; None prefers neither.
WINNERS = {
    ("good", "good"): "tie", ("bad", "bad"): "both_bad", ("mixed", "mixed"): None,
    ("good", "mixed"): "model_a", ("good", "bad"): "model_a", ("mixed", "bad"): "model_a",
    ("mixed", "good"): "model_b", ("bad", "good"): "model_b", ("bad", "mixed"): "model_b",
}  # fmt: skip


def reads(names: Collection[str]) -> bool:
    """Whether the columns have these names."""
    return {"conversation_pair_id", "msg_rank", "liked", "disliked", "model_a_name", "model_b_name"} <= set(names)


def read(columns: Columns) -> BattlesFile:
    """One battle for each turn with a preference. Raises BadBattlesFile for a reaction that names no side."""
    battles = Collector()
    turns: dict[Turn, list[tuple[int, dict[str, Any]]]] = {}
    for number, row in enumerate(records(columns)):
        if reason := reason_to_skip(row):
            battles.skip(reason)
        else:
            turn = str(row["conversation_pair_id"]), str(row["msg_rank"])
            turns.setdefault(turn, []).append((number, row))
    for (pair, rank), reactions in turns.items():
        marks: dict[str, set[str]] = {"a": set(), "b": set()}
        for number, row in reactions:
            marks[_side(number, row)] |= {name for name in (*POSITIVE, *NEGATIVE) if is_true(row.get(name))}
        winner = WINNERS[_opinion(marks["a"]), _opinion(marks["b"])]
        number, row = reactions[-1]
        if winner is None:
            battles.skip(NO_PREFERENCE)
        else:
            battles.add(number, {"id": f"{pair}:{rank}", "winner": winner, **common_fields(row)})
    return battles.file()


def _side(number: int, row: Mapping[str, Any]) -> str:
    if row.get("model_pos") in ("a", "b"):
        return str(row["model_pos"])
    for side in "ab":
        if row.get("refers_to_model") == row[f"model_{side}_name"]:
            return side
    raise BadBattlesFile(
        f"row {number}: model_pos is {row.get('model_pos')!r}, and refers_to_model neither model. Write a or b."
    )


def _opinion(marks: set[str]) -> str:
    positive, negative = not marks.isdisjoint(POSITIVE), not marks.isdisjoint(NEGATIVE)
    return "mixed" if positive == negative else ("good" if positive else "bad")
