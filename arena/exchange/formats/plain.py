"""Files that have one battle a row, with the models in `model_a` and `model_b`, or in `left` and `right`.

Sources: lmsys/chatbot_arena_conversations, lmsys/mt_bench_human_judgments, lmarena-ai/arena-human-preference-100k and
-140k, lmarena-ai/webdev-arena-preference-10k, and the battles that FastChat's `clean_battle_data.py` writes.
"""

from __future__ import annotations

from collections.abc import Callable

from arena.exchange.formats.battle_columns import (
    CONTROL,
    NEEDED,
    NOT_BLIND,
    BadBattlesFile,
    BattlesFile,
    Columns,
    given,
    is_true,
)
from arena.exchange.formats.winners import winner_of

# a column, what its values say of rows that are not read, and whether a value is that of a battle
RULES: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
    ("anony", NOT_BLIND, lambda blind: given(blind) is None or is_true(blind)),
    ("control", CONTROL, lambda kind: given(kind) is None),
)
SIDES = {"left": "model_a", "right": "model_b"}


def read(columns: Columns) -> BattlesFile:
    """The battles of the rows. Raises BadBattlesFile for a missing column, or a winner that is no text."""
    has = ", ".join(columns) or "none"
    if "model_a" not in columns and SIDES.keys() <= columns.keys():
        columns = {SIDES.get(name, name): column for name, column in columns.items()}
    if missing := [name for name in NEEDED if name not in columns]:
        need = ", ".join(NEEDED)
        raise BadBattlesFile(f"no column {' or '.join(missing)}. Rename the columns to {need}; they are: {has}")
    rows: list[int] = list(range(len(columns["winner"])))
    skipped = {}
    for name, reason, is_kept in RULES:
        kept = [place for place, value in enumerate(columns.get(name, ())) if is_kept(value)]
        if name in columns and (left_out := len(rows) - len(kept)):
            columns = {name: [column[place] for place in kept] for name, column in columns.items()}
            rows = [rows[place] for place in kept]
            skipped[reason] = left_out
    for row, winner in zip(rows, columns["winner"], strict=True):
        if not isinstance(winner, str) and given(winner) is not None:
            raise BadBattlesFile(_unreadable(row, winner))
    return BattlesFile({**columns, "winner": list(map(winner_of, columns["winner"]))}, rows, skipped)


def _unreadable(row: int, winner: object) -> str:
    if isinstance(winner, bool | int | float):
        return (
            f"row {row}: winner is {winner}, and numbers mean A in some files and B in others. "
            f"Write model_a, model_b, tie or both_bad."
        )
    return f"row {row}: winner {winner!r} is of type {type(winner).__name__}. Write model_a, model_b, tie or both_bad."
