"""Tables of checks: of visitors before a battle, and of the texts of a battle."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class VisitorPass(SQLModel, table=True):
    """The battles that a visitor may still begin after a challenge. `checked`: whether the challenge could be checked."""

    __tablename__ = "visitor_pass"
    voter: str = Field(primary_key=True, max_length=64)
    battles_left: int
    checked: bool = True
    until: datetime = Field(sa_type=UtcDateTime)
    granted_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SpentChallenge(SQLModel, table=True):
    """A challenge whose answer was used; it is kept until it would expire."""

    __tablename__ = "spent_challenge"
    __table_args__ = (Index("spent_challenge_until", "until"),)
    salt: str = Field(primary_key=True, max_length=64)
    until: datetime = Field(sa_type=UtcDateTime)


class TextCheck(SQLModel, table=True):
    """The last check of a text: a prompt, or the completion of a side in one attempt. It holds scores and no words."""

    __tablename__ = "text_check"
    __table_args__ = (
        Index("text_check_battle", "battle_id"),
        UniqueConstraint("turn_id", "side", "attempt"),
    )
    id: int | None = Field(default=None, primary_key=True)
    battle_id: int = Field(foreign_key="battle.id")
    turn_id: int = Field(foreign_key="turn.id")
    side: str = Field(max_length=10)  # prompt, a or b
    attempt: int = 1
    action: str | None = Field(default=None, max_length=10)  # off, log, warn, block; null: could not be checked
    categories: str = Field(default="{}", sa_type=Text)  # JSON: the score of each category
    flagged: str = Field(default="[]", sa_type=Text)  # JSON: the categories that reached their thresholds
    failure: str | None = Field(default=None, max_length=500)  # why it could not be checked
    backend: str = Field(default="", max_length=200)
    version: str = Field(default="", max_length=40)  # hash of backend and settings
    checked_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
