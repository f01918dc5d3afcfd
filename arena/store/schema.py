"""Every table of this version, those that others refer to first."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from arena.store import (  # noqa: F401  (fill the metadata)
    benchmark_tables,
    explanations,
    judging_tables,
    ledger_tables,
    tables,
    trait_tables,
)

METADATA = SQLModel.metadata


def all_tables() -> list[Table]:
    return METADATA.sorted_tables
