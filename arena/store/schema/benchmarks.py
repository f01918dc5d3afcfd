"""Tables of benchmark runs and of the outcome of each sample, all reproducible from the reply cache."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from arena.store.schema.battles import UtcDateTime, now


class BenchmarkRun(SQLModel, table=True):
    """One task taken by one model in one way; the same way again replaces it, unless its replies are older."""

    __tablename__ = "benchmark_run"
    __table_args__ = (UniqueConstraint("model_id", "design"),)
    id: int | None = Field(default=None, primary_key=True)
    model_id: int = Field(foreign_key="model.id")
    task: str = Field(max_length=120, index=True)
    dimension: str = Field(max_length=60)
    settings: str  # digest of all that makes two models' runs comparable: task, samples, few-shot examples
    config_hash: str = Field(
        max_length=64, sa_column_kwargs={"name": "design"}
    )  # of settings, request type and model
    request_type: str = Field(max_length=20, sa_column_kwargs={"name": "rung"})
    options: str = "{}"  # JSON: shots, seed, limit, compat, subjects
    metric: str = Field(max_length=60)
    value: float | None = None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    worst: float | None = None
    best: float | None = None
    scored: int = 0
    unparsed: int = 0
    failed: int = 0
    metrics: str = "{}"  # JSON: {name: value}
    subjects: str = "{}"  # JSON: {subject: {value, samples}}
    seconds: float | None = None
    cost: float | None = None
    replies_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when its newest reply came, if known
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class BenchmarkOutcome(SQLModel, table=True):
    """One sample of a run, as people read it and as comparisons need it."""

    __tablename__ = "benchmark_outcome"
    __table_args__ = (UniqueConstraint("run_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="benchmark_run.id", index=True)
    number: int
    sample: str = Field(max_length=200)
    subject: str = Field(default="", max_length=120)
    cluster: str = Field(default="", max_length=200)
    status: str = Field(max_length=10)
    metrics: str = "{}"  # JSON
    prompt: str = ""  # what was asked, without the solved examples
    target: str = ""
    answer: str = ""  # what was read
    reply: str = ""  # what was written, where it was
    reason: str = ""  # why there is no score
