"""Published scores beside those of benchmark runs, with what differs between the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from arena.store.benchmarks import StoredRun
from arena.web.run_pages.document import Board, Cell, Row
from benchmarks.published_scores import PublishedScore, published_scores

NOTE = (
    "A published score compares with a run of the same setting only. “Different here” says what is not the same; "
    "empty means that nothing known differs."
)


def published_boards(runs: Sequence[StoredRun]) -> list[Board]:
    """One board a task that has published scores. Sample items, which are not the published ones, have none."""
    tasks = dict.fromkeys(stored.row.task for stored in runs)
    return [
        _board(task, [run for run in runs if run.row.task == task]) for task in tasks if task in published_scores()
    ]


def _board(task: str, runs: Sequence[StoredRun]) -> Board:
    rows = [_row(score, runs) for score in published_scores()[task]]
    columns = ["model", "published", *(stored.model for stored in runs), "setting", "different here", "source"]
    return Board(f"Published scores: {task}", columns, rows, note=NOTE)


def _row(score: PublishedScore, runs: Sequence[StoredRun]) -> Row:
    own = [Cell(_own(score, stored)) for stored in runs]
    differences = [_differences(score, stored) for stored in runs]
    if len(set(differences)) == 1:
        text = differences[0]
    else:
        named = zip(runs, differences, strict=True)
        text = "; ".join(f"{stored.model}: {what}" for stored, what in named if what)
    number = f"{score.score:g}" + ("%" if score.unit == "percent" else "")
    return Row(Cell(score.model), [Cell(number), *own, Cell(score.setting), Cell(text), Cell(score.source)])


def _own(score: PublishedScore, stored: StoredRun) -> str:
    """The run's value of the score's metric, or of its own where it has no such metric; with its interval if known."""
    row, metrics = stored.row, _metrics(stored)
    value = metrics.get(score.metric, row.value)
    if value is None:
        return "–"
    percent = "%" if score.unit == "percent" else ""
    text = f"{score.own(value):.1f}{percent}"
    if (score.metric in metrics and score.metric != row.metric) or row.lower is None or row.upper is None:
        return text
    return f"{text} ({score.own(row.lower):.1f} – {score.own(row.upper):.1f})"


def _differences(score: PublishedScore, stored: StoredRun) -> str:
    return ", ".join(score.differences(stored.row.request_type, json.loads(stored.row.options), _metrics(stored)))


def _metrics(stored: StoredRun) -> Mapping[str, float]:
    """All metrics of a run by name."""
    metrics: dict[str, float] = json.loads(stored.row.metrics)
    return metrics if stored.row.value is None else {**metrics, stored.row.metric: stored.row.value}
