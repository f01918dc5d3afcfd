"""Tables of prompt sets, completions written for them, and what judges said. Votes stay in `vote`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from arena.rules.votes import OVERALL
from arena.store.schema.battles import UtcDateTime, now


class PromptSet(SQLModel, table=True):
    """Prompts that were imported together; the digest tells whether a later import brings the same."""

    __tablename__ = "prompt_set"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=120)
    source: str
    sha256: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Prompt(SQLModel, table=True):
    """A conversation that ends with a user's turn. Several user turns in a row are answered one by one."""

    __tablename__ = "prompt"
    __table_args__ = (UniqueConstraint("set_id", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    set_id: int = Field(foreign_key="prompt_set.id")
    key: str = Field(max_length=200)
    number: int  # its place in the set
    messages: str  # JSON: [{"role", "content"}]
    category: str = Field(default=OVERALL, max_length=60)
    checklist: str = "[]"  # JSON: [text]
    reference: str | None = None
    extra: str = "{}"  # JSON: what its format had besides


class PromptCompletion(SQLModel, table=True):
    """What one model wrote for one prompt. There is one: a second one would change verdicts after the fact."""

    __tablename__ = "prompt_completion"
    __table_args__ = (UniqueConstraint("prompt_id", "model_id"),)
    id: int | None = Field(default=None, primary_key=True)
    prompt_id: int = Field(foreign_key="prompt.id")
    model_id: int = Field(foreign_key="model.id")
    text: str
    earlier: str = "[]"  # JSON: the model's own words in the turns before
    finish_reason: str | None = Field(default=None, max_length=40)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class JudgedBattle(SQLModel, table=True):
    """The battle of two models over a prompt of a set: one, whichever judges vote on it."""

    __tablename__ = "judged_battle"
    __table_args__ = (UniqueConstraint("prompt_id", "model_a_id", "model_b_id"),)
    battle_id: int = Field(foreign_key="battle.id", primary_key=True)
    prompt_id: int = Field(foreign_key="prompt.id")
    model_a_id: int = Field(foreign_key="model.id")
    model_b_id: int = Field(foreign_key="model.id")


class VerdictRow(SQLModel, table=True):
    """What a judge's vote says beyond its winner."""

    __tablename__ = "verdict"
    vote_id: int = Field(foreign_key="vote.id", primary_key=True)
    preference: float  # for model_a, in [0, 1]
    strength: int
    orders: str = ""  # the winners of both orders, comma-separated, if both were judged
    reason: str = ""
    criteria: str = Field(
        default="", sa_column_kwargs={"server_default": ""}
    )  # JSON, of a rubric's (`store.criteria`)
    config_hash: str = Field(
        max_length=64, sa_column_kwargs={"name": "design"}
    )  # of the judge run's configuration


class ScoreRow(SQLModel, table=True):
    """A judge's score of one completion."""

    __tablename__ = "score"
    __table_args__ = (UniqueConstraint("completion_id", "source"),)
    id: int | None = Field(default=None, primary_key=True)
    completion_id: int = Field(foreign_key="prompt_completion.id")
    source: str = Field(max_length=120)
    score: float
    turns: str = Field(default="", sa_column_kwargs={"server_default": ""})  # of each turn, comma-separated
    reason: str = ""
    criteria: str = Field(default="", sa_column_kwargs={"server_default": ""})  # JSON, of a rubric's
    config_hash: str = Field(max_length=64, sa_column_kwargs={"name": "design"})
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
