"""Battles as columns: what every format becomes, and what is read from a file besides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.errors import InputError

Columns = dict[str, list[object]]
NEEDED = ("model_a", "model_b", "winner")
NOT_BLIND = "the models were named before the vote"
CONTROL = "control battles, which measure voters and not models"
SAME_MODEL = "both sides are the same model"


class BadBattlesFile(InputError):
    """A file that no battles can be read from; the message names the file, the row and what helps."""


@dataclass(frozen=True)
class BattlesFile:
    """The battles of a file as columns. `rows` are their numbers in the file, `skipped` counts rows that are none.

    `names_the_source` is false for a format that does not say whether people or a judge chose.
    """

    columns: Columns
    rows: Sequence[int]
    skipped: Mapping[str, int] = field(default_factory=dict)
    names_the_source: bool = True

    @property
    def note(self) -> str:
        """What was skipped and why, or an empty text."""
        parts = [f"{number:,} rows: {reason}" for reason, number in self.skipped.items()]
        return f"skipped {'; '.join(parts)}" if parts else ""

    def in_file(self, message: str) -> str:
        """A message about a row of the columns with the number that this row has in the file."""
        return re.sub(r"\brow (\d+)", lambda found: f"row {self.rows[int(found[1])]}", message, count=1)


class Collector:
    """Battles collected row by row."""

    def __init__(self) -> None:
        self._battles: list[Mapping[str, object]] = []
        self._rows: list[int] = []
        self._skipped: Counter[str] = Counter()

    def add(self, row: int, battle: Mapping[str, object]) -> None:
        """Add the battle of a row."""
        self._battles.append(battle)
        self._rows.append(row)

    def skip(self, reason: str) -> None:
        """Count a row that is no battle."""
        self._skipped[reason] += 1

    def file(self, *, names_the_source: bool = True) -> BattlesFile:
        """The battles as columns; a battle without a field has None in it."""
        names = dict.fromkeys((*NEEDED, *(name for battle in self._battles for name in battle)))
        columns = {name: [battle.get(name) for battle in self._battles] for name in names}
        return BattlesFile(columns, self._rows, dict(self._skipped), names_the_source)


def given(value: Any) -> Any:
    """The value, or None for an empty field: None, NaN or a text without characters."""
    return None if value is None or value == "" or value != value else value  # NaN is not itself


def is_true(value: object) -> bool:
    """Whether a field is true, as a boolean, a number or a text."""
    return value is True or str(value).strip().lower() in {"true", "1", "1.0", "yes"}


def records(columns: Columns) -> Iterable[dict[str, Any]]:
    """The rows of columns, one dict each."""
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))
