"""Tables of the ledger: the seals, and the key behind the voters' pseudonyms."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class SealRow(SQLModel, table=True):
    """Append-only: one batch of votes, chained to the batch before."""

    __tablename__ = "seal"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    previous: str = Field(max_length=64)
    first_vote: int
    last_vote: int
    votes: int
    root: str = Field(max_length=64)
    filter: str = Field(max_length=40)
    boards: str  # JSON, as it was hashed
    columns: str | None = None  # JSON, as it was hashed; seals before 0.3 have none
    set_aside: str | None = None  # JSON, as it was hashed; None where nothing is set aside
    sealed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    sha256: str = Field(unique=True, max_length=64)


class LedgerKey(SQLModel, table=True):
    """One row: the secret that turns voters into pseudonyms. Without it old seals cannot be reproduced."""

    __tablename__ = "ledger_key"
    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str = Field(max_length=64)
