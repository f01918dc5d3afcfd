"""Tables of battles. Votes are the truth; pair counts are a running sum of them and can be recomputed."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Dialect,
    Index,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlmodel import Field, SQLModel

from arena.rules.modes import Mode
from arena.rules.votes import OVERALL


class BattleStatus(StrEnum):
    RUNNING = "running"  # completions are being written
    OPEN = "open"  # waits for a vote
    VOTED = "voted"
    FAILED = "failed"  # a model gave no completion; never counted
    ABANDONED = "abandoned"  # closed without a vote: the voter left, or did not come back
    JUDGED = "judged"  # over a prompt of a set: judges vote on it, people do not


class CompletionStatus(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # cut short by a vote, or by the voter
    FAILED = "failed"
    ABANDONED = "abandoned"  # the server stopped midway; the text so far is kept


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database; SQLite itself would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    return datetime.now(UTC)


class Model(SQLModel, table=True):
    """A language model under comparison, known by its name."""

    __tablename__ = "model"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=120)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Battle(SQLModel, table=True):
    """Two models, one conversation each with the same prompts, and at most one vote a source."""

    __tablename__ = "battle"
    __table_args__ = (
        Index("battle_status", "status"),
        # what operators see of a day is read from the index alone
        Index("battle_day", "created_at", "mode", "status", "model_a_id", "model_b_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True, max_length=40)  # the browser knows this one; it says nothing
    voter: str = Field(max_length=64, index=True)  # hash of the browser session
    model_a_id: int = Field(foreign_key="model.id")
    model_b_id: int = Field(foreign_key="model.id")
    pair_probability: float  # with which this pair was drawn, sides aside
    category: str = Field(default=OVERALL, max_length=60)
    shared: bool = False  # its voter agreed that others may read it
    status: str = Field(default=BattleStatus.RUNNING, sa_type=String(20))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    changed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    owner: str | None = Field(default=None, max_length=40)  # the server that ran the last turn
    # in a battle with one model, both ids are its id and side b has no completions
    mode: str = Field(
        default=Mode.BLIND, sa_type=String(10), sa_column_kwargs={"server_default": Mode.BLIND.value}
    )
    suggested: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # a shipped first prompt
    # another server asks the owner to stop the turn
    stop_requested: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # of its texts: null without checks, unchecked, checked, or withheld; votes on unchecked ones wait
    texts: str | None = Field(default=None, max_length=10)
    warned: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # a check of its texts warns
    # its visitor's challenge could not be checked, so votes wait
    visitor_unchecked: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Server(SQLModel, table=True):
    """A server that shares this database with others. Its running turns are closed when `seen_at` stops changing."""

    __tablename__ = "server"
    id: str = Field(primary_key=True, max_length=40)  # random, new with each start
    started_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Turn(SQLModel, table=True):
    """One prompt of a battle."""

    __tablename__ = "turn"
    __table_args__ = (UniqueConstraint("battle_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    battle_id: int = Field(foreign_key="battle.id")
    number: int  # from 1
    prompt: str
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class CompletionRow(SQLModel, table=True):
    """What one side wrote in one turn; a regenerated one has the next attempt's number."""

    __tablename__ = "completion"
    __table_args__ = (UniqueConstraint("turn_id", "side", "attempt"),)
    id: int | None = Field(default=None, primary_key=True)
    turn_id: int = Field(foreign_key="turn.id")
    side: str = Field(max_length=1)  # a or b
    attempt: int = 1
    text: str = ""
    status: str = Field(default=CompletionStatus.RUNNING, sa_type=String(20))
    finish_reason: str | None = Field(default=None, max_length=40)
    failure: str | None = Field(default=None, max_length=40)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_seconds: float | None = None
    seconds: float | None = None
    leaked: bool = False  # it named itself, and the name was masked
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Vote(SQLModel, table=True):
    """Append-only. One a battle and source: the constraint, not a disabled button, sees to it."""

    __tablename__ = "vote"
    __table_args__ = (
        UniqueConstraint("battle_id", "source"),
        CheckConstraint("winner in ('model_a', 'model_b', 'tie', 'both_bad')", name="vote_winner"),
        Index("vote_created_at", "created_at", "source"),
    )
    id: int | None = Field(default=None, primary_key=True)
    battle_id: int = Field(foreign_key="battle.id")
    source: str = Field(max_length=120)
    voter: str = Field(max_length=120)
    winner: str = Field(max_length=10)  # model_a, model_b, tie, both_bad
    stopped_early: bool = False  # the vote came before both completions were whole
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    reasons: str | None = Field(default=None, sa_type=Text)  # JSON list of words of arena/rules/vote_reasons.py
    import_id: int | None = None  # the import that added it; those of versions before 0.3 are one


class PendingVote(SQLModel, table=True):
    """A vote that its voter can still undo. It is counted after `due_at`, also by another server."""

    __tablename__ = "pending_vote"
    __table_args__ = (
        Index("pending_vote_due", "due_at"),
        CheckConstraint("winner in ('model_a', 'model_b', 'tie', 'both_bad')", name="pending_vote_winner"),
    )
    battle_id: int = Field(foreign_key="battle.id", primary_key=True, sa_column_kwargs={"autoincrement": False})
    voter: str = Field(max_length=64)
    winner: str = Field(max_length=10)
    reasons: str | None = Field(default=None, sa_type=Text)
    cast_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)


class Report(SQLModel, table=True):
    """A voter's report of a battle to the operator."""

    __tablename__ = "report"
    __table_args__ = (Index("report_battle", "battle_id"),)
    id: int | None = Field(default=None, primary_key=True)
    battle_id: int = Field(foreign_key="battle.id")
    voter: str = Field(max_length=64)
    kind: str = Field(max_length=20)
    text: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class PairCount(SQLModel, table=True):
    """Votes summed by (left model, right model, category, source); `wins` are the left model's."""

    __tablename__ = "pair_count"
    __table_args__ = (Index("pair_count_board", "category", "source"),)  # a board reads one category
    model_a_id: int = Field(foreign_key="model.id", primary_key=True)
    model_b_id: int = Field(foreign_key="model.id", primary_key=True)
    category: str = Field(primary_key=True, max_length=60)
    source: str = Field(primary_key=True, max_length=120)
    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0
