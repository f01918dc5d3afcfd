"""Rows as CSV text, the same for every command, page and API."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

RFC_4180 = "\r\n"  # the line ending of text/csv replies of the API; commands and downloads end lines as Unix does


def csv_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), *, line_ending: str = "\n") -> str:
    """The rows under a header; without `columns` the header has every name in order of first appearance.

    A table without columns is empty.

    >>> csv_table([{"model": "amber", "votes": 3}])
    'model,votes\\namber,3\\n'
    """
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator=line_ending)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
