"""Rows as a table on the terminal, alike in every command that changes a running arena."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from arena.cli.terminal import Console

EMPTY = "–"


def print_rows(rows: Sequence[Mapping[str, Any]], title: str, whole: Collection[str] = ()) -> None:
    """Print rows under their names, or the title alone where there are none. Columns of numbers are on the right.

    Columns that are `whole` have names that are typed into another command: they are neither cut off nor broken.
    """
    if not rows:
        Console().print(Text(title))
        return
    table = Table(title=title)
    for name in rows[0]:
        numbers = any(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)
        as_one = name in whole
        table.add_column(
            name.replace("_", " "),
            justify="right" if numbers else "left",
            no_wrap=as_one,
            overflow="fold" if as_one else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row.values()))
    Console().print(table)


def cell(value: object) -> str:
    """A value as text: nothing is a dash, so that an empty cell is not taken for one that was cut off.

    >>> cell(None), cell(""), cell(True), cell(False), cell(1234), cell(0.5), cell("x")
    ('–', '–', 'yes', 'no', '1,234', '0.5', 'x')
    """
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
