"""The plots of `/leaderboard`: what each is called, which rows it shows, and how many of them fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from arena.leaderboards.query import BOTH
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.plots import (
    battle_count_heat_map,
    benchmark_rating_scatter,
    data,
    expected_battle_heat_map,
    price_rating_pareto,
    radar_chart,
    rating_history,
    rating_intervals,
    rating_scatter,
    win_rate_heat_map,
)
from arena.web.plots.data import Rows

MANY, FEW = 25, 10  # models in a heat map: on a wide page, on a phone
LISTED, LISTED_NARROW = 40, 25
TASKS = 8  # benchmarks, as many as there are symbols
CURVES, OUTLINES = 6, 5  # models that remain distinguishable in one plot


@dataclass(frozen=True)
class Plot:
    """`rows(boards, query)` may raise `NoSuchBoard`; `fit(rows, narrow)` selects the rows that a plot has room for."""

    name: str
    title: str
    caption: str
    rows: Callable[[CachedBoards, BoardQuery], Rows]
    figure: Callable[[Sequence[dict[str, Any]]], go.Figure]
    empty: str
    fit: Callable[[Rows, bool], Rows] = lambda rows, narrow: rows  # noqa: ARG005
    wide: bool = False


def rows_of(plot: Plot, boards: CachedBoards, query: BoardQuery) -> Rows:
    """The rows of a plot; none where its board does not exist or holds no vote."""
    rows = plot.rows(boards, query)
    return rows if query.source == BOTH or boards.published(query.choice, query.at).board.battles else []


def _first_rows(most: int, narrow: int) -> Callable[[Rows, bool], Rows]:
    return lambda rows, is_narrow: rows[: narrow if is_narrow else most]


def _first_models(most: int, narrow: int) -> Callable[[Rows, bool], Rows]:
    """The rows of the first models, and where a row has an opponent, of these among themselves."""

    def fit(rows: Rows, is_narrow: bool) -> Rows:
        models = list(dict.fromkeys(row["model"] for row in rows))[: narrow if is_narrow else most]
        return [row for row in rows if row["model"] in models and row.get("opponent", row["model"]) in models]

    return fit


def _first_tasks(rows: Rows, narrow: bool) -> Rows:
    tasks = list(dict.fromkeys(row["task"] for row in rows))[: CURVES if narrow else TASKS]
    return [row for row in rows if row["task"] in tasks]


def _curves(rows: Rows, narrow: bool) -> Rows:
    """The first models, where there is more than one date to join by a line."""
    return _first_models(CURVES, CURVES)(rows, narrow) if len({row["date"] for row in rows}) > 1 else []


def _outlines(rows: Rows, narrow: bool) -> Rows:
    """The first models, where there are enough categories for an area."""
    fitted = _first_models(OUTLINES, OUTLINES)(rows, narrow)
    return fitted if len({row["category"] for row in fitted}) > 2 else []


NO_VOTES = "There are no votes here yet."
PLOTS = (
    Plot("intervals", "Ratings and intervals", "The dot is the rating, the bar its 95 % interval.",
         data.interval_rows, rating_intervals.figure, NO_VOTES, _first_rows(LISTED, LISTED_NARROW), wide=True),
    Plot("win_rates", "Win rates",
         "Percentage of battles that the model of the row won against the model of the column; ties count half.",
         data.pair_rows, win_rate_heat_map.figure, NO_VOTES, _first_models(MANY, FEW)),
    Plot("battle_counts", "Number of battles", "Number of battles between each pair of models.",
         data.pair_rows, battle_count_heat_map.figure, NO_VOTES, _first_models(MANY, FEW)),
    Plot("expected_counts", "Expected number of battles",
         "The number each pair would have if every model met its opponents in proportion to their battles.",
         data.pair_rows, expected_battle_heat_map.figure, NO_VOTES, _first_models(MANY, FEW)),
    Plot("pareto", "Rating, price and latency",
         "Higher is better, further left is cheaper, a larger mark has a longer time to first token.",
         data.pareto_rows, price_rating_pareto.figure, "No model here has a price in the settings (models.price)."),
    Plot("over_time", "Rating over time", "Today's best models, rated on the votes up to each date.",
         data.history_rows, rating_history.figure, "This plot needs votes from more than one point in time.", _curves,
         wide=True),
    Plot("radar", "Strengths by category", "Ratings in the categories with most votes.",
         data.category_rows, radar_chart.figure, "This plot needs three categories with ten votes each.", _outlines),
    Plot("agreement", "Ratings by judges and by people", "On the dotted line both ratings are equal.",
         data.agreement_rows, rating_scatter.figure, "No model has votes by both people and judges."),
    Plot("benchmarks", "Static benchmarks and rating",
         "Score and rating of each model; ρ is the rank correlation, with its 95 % interval.",
         data.benchmark_rows, benchmark_rating_scatter.by_task,
         "No model with votes has a benchmark run yet (arena bench run).", _first_tasks),
)  # fmt: skip
BY_NAME = {plot.name: plot for plot in PLOTS}
