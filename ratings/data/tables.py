"""Tables of battles (pandas and polars frames, Arrow tables, dicts of columns, lists of dicts), and their columns.

They are read through their own methods, so that none of the packages is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ratings.errors import BadOption, MissingValue

COLUMNS = ("model_a", "model_b", "winner")
FRAMES = {"DataFrame", "LazyFrame", "Table", "RecordBatch"}  # of pandas, polars and pyarrow


def is_table(value: object) -> bool:
    """Whether a value holds several named columns."""
    package = type(value).__module__.partition(".")[0]
    if package in ("pandas", "polars", "pyarrow"):
        return type(value).__name__ in FRAMES
    return isinstance(value, Mapping) or _is_records(value)


def table_columns(table: Any, names: Sequence[str] = COLUMNS) -> list[Any]:
    """The columns of a table by name; other columns are not read.

    Raises BadOption for a column that the table lacks or has twice, MissingValue for a record without one of them.
    """
    if _is_records(table):
        return [_values(table, name) for name in names]
    if hasattr(table, "collect_schema") and hasattr(table, "collect"):  # polars' LazyFrame
        table = table.collect()
    held = [str(name) for name in getattr(table, "column_names", None) or getattr(table, "columns", table)]
    for name in names:
        if held.count(name) != 1:
            many = "no column" if name not in held else "two columns"
            raise BadOption(
                f"the table has {many} {name!r}; its columns are {', '.join(held)}. Rename the columns."
            )
    return [table[name] for name in names]


def _is_records(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _values(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    for row, record in enumerate(records):
        if not isinstance(record, Mapping) or name not in record:
            raise MissingValue(f"row {row}: the battle has no {name}. Give model_a, model_b and winner in each.")
    return [record[name] for record in records]
