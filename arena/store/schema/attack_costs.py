"""The table of what an attack cost on a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class AttackCostDay(SQLModel, table=True):
    """The votes, accounts and hours that moved a model by a place on a day (UTC), as JSON."""

    __tablename__ = "attack_cost_day"
    day: str = Field(primary_key=True, max_length=10)
    document: str = Field(sa_type=Text)
    measured_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
