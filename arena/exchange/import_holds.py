"""The votes that another arena holds: its export lists them, and an import holds them from their first moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from arena.exchange.files import SET_ASIDE, read_rows
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.rules.vote_states import HELD, VoteState
from arena.store.vote_holds import LONGEST, NewHold


class HeldElsewhere:
    """Holds by the number that a vote has in its export."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], by: str) -> None:
        self._spans = sorted(
            ((int(first), int(last), str(row["kind"]), str(row["name"]))
             for row in rows if row["kind"] in HELD for first, last in row["spans"]),
        )  # fmt: skip
        self._starts = [first for first, *_ in self._spans]
        self._by = by[: LONGEST["by"]]

    def hold_of(self, row: Mapping[str, Any]) -> NewHold | None:
        """The hold of a row of the export, or None if its vote counts there."""
        number = row.get("vote")
        if not self._spans or not isinstance(number, int | float | str) or not str(number).isdigit():
            return None
        place = bisect_right(self._starts, int(number)) - 1
        if place < 0 or int(number) > self._spans[place][1]:
            return None
        _, _, state, reason = self._spans[place]
        return NewHold(VoteState(state), reason[: LONGEST["reason"]], self._by)


def held_elsewhere(battles: Path, name: str) -> HeldElsewhere:
    """The holds that the export of a file of battles lists beside it. Raises `BadBattlesFile`."""
    path = battles.parent / SET_ASIDE
    try:
        return HeldElsewhere(read_rows(path) if path.is_file() else (), f"import {name}")
    except (LookupError, TypeError, ValueError) as problem:
        raise BadBattlesFile(f"{path}: a row is invalid: {repr(problem)[:200]}. Export again.") from problem
