"""Columns of any kind as integer codes, and the labels that the codes stand for.

Lists, numpy, pandas, polars and Arrow are read through their own methods, so that none of them is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.data import compiled
from ratings.data.tables import is_table
from ratings.errors import LengthMismatch, RatingsError

Column = Any  # a list, numpy array, pandas or polars Series, Arrow array: whatever `column_codes` reads
Codes = NDArray[Any]  # signed integers; -1 marks a missing value

# Integers below this are codes as they stand; higher ones are looked up, lest the table of pairs explode.
DENSE = 1024
TEXTS = 1 << 13
NO_COLUMN = (str, bytes, bytearray, Mapping, Set)  # iterating them gives letters, keys, or no order


def column_codes(column: Column, name: str) -> tuple[Codes, Sequence[object]]:
    """The codes (rows,) of a column and their labels, in any order; a missing value has code -1.

    A label that no row has, such as an unused category, is not among them. `name` is the column's name in errors.
    Raises RatingsError for what is no column, or holds what cannot be hashed.
    """
    numbers = integers(column)
    if numbers is not None:
        return _integers(numbers)
    if is_table(column):
        raise RatingsError(
            f"{name} is a table ({type(column).__name__}). Give one of its columns, or the table alone."
        )
    kind = type(column).__module__.partition(".")[0]
    if kind == "pandas":
        return _pandas(column, name)
    if kind == "pyarrow":
        return _arrow(column, name)
    if kind == "polars":
        return _polars(column, name)
    if isinstance(column, np.ndarray):
        return _numpy(column, name)
    if isinstance(column, NO_COLUMN) or not isinstance(column, Iterable):
        raise RatingsError(f"{name} is of type {type(column).__name__}. Give a column with one value per battle.")
    return _objects(column if isinstance(column, list) else list(column), name)


def integers(column: Column) -> Codes | None:
    """The column as an array (rows,) where it holds integers and none is missing; None for any other column."""
    kind = type(column).__module__.partition(".")[0]
    if kind == "pandas":
        return integers(column.to_numpy()) if isinstance(getattr(column, "dtype", None), np.dtype) else None
    if kind == "polars":
        plain = hasattr(column, "null_count") and hasattr(column, "dtype")  # a Series
        return column.to_numpy() if plain and column.dtype.is_integer() and not column.null_count() else None
    if isinstance(column, np.ma.MaskedArray):
        return None if np.ma.is_masked(column) else integers(column.data)
    plain = isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype.kind in "iu"
    return column if plain else None


def is_missing(label: object) -> bool:
    """Whether a label is None, NaN, pandas' NA or the empty string, which is an empty field of a CSV file."""
    if label is None or isinstance(label, str):
        return not label
    return type(label).__name__ in {"NAType", "NaTType"} or bool(label != label)  # NaN is not itself


