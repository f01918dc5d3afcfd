"""Benchmark runs in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, select

from arena.store.schema.battles import Model, now
from arena.store.schema.benchmarks import BenchmarkOutcome, BenchmarkRun

JSON_COLUMNS = ("options", "metrics", "subjects")
INTERNAL = {"id", "model_id", "config_hash", "settings", "created_at"}  # not printed, or printed in another form
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
        return {"run": self.row.id, "model": self.model, **row, "created_at": self.row.created_at.isoformat()}


def keep_run(session: Session, model: str, run: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]) -> int:
    """Save a run, which replaces one of the same configuration. Returns its number."""
    owner = _model(session, model)
    previous = session.exec(
        select(BenchmarkRun).where(BenchmarkRun.model_id == owner, BenchmarkRun.config_hash == run["config_hash"])
    ).one_or_none()
    row = previous or BenchmarkRun(model_id=owner, **_packed(run))
    if previous is not None:
        session.exec(delete(BenchmarkOutcome).where(col(BenchmarkOutcome.run_id) == previous.id))
        for name, value in _packed(run).items():
            setattr(row, name, value)
        row.created_at = now()
    session.add(row)
    session.flush()
    assert row.id is not None
    session.add_all(BenchmarkOutcome(run_id=row.id, **outcome) for outcome in outcomes)
    return row.id


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
