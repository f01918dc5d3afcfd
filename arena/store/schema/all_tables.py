"""Every table of this version, those that others refer to first."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

METADATA = SQLModel.metadata


def all_tables() -> list[Table]:
    return METADATA.sorted_tables