def same_length(**columns: NDArray[Any]) -> None:
    """Raise LengthMismatch unless all columns have equally many rows."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        rows = ", ".join(f"{name} has {length} rows" for name, length in lengths.items())
        raise LengthMismatch(f"columns differ in length: {rows}. Give one value per battle in each.")


def _objects(values: list[object], name: str) -> tuple[Codes, Sequence[object]]:
    """The codes (rows,) and labels of a list, by the loop in C where it can read all values."""
    if compiled.LOOPS is not None:
        seen: dict[object, int] = {}
        codes = np.empty(len(values), np.int32)
        if compiled.LOOPS.codes(values, seen, codes):
            return codes, list(seen)
    try:
        indices = {label: code for code, label in enumerate(dict.fromkeys(values))}
    except TypeError as problem:  # a list or a dict, which cannot be looked up
        row = next(row for row, value in enumerate(values) if not _can_be_looked_up(value))
        raise RatingsError(f"row {row}: {name} is {values[row]!r}. Expected a text or a number.") from problem
    codes = np.fromiter(map(indices.__getitem__, values), np.int32, len(values))
    return codes, [label.item() if isinstance(label, np.generic) else label for label in indices]


def _can_be_looked_up(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _numpy(values: NDArray[Any], name: str) -> tuple[Codes, Sequence[object]]:
    if values.ndim != 1:
        raise RatingsError(f"{name} has {values.ndim} dimensions. Give a column with one value per battle.")
    if values.dtype.kind in "UT":
        return _texts(values, name)
    return _objects(values.tolist(), name)


def _integers(values: Codes) -> tuple[Codes, Sequence[object]]:
    """Integers as their own codes where all are small; otherwise their indices among the distinct ones."""
    if not values.size:
        return values, ()
    # Seen as unsigned, a negative number is a high one: one pass finds both ends.
    high = int(values.view(f"u{values.dtype.itemsize}").max())
    if high < DENSE:
        return values, range(high + 1)
    labels, codes = np.unique(values, return_inverse=True)
    return codes, labels.tolist()


def _texts(values: NDArray[Any], name: str) -> tuple[Codes, Sequence[object]]:
    """The codes and labels of a numpy text array, block by block: five million objects at once take 500 MB."""
    indices: dict[object, int] = {}
    codes = np.empty(len(values), np.int32)
    for start in range(0, len(values), TEXTS):
        part, labels = _objects(values[start : start + TEXTS].tolist(), name)
        lookup = np.array([indices.setdefault(label, len(indices)) for label in labels], np.int32)
        codes[start : start + TEXTS] = lookup[part]
    return codes, list(indices)


def _pandas(column: Column, name: str) -> tuple[Codes, Sequence[object]]:
    if hasattr(column, "cat"):
        column = column.cat
    if hasattr(column, "categories"):
        return _used(np.asarray(column.codes), column.categories.tolist())
    values: Any = getattr(column, "array", column)  # of a Series or an Index
    if getattr(values.dtype, "storage", "") == "pyarrow" or hasattr(values.dtype, "pyarrow_dtype"):
        return _arrow(values.__arrow_array__(), name)  # codes of half the size in half the time
    if values.dtype == object or getattr(values.dtype, "storage", "") == "python":
        return _objects(values.to_numpy().tolist(), name)
    codes, labels = column.factorize()
    return codes, labels.tolist()


def _arrow(column: Column, name: str) -> tuple[Codes, Sequence[object]]:
    try:
        coded = column.dictionary_encode()
        if hasattr(coded, "combine_chunks"):
            coded = coded.unify_dictionaries().combine_chunks()
    except (
        NotImplementedError,
        ValueError,
    ):  # Arrow codes no lists, no texts by view, no two dictionaries with nulls
        return _objects(column.to_pylist(), name)
    if hasattr(coded, "chunks"):  # an empty or still chunked array
        coded = coded.chunk(0)
    indices = coded.indices.fill_null(-1) if coded.indices.null_count else coded.indices
    return _used(indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist())


def _polars(column: Column, name: str) -> tuple[Codes, Sequence[object]]:
    if column.dtype.is_nested() or column.dtype.is_object():
        return _objects(column.to_list(), name)
    labels = column.unique()
    indices = labels.to_frame(name).with_row_index("code")
    codes = column.to_frame(name).join(indices, on=name, how="left", nulls_equal=True, maintain_order="left")
    return codes["code"].to_numpy().astype(np.int32), labels.to_list()


def _used(codes: Codes, labels: list[object]) -> tuple[Codes, Sequence[object]]:
    """The codes and labels of a dictionary, without the labels that no row has, each label once."""
    present = np.zeros(len(labels) + 1, np.bool_)
    present[codes] = True  # the code of a missing value, -1, marks the last
    kept = [label for label, here in zip(labels, present.tolist(), strict=False) if here]
    indices: dict[object, int] = {}
    for label in kept:
        indices.setdefault(label, len(indices))
    if len(indices) == len(labels):
        return codes, labels
    lookup = np.full(len(labels) + 1, -1, np.int32)
    lookup[:-1][present[:-1]] = [indices[label] for label in kept]
    return lookup[codes], list(indices)
