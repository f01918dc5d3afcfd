"""Tables of images that voters attach to prompts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class ImageRow(SQLModel, table=True):
    """An image of a voter, encoded by this arena. One that no turn uses is deleted after a day."""

    __tablename__ = "image"
    __table_args__ = (Index("image_voter", "voter"),)
    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True, max_length=40)
    voter: str = Field(max_length=64)
    media_type: str = Field(max_length=40)
    width: int
    height: int
    size: int  # bytes
    data: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class TurnImage(SQLModel, table=True):
    """An image of a prompt, in its place from 1. Another battle with the same prompt uses the same image."""

    __tablename__ = "turn_image"
    __table_args__ = (Index("turn_image_image", "image_id"),)
    turn_id: int = Field(foreign_key="turn.id", primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    image_id: int = Field(foreign_key="image.id")
