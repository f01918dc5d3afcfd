"""Columns of numbers that are checked once, where they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judges.errors import BadRow, LengthMismatch, NoVerdicts

Floats = NDArray[np.float64]


def floats(name: str, values: Sequence[float] | Floats) -> Floats:
    """(rows,) finite numbers. Raises NoVerdicts for none, BadRow with the row of one that is not finite."""
    column = np.asarray(values, dtype=np.float64)
    if not column.size:
        raise NoVerdicts(f"{name}: no rows; there is nothing to score")
    wrong = ~np.isfinite(column)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadRow(f"row {row}: {name} {column[row]} is not a finite number")
    return column


def same_length(**columns: Sequence[Any] | Floats) -> None:
    """Raises LengthMismatch unless all columns are equally long."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise LengthMismatch(f"{told}; expected as many values in each")


def field(record: Mapping[str, Any], row: int, *names: str) -> Any:
    """The value under the first of `names` that the record has. Raises BadRow naming the row."""
    for name in names:
        if name in record:
            return record[name]
    raise BadRow(f"row {row}: no {' or '.join(names)}; it has: {', '.join(record) or 'nothing'}")


def text(record: Mapping[str, Any], row: int, *names: str) -> str:
    """The text under the first of `names`. Raises BadRow naming the row when it is no text."""
    value = field(record, row, *names)
    if not isinstance(value, str):
        raise BadRow(f"row {row}: {names[0]} is {value!r}; expected text")
    return value
