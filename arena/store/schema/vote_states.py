"""Tables of the states of votes: which do not count now, everything that changed it, and what voters say against it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class VoteStateEvent(SQLModel, table=True):
    """Append-only: a decision that gave a number of votes one state for one reason."""

    __tablename__ = "vote_state_event"
    __table_args__ = (
        Index("vote_state_event_boards", "changes_boards", "id"),
        Index("vote_state_event_age", "set_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    state: str = Field(max_length=12)  # see arena/rules/vote_states.py
    reason: str = Field(max_length=40)  # of a release the one for which the votes were held
    detail: str = Field(default="", sa_type=Text)  # for operators: what the check found, or why votes are released
    check_version: str = Field(default="", max_length=40)
    set_by: str = Field(max_length=120)  # a check or a person
    votes: int
    changes_boards: bool = Field(sa_type=Boolean)  # not where votes are held in the transaction that casts them
    set_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class VoteStateChange(SQLModel, table=True):
    """Append-only: the votes of an event."""

    __tablename__ = "vote_state_change"
    __table_args__ = (Index("vote_state_change_vote", "vote_id"),)
    event_id: int = Field(
        foreign_key="vote_state_event.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    vote_id: int = Field(foreign_key="vote.id", primary_key=True, sa_column_kwargs={"autoincrement": False})


class VoteHold(SQLModel, table=True):
    """A vote that does not count now. State and reason are those of its newest event."""

    __tablename__ = "vote_hold"
    __table_args__ = (Index("vote_hold_reason", "state", "reason"),)
    vote_id: int = Field(foreign_key="vote.id", primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: str = Field(max_length=12)
    reason: str = Field(max_length=40)
    event_id: int = Field(foreign_key="vote_state_event.id", index=True)


class Appeal(SQLModel, table=True):
    """What a voter says against the state of a vote of theirs: one for each event that holds the vote."""

    __tablename__ = "appeal"
    __table_args__ = (UniqueConstraint("vote_id", "event_id"), Index("appeal_open", "decided_at", "id"))
    id: int | None = Field(default=None, primary_key=True)
    vote_id: int = Field(foreign_key="vote.id")
    event_id: int = Field(foreign_key="vote_state_event.id")
    text: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    decision: str | None = Field(default=None, max_length=10)  # release or keep
    why: str | None = Field(default=None, sa_type=Text)
    decided_by: str | None = Field(default=None, max_length=120)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
