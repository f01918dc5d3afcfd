"""Tables of what visitors use. They hold no address: its hash has a salt that is deleted after a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class UsageEvent(SQLModel, table=True):
    """One action that a limit counts; deleted after a day."""

    __tablename__ = "usage_event"
    __table_args__ = (
        Index("usage_event_subject", "subject", "action", "created_at"),
        Index("usage_event_age", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(max_length=64)  # the hash of a voter or of an address, or the arena
    action: str = Field(max_length=10)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class UsageDay(SQLModel, table=True):
    """What the turns of a day (UTC) cost, those that still run with the most that they may cost."""

    __tablename__ = "usage_day"
    day: str = Field(primary_key=True, max_length=10)
    tokens: int = Field(default=0, sa_type=BigInteger)
    usd: float = 0.0


class AddressSalt(SQLModel, table=True):
    """The salt of the hashes of addresses on one day (UTC); deleted once no limit counts that day any more."""

    __tablename__ = "address_salt"
    day: str = Field(primary_key=True, max_length=10)
    salt: str = Field(max_length=64)


class CookieKey(SQLModel, table=True):
    """One row: the key that signs the cookies of voters, the same for every replica."""

    __tablename__ = "cookie_key"
    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str = Field(max_length=64)
