"""The seals of an export, each against itself and the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from arena.rules.seals import GENESIS, Seal

SEAL_KEYS = frozenset(field.name for field in fields(Seal)) | {"sha256"}
Row = Mapping[str, Any]


def chain_problems(chain: Sequence[Row]) -> Iterator[str]:
    """Seals that do not have the hash of their content, their place, or a name for the one before, in words."""
    before, last = GENESIS, 0
    for place, row in enumerate(chain, 1):
        name = f"seal {row['number']}"
        if type(row["number"]) is not int or row["number"] != place:
            yield f"{name}: stands where seal {place} should be"
        if unknown := sorted(row.keys() - SEAL_KEYS):
            yield f"{name}: has {', '.join(unknown)}, which no seal has"
        made = Seal(**{key: row[key] for key in row if key in SEAL_KEYS - {"sha256"}}).sha256
        if made != row["sha256"]:
            yield f"{name}: its content (filter, votes, boards or time) does not give its hash"
        if row["previous"] != before:
            yield f"{name}: does not follow the seal before it (previous is {row['previous'][:12]}…)"
        span = row["first_vote"], row["last_vote"]
        if span[0] <= last or (not row["votes"] and span != (last + 1, last)):
            yield f"{name}: votes {span[0]} to {span[1]} do not follow vote {last}, the last one before"
        before, last = row["sha256"], row["last_vote"]
