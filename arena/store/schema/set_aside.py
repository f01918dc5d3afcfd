"""Tables of votes that do not count: the imports by name, and which judges and imports are set aside, why and by whom."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now

BEFORE_NAMES = "before 0.3"  # the name of all imports of versions that kept none


class VoteImport(SQLModel, table=True):
    """A run of `arena import` that added votes; several runs may have one name."""

    __tablename__ = "vote_import"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SetAside(SQLModel, table=True):
    """Append-only: the votes of a judge or an import from `set_at` until `taken_back_at`, or until further notice."""

    __tablename__ = "set_aside"
    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=10)  # judge or import
    name: str = Field(max_length=120)  # of a judge its source
    votes: int  # that counted until then
    reason: str
    set_by: str = Field(max_length=120)
    set_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    taken_back_reason: str | None = None
    taken_back_by: str | None = Field(default=None, max_length=120)
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
