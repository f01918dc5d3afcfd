"""Types of the columns of a table without types (CSV): numbers where every value is one, as in lm-evaluation-harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def typed(docs: Sequence[Mapping[str, Any]], path: str) -> list[dict[str, Any]]:
    """The rows as they are, or with whole columns as numbers if they come from a table of texts."""
    if not path.endswith(TABLES) or not docs:
        return [dict(doc) for doc in docs]
    columns = {name: _column([doc[name] for doc in docs]) for name in docs[0]}
    return [{name: values[number] for name, values in columns.items()} for number in range(len(docs))]


def _column(values: Sequence[Any]) -> list[Any]:
    kinds: tuple[Callable[[str], Any], ...] = (int, float)
    for kind in kinds:
        try:
            return [kind(value) for value in values]
        except (TypeError, ValueError):
            continue
    return list(values)
