"""Columns of numbers and fields of stored records, validated on input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judges.errors import BadRow, LengthMismatch, NoVerdicts

Floats = NDArray[np.float64]


def floats(name: str, values: Sequence[float] | Floats) -> Floats:
    """(rows,) finite numbers. Raises NoVerdicts for none, BadRow with the row of one that is not finite."""
    try:
        column = np.asarray(values, dtype=np.float64)
    except (OverflowError, TypeError, ValueError) as problem:
        raise BadRow(f"{name} has a value that is no number ({problem}). Correct or remove the row.") from problem
    if not column.size:
        raise NoVerdicts(f"{name} has no rows. Give at least one.")
    wrong = ~np.isfinite(column)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadRow(f"row {row}: {name} {column[row]} is not a finite number. Correct or remove the row.")
    return column


def same_length(**columns: Sequence[Any] | Floats) -> None:
    """Nothing if all columns have the same length. Raises LengthMismatch otherwise."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        description = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise LengthMismatch(f"{description}. Expected columns of the same length.")


def field(record: Mapping[str, Any], row: int, *names: str) -> Any:
    """The value under the first of `names` that the record has. Raises BadRow naming the row."""
    for name in names:
        if name in record:
            return record[name]
    raise BadRow(f"row {row}: no {' or '.join(names)}. Its fields are: {', '.join(record) or 'none'}.")


def text(record: Mapping[str, Any], row: int, *names: str) -> str:
    """The text under the first of `names`. Raises BadRow naming the row when it is not text."""
    value = field(record, row, *names)
    if not isinstance(value, str):
        raise BadRow(f"row {row}: {names[0]} is {value!r}. Expected text.")
    return value
