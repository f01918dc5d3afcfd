"""Tables of the review queue: the battles in it, who has which to review, and the reviews. A review is never deleted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class AssignmentStatus(StrEnum):
    OPEN = "open"  # its reviewer has it, until `expires_at`
    REVIEWED = "reviewed"
    SKIPPED = "skipped"
    RETURNED = "returned"  # it expired, or its reviewer undid the one before; others may get the battle


class QueuedBattle(SQLModel, table=True):
    """A battle that `wanted` reviewers are to see. The largest `disagreement` is dealt first."""

    __tablename__ = "review_queue"
    battle_id: int = Field(foreign_key="battle.id", primary_key=True, sa_column_kwargs={"autoincrement": False})
    cause: str = Field(max_length=20)
    disagreement: float
    wanted: int
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    added_by: str = Field(max_length=120)


class ReviewAssignment(SQLModel, table=True):
    """A battle in the hands of a reviewer: one for each, whatever becomes of it."""

    __tablename__ = "review_assignment"
    __table_args__ = (
        UniqueConstraint("battle_id", "account_id"),
        Index("review_assignment_account", "account_id", "status"),
    )
    id: int | None = Field(default=None, primary_key=True)
    battle_id: int = Field(foreign_key="battle.id")
    account_id: int = Field(foreign_key="account.id")
    swapped: bool  # the reviewer sees the left side of the battle on the right
    status: str = Field(default=AssignmentStatus.OPEN.value, max_length=10)
    skip_reason: str | None = Field(default=None, max_length=20)
    assigned_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Review(SQLModel, table=True):
    """What a reviewer chose, in the sides of the battle. Append-only: an undone review stays with the time of that."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("winner in ('model_a', 'model_b', 'tie', 'both_bad')", name="review_winner"),
        Index(
            "review_current",
            "assignment_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("review_battle", "battle_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="review_assignment.id")
    battle_id: int = Field(foreign_key="battle.id")
    account_id: int = Field(foreign_key="account.id")
    winner: str = Field(max_length=10)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
