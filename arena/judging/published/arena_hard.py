"""Ratings and win rates of Arena-Hard files, with the verdicts of `judges` and the fit of `ratings`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ratings
from arena.judging.published.board import RecomputedBoard, naming
from arena.judging.published.files import BadVerdictFile, Record, read_records
from judges.columns import text
from judges.intervals import bounded_interval, clustered_error
from judges.protocols import arena_hard

ANCHOR = 1000.0  # the rating of the baseline


def score_arena_hard(paths: Sequence[Path], baseline: Path | None = None) -> RecomputedBoard:
    """Board of ratings of battles, win rates of labelled games, or mean ratings, depending on the files."""
    against = baseline.as_posix() if baseline else None
    board = RecomputedBoard()
    for path in paths:
        records = read_records(path)
        with naming(path):
            if "winner" in records[0]:
                scored = _battles(path, records, against)
            elif "judgment" in records[0]:
                scored = _rated(path, records)
            else:
                scored = _games(path, read_records(path, "arena_hard", "games"), against)
        board.rows += scored.rows
        board.notes += scored.notes
    board.rows.sort(key=_place)
    return board


def _place(row: dict[str, Any]) -> tuple[bool, float]:
    value = row.get("rating", row.get("win_rate"))
    return value is None, -(value or 0.0)


def _battles(path: Path, records: list[Record], baseline: str | None) -> RecomputedBoard:
    """Bradley–Terry board with the baseline at 1000 and intervals by question."""
    names = ("model_a", "model_b", "winner")
    a, b, winner = ([text(r, row, name) for row, r in enumerate(records)] for name in names)
    question = [str(record["question_id"]) for record in records if record.get("question_id") is not None]
    anchor = baseline or arena_hard.baseline_of(a, b)
    if anchor is None:
        raise BadVerdictFile(
            f"{path}: no model is first in every battle. Choose the baseline with --baseline MODEL."
        )
    together = question if len(question) == len(records) and len(set(question)) > 1 else None
    fit = ratings.bradley_terry(a, b, winner, cluster=together).anchored(anchor, ANCHOR)
    lower, upper = fit.interval()
    rows = [
        {
            "model": model,
            "rating": _finite(fit.ratings[m]),
            "lower": _finite(lower[m]),
            "upper": _finite(upper[m]),
            "judged": sum(model in pair for pair in zip(a, b, strict=True)),
            "unparsed": 0,
        }
        for m, model in enumerate(fit.models)
    ]
    return RecomputedBoard(rows)


def _finite(value: float) -> float | None:
    """The value, or None if infinite, as of a model that won or lost all its battles; JSON has no infinity."""
    return float(value) if np.isfinite(value) else None


def _games(path: Path, records: list[Record], baseline: str | None) -> RecomputedBoard:
    """Board of win rates in percent against the baseline, with intervals by prompt."""
    board = RecomputedBoard()
    for games in arena_hard.games(records, baseline):
        points, weights = np.array(games.points), np.array(games.weights, dtype=float)
        mean = float(weights @ points / weights.sum())
        _, prompt = np.unique(games.prompts, return_inverse=True)
        error = _weighted_error(weights * (points - mean), prompt, float(weights.sum()))
        board.rows.append(
            _interval_row(games.model, "win_rate", 100 * mean, error and 100 * error, games.judged, games.unparsed)
        )
        board.note_unparsed(path, games.unparsed)
    return board


def _weighted_error(residual: Any, cluster: Any, total: float) -> float | None:
    """Standard error of a weighted mean with clustered rows; None for a single cluster."""
    sums = np.bincount(cluster, weights=residual)
    if len(sums) < 2:
        return None
    return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1))) / total


def _rated(path: Path, records: list[Record]) -> RecomputedBoard:
    """Board of mean ratings."""
    board = RecomputedBoard()
    for rated in arena_hard.ratings(records):
        values = np.array(rated.ratings)
        error = clustered_error(values, np.arange(len(values)))
        row = _interval_row(rated.model, "rating", float(values.mean()), error, len(values), rated.unparsed)
        board.rows.append(row)
        board.note_unparsed(path, rated.unparsed)
    return board


def _interval_row(
    model: str, name: str, value: float, error: float | None, judged: int, unparsed: int
) -> dict[str, Any]:
    scale = (0.0, 100.0) if name == "win_rate" else (1.0, 10.0)
    lower, upper = bounded_interval(value, error, judged, *scale)
    return {"model": model, name: value, "lower": lower, "upper": upper, "judged": judged, "unparsed": unparsed}
