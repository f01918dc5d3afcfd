"""Benchmark runs in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from arena.store.schema.battles import Model, now
from arena.store.schema.benchmarks import BenchmarkOutcome, BenchmarkRun
from arena.store.text_columns import fitted

NAME_COLUMNS = ("sample", "subject", "cluster")
COMPARED = ("metric", "value", "scored", "unparsed", "failed", "replies_at", "created_at")
JSON_COLUMNS = ("options", "metrics", "subjects")
INTERNAL = {
    "id",
    "model_id",
    "config_hash",
    "settings",
    "created_at",
    "replies_at",
}  # not printed, or printed in another form
JSON_NAMES = {"request_type": "rung"}  # where the published name is another one


class UnknownRun(Exception):
    """No benchmark run has this number; the text lists the existing ones."""


@dataclass(frozen=True)
class StoredRun:
    """A run with its model's name; `row` is the table's, detached."""

    model: str
    row: BenchmarkRun

    def to_dict(self) -> dict[str, Any]:
        """The JSON that `arena bench` prints."""
        names = [name for name in BenchmarkRun.model_fields if name not in INTERNAL]
        row = {JSON_NAMES.get(name, name): getattr(self.row, name) for name in names}
        for name in JSON_COLUMNS:
            row[name] = json.loads(row[name])
        times = {
            "created_at": self.row.created_at.isoformat(),
            "replies_at": self.row.replies_at.isoformat() if self.row.replies_at else None,
        }
        return {"run": self.row.id, "model": self.model, **row, **times}


@dataclass(frozen=True)
class KeptRun:
    """What became of a finished run: its number, and the one of the same configuration that was there before.

    `kept` is False if that one has newer replies, and stays as it is.
    """

    number: int
    previous: Mapping[str, Any] | None = None  # its value, metric, counts and times
    kept: bool = True


def keep_run(
    session: Session, model: str, run: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]
) -> KeptRun:
    """Save a run, which replaces one of the same configuration unless that one has newer replies."""
    owner = _model(session, model)
    previous = session.exec(
        select(BenchmarkRun)
        .where(BenchmarkRun.model_id == owner, BenchmarkRun.config_hash == run["config_hash"])
        .with_for_update()
    ).one_or_none()
    before = {name: getattr(previous, name) for name in COMPARED} if previous is not None else None
    if previous is not None and _is_older(run.get("replies_at"), previous):
        return KeptRun(previous.id or 0, before, kept=False)
    row = previous or BenchmarkRun(model_id=owner, **_packed(run))
    if previous is not None:
        session.exec(delete(BenchmarkOutcome).where(col(BenchmarkOutcome.run_id) == previous.id))
        for name, value in _packed(run).items():
            setattr(row, name, value)
        row.created_at = now()
    session.add(row)
    session.flush()
    assert row.id is not None
    session.add_all(BenchmarkOutcome(run_id=row.id, **_fitted(outcome)) for outcome in outcomes)
    return KeptRun(row.id, before)


def delete_runs(session: Session, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Delete runs with their samples; the reply cache keeps their replies. Returns them. Raises `UnknownRun`."""
    deleted = [run(session, number).to_dict() for number in dict.fromkeys(numbers)]
    for number in numbers:
        session.exec(delete(BenchmarkOutcome).where(col(BenchmarkOutcome.run_id) == number))
        session.exec(delete(BenchmarkRun).where(col(BenchmarkRun.id) == number))
    return deleted


def _is_older(replies_at: datetime | None, previous: BenchmarkRun) -> bool:
    """Whether replies of this time are older than those of a stored run, or of unknown time where its time is known."""
    if previous.replies_at is None:
        return False
    return replies_at is None or replies_at < previous.replies_at


def _fitted(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """An outcome whose names fit their columns."""
    columns = BenchmarkOutcome.__table__.columns  # type: ignore[attr-defined]
    return {
        name: fitted(value, columns[name].type.length) if name in NAME_COLUMNS else value
        for name, value in outcome.items()
    }


def runs(session: Session, task: str | None = None, model: str | None = None) -> list[StoredRun]:
    """The runs, of a task or a model if one is given, the oldest first."""
    query = select(BenchmarkRun, Model).join(Model, col(Model.id) == col(BenchmarkRun.model_id))
    if task is not None:
        query = query.where(BenchmarkRun.task == task)
    if model is not None:
        query = query.where(Model.name == model)
    query = query.order_by(col(BenchmarkRun.created_at))
    return [StoredRun(owner.name, row) for row, owner in session.exec(query)]


def run(session: Session, number: int) -> StoredRun:
    """The run of a number. Raises `UnknownRun`."""
    stored_runs = {stored.row.id: stored for stored in runs(session)}
    if number in stored_runs:
        return stored_runs[number]
    numbers = ", ".join(map(str, stored_runs))
    advice = f"Runs: {numbers}." if numbers else "Run: arena bench run TASK --models MODEL"
    raise UnknownRun(f"Benchmark run {number} not found. {advice}")


def outcomes(session: Session, number: int) -> list[BenchmarkOutcome]:
    """The samples of a run, in order."""
    query = select(BenchmarkOutcome).where(BenchmarkOutcome.run_id == number)
    return list(session.exec(query.order_by(col(BenchmarkOutcome.number))))


def _packed(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if name in JSON_COLUMNS else value for name, value in run.items()}


def _model(session: Session, name: str) -> int:
    model = session.exec(select(Model).where(Model.name == name)).one_or_none()
    if model is None:
        model = Model(name=name)
        session.add(model)
        session.flush()
    assert model.id is not None
    return model.id
