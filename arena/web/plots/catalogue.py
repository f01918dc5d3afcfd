"""The plots of `/leaderboard`: what each is called, which rows it shows, and how many of them fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from arena.leaderboards.query import BOTH
from arena.rules.messages import gettext_noop
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.plots import (
    battle_count_heat_map,
    benchmark_rating_scatter,
    conditions,
    data,
    expected_battle_heat_map,
    price_rating_pareto,
    radar_chart,
    rating_history,
    rating_intervals,
    rating_scatter,
    win_rate_heat_map,
)
from arena.web.plots.data import Rows, selected_rows

MANY, FEW = 60, 16  # models in a heat map, unless all are requested: on a wide page, on a phone
LISTED, LISTED_NARROW = 60, 25
TASKS = 8  # benchmarks, as many as there are symbols
CURVES, OUTLINES = 6, 5  # models that remain distinguishable in one plot

Condition = Callable[[CachedBoards, BoardQuery], bool]


def _always(_boards: CachedBoards, _query: BoardQuery) -> bool:
    return True


@dataclass(frozen=True)
class Plot:
    """`rows(boards, query)` may raise `NoSuchBoard`. `models` and `narrow_models` are how many models a wide page and
    a phone have room for; `is_offered` decides whether the page has a tab for it."""

    name: str
    title: str
    caption: str
    rows: Callable[[CachedBoards, BoardQuery], Rows]
    figure: Callable[[Sequence[dict[str, Any]]], go.Figure]
    empty: str
    models: int | None = None
    narrow_models: int | None = None
    fit: Callable[[Rows, bool], Rows] = lambda rows, narrow: rows  # noqa: ARG005
    narrow_figure: Callable[[Sequence[dict[str, Any]]], go.Figure] | None = None
    is_offered: Condition = _always
    can_draw_all: bool = False  # lines and outlines of many models cannot be told apart

    def most(self, query: BoardQuery, narrow: bool) -> int | None:
        """How many models are drawn; None is all."""
        return None if query.draw == "all" and self.can_draw_all else self.narrow_models if narrow else self.models


def rows_of(plot: Plot, boards: CachedBoards, query: BoardQuery) -> Rows:
    """The rows of a plot for the models that the query selects; none where its board holds no vote."""
    rows = plot.rows(boards, query)
    if query.source != BOTH and not boards.published(query.choice, query.at).board.battles:
        return []
    return selected_rows(rows, boards, query)


def offered(boards: CachedBoards, query: BoardQuery) -> list[Plot]:
    """The plots that have something to show for a query."""
    return [plot for plot in PLOTS if plot.is_offered(boards, query)]


def first_models(rows: Rows, most: int | None) -> Rows:
    """The rows of the first models, and where a row has an opponent, of these among themselves."""
    if most is None:
        return rows
    models = set(models_of(rows)[:most])
    return [row for row in rows if row["model"] in models and row.get("opponent", row["model"]) in models]


def models_of(rows: Rows) -> list[str]:
    """The models of the rows, in order of first mention."""
    return list(dict.fromkeys(row["model"] for row in rows))


def _first_tasks(rows: Rows, narrow: bool) -> Rows:
    tasks = list(dict.fromkeys(row["task"] for row in rows))[: CURVES if narrow else TASKS]
    return [row for row in rows if row["task"] in tasks]


def _curves(rows: Rows, _narrow: bool) -> Rows:
    """Nothing where there is only one date: a line joins two."""
    return rows if len({row["date"] for row in rows}) > 1 else []


def _outlines(rows: Rows, _narrow: bool) -> Rows:
    """Nothing where there are too few categories for an area."""
    return rows if len({row["category"] for row in rows}) > 2 else []


NO_VOTES = gettext_noop("There are no votes here yet.")
PLOTS = (
    Plot(
        "intervals",
        gettext_noop("Ratings"),
        gettext_noop("The dot is the rating, the bar its 95% interval."),
        data.interval_rows,
        rating_intervals.figure,
        NO_VOTES,
        LISTED,
        LISTED_NARROW,
        can_draw_all=True,
    ),
    Plot(
        "pareto",
        gettext_noop("Price and rating"),
        gettext_noop(
            "Higher is better, further left is cheaper, a larger mark has a longer time to first token. On the dotted "
            "line are the best models for their price."
        ),
        data.pareto_rows,
        price_rating_pareto.figure,
        gettext_noop("The price of no model here is known."),
        narrow_figure=price_rating_pareto.narrow_figure,
        is_offered=conditions.has_prices,
    ),
    Plot(
        "win_rates",
        gettext_noop("Win rates"),
        gettext_noop(
            "Percentage of battles that the model of the row won against the model of the column; ties count half. "
            "The paler a cell, the fewer its battles."
        ),
        data.pair_rows,
        win_rate_heat_map.figure,
        NO_VOTES,
        MANY,
        FEW,
        can_draw_all=True,
    ),
    Plot(
        "over_time",
        gettext_noop("Over time"),
        gettext_noop("The best models, rated on the votes up to each date."),
        data.history_rows,
        rating_history.figure,
        gettext_noop("This plot needs votes from more than one point in time."),
        CURVES,
        CURVES,
        _curves,
    ),
    Plot(
        "radar",
        gettext_noop("Categories"),
        gettext_noop("Ratings of the best models in the categories with most votes."),
        data.category_rows,
        radar_chart.figure,
        gettext_noop("This plot needs three categories with ten votes each."),
        OUTLINES,
        OUTLINES,
        _outlines,
        is_offered=conditions.has_categories,
    ),
    Plot(
        "agreement",
        gettext_noop("People and judges"),
        gettext_noop("On the dotted line both ratings are equal."),
        data.agreement_rows,
        rating_scatter.figure,
        gettext_noop("No model has votes by both people and judges."),
        is_offered=conditions.has_judges,
    ),
    Plot(
        "benchmarks",
        gettext_noop("Static benchmarks"),
        gettext_noop("Score and rating of each model; ρ is the rank correlation, with its 95% interval."),
        data.benchmark_rows,
        benchmark_rating_scatter.by_task,
        gettext_noop("No model with votes has a benchmark run yet."),
        fit=_first_tasks,
        is_offered=conditions.has_benchmarks,
    ),
    Plot(
        "battle_counts",
        gettext_noop("Battles by pair"),
        gettext_noop("Number of battles between each pair of models."),
        data.pair_rows,
        battle_count_heat_map.figure,
        NO_VOTES,
        MANY,
        FEW,
        can_draw_all=True,
    ),
    Plot(
        "expected_counts",
        gettext_noop("Expected battles"),
        gettext_noop(
            "Some pairs met far more often than others here. This is the number each pair would have if every model met "
            "its opponents in proportion to their battles."
        ),
        data.pair_rows,
        expected_battle_heat_map.figure,
        NO_VOTES,
        MANY,
        FEW,
        is_offered=conditions.is_uneven,
        can_draw_all=True,
    ),
)
BY_NAME = {plot.name: plot for plot in PLOTS}
