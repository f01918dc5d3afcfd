"""Table of the rules for texts that an operator has saved on the page `/admin/moderation`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class TextRules(SQLModel, table=True):
    """Append-only: the newest row replaces the rules of arena.toml. `rules` is TOML; an empty text takes those back."""

    __tablename__ = "text_rules"
    id: int | None = Field(default=None, primary_key=True)
    rules: str = Field(default="", sa_type=Text)
    saved_by: str = Field(max_length=120)
    saved_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
