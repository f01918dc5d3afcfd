"""Tables of what operators set for models, of every change to it, and of endpoints that rest after failures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class ModelSetting(SQLModel, table=True):
    """What an operator has set for a model of the settings file; None is what the file says.

    The row of a private model stays after its release: the number of private variants is published.
    """

    __tablename__ = "model_state"
    name: str = Field(primary_key=True, max_length=120)
    state: str | None = Field(default=None, max_length=10)  # enabled, paused or retired
    reason: str = Field(default="", sa_type=Text)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    by: str = Field(default="", max_length=120)
    weight: float | None = None
    boost_votes: int | None = None
    code: str | None = Field(default=None, max_length=120, unique=True)  # of a private model, in its votes
    organisation: str | None = Field(default=None, max_length=120)  # of a private model
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ModelChange(SQLModel, table=True):
    """Append-only: what was changed, by whom and why. A change of no single model has an empty name."""

    __tablename__ = "model_state_change"
    __table_args__ = (Index("model_state_change_name", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(default="", max_length=120)
    action: str = Field(max_length=10)
    value: float | None = None  # the weight, or the votes of a boost
    reason: str = Field(default="", sa_type=Text)
    by: str = Field(max_length=120)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class ModelOutage(SQLModel, table=True):
    """A model that a server has paused because its endpoint keeps failing."""

    __tablename__ = "model_outage"
    name: str = Field(primary_key=True, max_length=120)
    server: str = Field(primary_key=True, max_length=40)
    reason: str = Field(default="", sa_type=Text)
    since: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    tries: int = 0  # that have failed since
    next_try: datetime = Field(default_factory=now, sa_type=UtcDateTime)
