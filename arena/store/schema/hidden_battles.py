"""The table of battles that an operator hides from readers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class HiddenBattle(SQLModel, table=True):
    """A battle that no reader sees, whatever its voter has agreed to. Its vote counts as before."""

    __tablename__ = "hidden_battle"
    battle_id: int = Field(foreign_key="battle.id", primary_key=True, sa_column_kwargs={"autoincrement": False})
    reason: str = Field(sa_type=Text)
    hidden_by: str = Field(max_length=120)
    hidden_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
