"""Rows as a table on the terminal, alike in every command that changes a running arena; as records where none fits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from arena.cli.terminal import Console

EMPTY = "–"
LONGEST_COLUMN = 24  # characters of sentences on a line, below which they are better read as a record


def print_rows(rows: Sequence[Mapping[str, Any]], title: str, whole: Collection[str] = ()) -> None:
    """Print rows under their names, or the title alone where there are none. Columns of numbers are on the right.

    Nothing is cut off: sentences go on in the next line, and where the words of a row do not fit side by side, each row
    is a record: its first value, and below it the others that are not empty, with their names. Columns that are `whole`
    have names that are typed into another command, which are not broken.
    """
    console = Console()
    if not rows:
        console.print(Text(title))
        return
    table = _table(rows, title, whole)
    if Measurement.get(console, console.options.update(max_width=10_000), table).minimum <= console.width:
        console.print(table)
        return
    console.print(Text(title, style="italic"))
    for row in rows:
        (name, first), *others = row.items()
        console.print(Text(f"{name} {first}" if isinstance(first, int) else cell(first), style="bold"))
        shown = [_field(name, value) for name, value in others if value is not None and value != ""]
        console.print(Padding(Text("\n").join(_lines(shown, console.width - 2)), (0, 0, 0, 2)))


def _table(rows: Sequence[Mapping[str, Any]], title: str, whole: Collection[str]) -> Table:
    table = Table(title=title)
    for name in rows[0]:
        numbers = any(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)
        longest = max(len(cell(row[name])) for row in rows)
        table.add_column(
            name.replace("_", " "),
            justify="right" if numbers else "left",
            no_wrap=name in whole,
            overflow="fold",
            min_width=min(longest, LONGEST_COLUMN),
        )
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row.values()))
    return table


def _field(name: str, value: object) -> Text:
    return Text.assemble((name.replace("_", " "), "dim"), " ", cell(value))


def _lines(fields: Sequence[Text], width: int) -> list[Text]:
    """The fields of a record in lines, as many in each as fit."""
    lines: list[Text] = []
    for field in fields:
        if lines and lines[-1].cell_len + field.cell_len + 3 <= width:
            lines[-1] = Text(" · ").join([lines[-1], field])
        else:
            lines.append(field)
    return lines


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
