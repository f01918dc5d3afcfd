"""Rows as CSV text, the same for every command, page and API.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break as a formula, and texts of models
and voters reach these files. Such a text is written with `'` in front, as spreadsheets themselves do; `cell_text`
takes it off again, so that reading gives what was written. Numbers stay as they are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import Any

RFC_4180 = "\r\n"  # the line ending of text/csv replies of the API; commands and downloads end lines as Unix does

# Excel also reads the full-width signs. Quotes in front are part of the pattern so that escaping can be undone.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|nan)")


def escaped_cell(value: Any) -> Any:
    """The value as a cell that no spreadsheet takes for a formula.

    >>> [escaped_cell(value) for value in ("=1+1", "-3.5", -3.5, "'=1", "a=1")]
    ["'=1+1", '-3.5', -3.5, "''=1", 'a=1']
    """
    is_formula = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value


def cell_text(cell: str) -> str:
    """The text of a cell that `escaped_cell` wrote.

    >>> cell_text("'=1+1"), cell_text("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def csv_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), *, line_ending: str = "\n") -> str:
    """The rows under a header; without `columns` the header has every name in order of first appearance.

    A table without columns is empty.

    >>> csv_table([{"model": "amber", "votes": 3}])
    'model,votes\\namber,3\\n'
    """
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return ""
    text = _Lines()
    writer = csv.writer(text, lineterminator=RFC_4180)
    writer.writerow(map(escaped_cell, names))
    for row in rows:
        if unknown := row.keys() - names:
            raise ValueError(f"The row has columns that the table lacks: {sorted(unknown)}. Name all columns.")
        writer.writerow([escaped_cell(row.get(name, "")) for name in names])
    return "".join(line.removesuffix(RFC_4180) + line_ending for line in text.lines)


class _Lines:
    """Collects the rows of a writer, which quotes a lone CR or LF only if they are part of its line ending."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)
