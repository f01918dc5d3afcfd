"""Stored runs and their samples for readers."""

from __future__ import annotations

import json
from typing import Any

from arena.benchmarking.direction import is_right
from arena.store import Session
from arena.store.benchmarks import StoredRun, UnknownRun, outcomes, run, runs
from arena.store.schema.benchmarks import BenchmarkOutcome
from benchmarks.task import Status

__all__ = ["UnknownRun", "all_runs", "samples_of"]


def all_runs(session: Session) -> list[dict[str, Any]]:
    """All runs, the oldest first."""
    return [stored.to_dict() for stored in runs(session)]


def samples_of(session: Session, number: int, *, failed: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run and its samples; with `failed` those that are wrong or have no score. Raises `UnknownRun`."""
    stored = run(session, number)
    rows = []
    for row in outcomes(session, number):
        columns = (name for name in BenchmarkOutcome.model_fields if name not in ("id", "run_id", "cluster"))
        values: dict[str, Any] = {name: getattr(row, name) for name in columns}
        values["metrics"] = json.loads(row.metrics)
        if not failed or is_wrong(stored, values):
            rows.append(values)
    return stored.to_dict(), rows


def is_wrong(stored: StoredRun, row: dict[str, Any]) -> bool:
    """Whether a sample has no score, or a value below the best one that a share can have."""
    value = row["metrics"].get(stored.row.metric)
    return row["status"] != Status.SCORED or (value is not None and not is_right(stored.row.task, value))
