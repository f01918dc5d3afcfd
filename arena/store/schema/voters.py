"""Tables of identities: which voter a session belongs to, and the recovery codes. They hold hashes only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class VoterSession(SQLModel, table=True):
    """A session that does not belong to the voter whose id is its own hash.

    A recovery code gave it to another voter; or it has ended, and `voter` is null. Every other session has no row.
    """

    __tablename__ = "voter_session"
    session: str = Field(primary_key=True, max_length=64)  # a hash of the session's own hash
    voter: str | None = Field(default=None, max_length=64, index=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class RecoveryCode(SQLModel, table=True):
    """The active recovery code of a voter, as its hash."""

    __tablename__ = "recovery_code"
    voter: str = Field(primary_key=True, max_length=64)
    code: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
