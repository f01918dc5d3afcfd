"""Rows of the plots of `/benchmarks`: bars of scores, mean share by dimension, one task's scores and ratings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from arena.benchmarking.boards import Line, lines, means, models_of, most_evaluated, names_of
from arena.benchmarking.rank_correlation import Correlation, correlation
from arena.leaderboards.model_profile import row_of
from arena.leaderboards.query import BoardChoice
from arena.web.board_view import CachedBoards
from benchmarks.sample_tasks import is_sample
from ratings import CONFIDENCE_LEVEL, Row, normal_quantile

BARS = 6  # models whose bars remain distinguishable


@dataclass(frozen=True)
class Rated:
    """Models that have both a score and votes, in columns, with standard errors where they are known."""

    models: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    ratings: list[float] = field(default_factory=list)
    score_errors: list[float | None] = field(default_factory=list)
    rating_errors: list[float | None] = field(default_factory=list)

    def add(self, model: str, score: float, score_error: float | None, row: Row) -> None:
        self.models.append(model)
        self.scores.append(score)
        self.ratings.append(row.rating)
        self.score_errors.append(score_error)
        self.rating_errors.append((row.upper - row.lower) / (2 * normal_quantile(CONFIDENCE_LEVEL)))

    @property
    def correlation(self) -> Correlation | None:
        """The rank correlation; None for fewer than four models."""
        return correlation(self.scores, self.ratings, self.score_errors, self.rating_errors)


def table(boards: CachedBoards) -> list[Line]:
    """Every line of the benchmarks' table, as the store has it now."""
    with boards.cache.database.read() as session:
        return lines(session)


def selected_models(table: list[Line], names: list[str]) -> list[str]:
    """The models of `names` that have runs, or every model where none of them has."""
    models = models_of(table)
    return [model for model in models if model in names] or models


def plotted_models(table: list[Line], names: list[str]) -> list[str]:
    """Of the selected models as many as a plot can tell apart, those with most runs."""
    models = selected_models(table, names)
    if len(models) <= BARS:
        return models
    return [model for model in most_evaluated(table, len(models)) if model in models][:BARS]


def bar_rows(table: list[Line], names: list[str]) -> list[dict[str, Any]]:
    """Rows of `benchmark_score_bars.figure`, model by model: of the lines whose values are shares, in percent."""
    titled = list(zip(names_of(table), table, strict=True))
    return [
        {
            "model": model,
            "task": f"{title} ↓" if line.less_is_better else title,
            "value": 100 * line.rates[model],
            "lower": _percent(line.runs[model].row.lower),
            "upper": _percent(line.runs[model].row.upper),
        }
        for model in plotted_models(table, names)
        for title, line in titled
        if model in line.rates
    ]


def dimension_rows(table: list[Line], names: list[str]) -> list[dict[str, Any]]:
    """Rows of `radar_chart.figure`: mean share of each plotted model in each dimension."""
    return means(table, plotted_models(table, names))


def score_rows(table: list[Line]) -> list[dict[str, Any]]:
    """Every run of the table, without its nested values."""
    runs = [{"model": model, **run.to_dict()} for line in table for model, run in line.runs.items()]
    return [{key: value for key, value in run.items() if not isinstance(value, dict | list)} for run in runs]


def scores_and_ratings(boards: CachedBoards, line: Line) -> Rated:
    """The line's models that have votes."""
    published = boards.published(BoardChoice())
    rated = Rated()
    for model, run in line.runs.items():
        row = row_of(published, model)
        if row is not None and row.battles and run.row.value is not None:
            rated.add(model, run.row.value, run.row.standard_error, row)
    return rated


def rating_correlation(boards: CachedBoards, line: Line) -> Correlation | None:
    """Rank correlation of the line's scores with the arena's ratings; None for fewer than four models, or a sample."""
    return None if is_sample(line.task) else scores_and_ratings(boards, line).correlation


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
