"""Every table of this version, those that others refer to first."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from arena.store import explanations  # noqa: F401  (fills the metadata, as the next line does)
from arena.store.schema import (  # noqa: F401
    battle_features,
    battles,
    benchmarks,
    images,
    judging,
    ledger,
    usage,
    voters,
)

METADATA = SQLModel.metadata


def all_tables() -> list[Table]:
    return METADATA.sorted_tables
