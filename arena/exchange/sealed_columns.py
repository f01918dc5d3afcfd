"""Hashes of published columns that no leaf has, made for a seal and again for its verification.

A column is here if its values are fixed with the vote. Texts may have to be removed, and categories, languages and
marks of repeated prompts change with their rules, so that no seal can hold them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from arena.rules.seals import canonical
from arena.store.sealed_columns import STYLE

GROUPS: Mapping[str, tuple[str, ...]] = {
    "pair_probability": ("pair_probability",),
    "preference": ("preference",),
    "prompt_cluster": ("prompt_cluster",),
    "style": STYLE,
}


class ColumnHashes:
    """SHA-256 over the lines `[vote, value, …]` of each group, in canonical JSON."""

    def __init__(self) -> None:
        self._hashes = {name: hashlib.sha256() for name in GROUPS}

    def add(self, row: Mapping[str, Any]) -> None:
        for name, columns in GROUPS.items():
            values = [row.get(column) for column in columns]
            self._hashes[name].update(canonical([row["vote"], *values]) + b"\n")

    def to_dict(self) -> dict[str, str]:
        return {name: made.hexdigest() for name, made in self._hashes.items()}


def column_hashes(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The hash of each group of columns over the rows of a seal."""
    hashes = ColumnHashes()
    for row in rows:
        hashes.add(row)
    return hashes.to_dict()
