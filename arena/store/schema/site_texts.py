"""Tables of the texts that an operator changes on the pages `/admin/prompts` and `/admin/terms`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class SiteText(SQLModel, table=True):
    """Append-only: versions of a text in a language. The newest is in force; without `text` it takes the file's back."""

    __tablename__ = "site_text"
    __table_args__ = (UniqueConstraint("name", "language", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=20)  # prompts, or the name of a page
    language: str = Field(max_length=20)
    number: int  # from 1, of this text in this language
    text: str | None = Field(default=None, sa_type=Text)  # Markdown of a page; JSON of prompts by category
    action: str = Field(max_length=20)  # save, restore, or what was done with a prompt
    reason: str = Field(sa_type=Text)
    saved_by: str = Field(max_length=120)
    saved_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SuggestedOnce(SQLModel, table=True):
    """A prompt that an operator has ever suggested, also a retired one: votes on it stay votes on a known text."""

    __tablename__ = "suggested_once"
    sha256: str = Field(primary_key=True, max_length=64)  # of the folded text
