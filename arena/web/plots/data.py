"""What each plot shows, as plain rows: drawn by `plots/`, and downloaded as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

import ratings
from arena.benchmarking.boards import lines, names_of
from arena.leaderboards.history import moment
from arena.leaderboards.query import BOTH, BoardChoice, NoSuchBoard
from arena.leaderboards.trends import PastRating, rating_history
from arena.rules.votes import HUMAN, JUDGES, OVERALL
from arena.store import Session
from arena.web.board_query import BoardQuery
from arena.web.board_view import Boards
from arena.web.plots import (
    agreement,
    battle_counts,
    benchmarks,
    expected_counts,
    intervals,
    over_time,
    pareto,
    radar,
    win_rates,
)  # fmt: skip

Rows = list[dict[str, Any]]
MANY, FEW = 25, 10  # models in a heat map: on a wide page, on a phone
LISTED, LISTED_NARROW = 40, 25
TASKS = 8  # benchmarks, as many as there are symbols
CURVES, OUTLINES = 6, 5  # models that can be told apart in one picture
SPOKES = 8  # categories
LEAST_VOTES = 10  # of a category that is worth a spoke


@dataclass(frozen=True)
class Plot:
    """`rows(boards, query)` may raise `NoSuchBoard`; `fit(rows, narrow)` chooses what a picture has room for."""

    name: str
    title: str
    says: str
    rows: Callable[[Boards, BoardQuery], Rows]
    figure: Callable[[Sequence[dict[str, Any]]], go.Figure]
    empty: str
    fit: Callable[[Rows, bool], Rows] = lambda rows, narrow: rows  # noqa: ARG005
    wide: bool = False


def interval_rows(boards: Boards, query: BoardQuery) -> Rows:
    keys = ("model", "rating", "lower", "upper", "rank", "battles", "provisional")
    models = boards.published(query.choice, query.at).board.to_dict()["models"]
    return [{key: row[key] for key in keys} for row in models if row["rating"] is not None]


def pair_rows(boards: Boards, query: BoardQuery) -> Rows:
    """Every ordered pair, best models first, with measured and expected battles; win rate None if they never met."""
    published = boards.published(BoardChoice(query.choice.source, query.choice.category), query.at)
    counts = published.counts
    names = [row.model for row in published.board.rows if row.battles]
    place = [counts.models.index(name) for name in names]
    met, won = _met_and_won(counts)
    expected = expected_counts.expected(met)
    return [
        {
            "model": names[i],
            "opponent": names[j],
            "battles": int(met[a, b]),
            "expected": round(float(expected[a, b]), 2),
            "win_rate": float(won[a, b] / met[a, b]) if met[a, b] else None,
        }
        for i, a in enumerate(place)
        for j, b in enumerate(place)
        if i != j
    ]


def _met_and_won(counts: ratings.PairCounts) -> tuple[Any, Any]:
    """(models, models): battles between two, and points of the row against the column."""
    battles = counts.matrix(counts.table.sum(axis=1))
    half = (counts.table[:, 2] + counts.table[:, 3]) / 2
    won = counts.matrix(counts.table[:, 0] + half) + counts.matrix(counts.table[:, 1] + half).T
    return battles + battles.T, won


def history_rows(boards: Boards, query: BoardQuery) -> Rows:
    """The best models of today at earlier dates."""
    choice = query.choice
    board = boards.published(BoardChoice(choice.source, choice.category), query.at).board

    def make(session: Session) -> list[PastRating]:
        return rating_history(session, choice.voters, choice.category)

    history = boards.cache.get(("history", choice.source, choice.category), make)
    order = {row.model: n for n, row in enumerate(board.rows)}
    rows = [
        {"model": one.model, "date": one.date.isoformat(timespec="seconds"), "rating": one.rating,
         "lower": one.lower, "upper": one.upper}
        for one in history
        if one.model in order and (not query.at or one.date < moment(query.at))
    ]  # fmt: skip
    last = {(row["model"], row["date"]): row for row in rows}  # votes of one second are one point
    return sorted(last.values(), key=lambda row: (order[row["model"]], row["date"]))


def pareto_rows(boards: Boards, query: BoardQuery) -> Rows:
    facts = boards.facts()
    return [
        {
            "model": row.model,
            "rating": row.rating,
            "price": fact.price,
            "latency": fact.latency,
            "energy": fact.energy,
        }
        for row in boards.published(query.choice, query.at).board.rows
        if (fact := facts.get(row.model)) and fact.price is not None
    ]


def category_rows(boards: Boards, query: BoardQuery) -> Rows:
    """Ratings in the largest categories, one row a model and category."""
    source = query.choice.source
    models = [row.model for row in boards.published(BoardChoice(source), query.at).board.rows if row.battles]
    found = []
    names = [name for name, votes in boards.categories(source).items() if name != OVERALL and votes >= LEAST_VOTES]
    for category in names[:SPOKES]:
        by_name = {row.model: row for row in boards.published(BoardChoice(source, category), query.at).board.rows}
        found += [
            {"model": name, "category": category, "rating": by_name[name].rating, "lower": by_name[name].lower,
             "upper": by_name[name].upper, "battles": by_name[name].battles}
            for name in models
            if name in by_name
        ]  # fmt: skip
    return found


def agreement_rows(boards: Boards, query: BoardQuery) -> Rows:
    people, judges = (
        {
            row.model: row
            for row in boards.published(BoardChoice(source, query.category), query.at).board.rows
            if row.battles
        }
        for source in (HUMAN, JUDGES)
    )
    return [
        {
            "model": name,
            "people": row.rating, "people_lower": row.lower, "people_upper": row.upper,
            "judges": judges[name].rating, "judges_lower": judges[name].lower, "judges_upper": judges[name].upper,
        }
        for name, row in people.items()
        if name in judges
    ]  # fmt: skip


def benchmark_rows(boards: Boards, query: BoardQuery) -> Rows:
    """Scores of static benchmarks beside ratings, tasks with most models first, each with its rank correlation."""
    rated = {row.model: row.rating for row in boards.published(query.choice, query.at).board.rows if row.battles}
    there = boards.cache.get("benchmarks", lines)
    found: list[Rows] = []
    for name, line in zip(names_of(there), there, strict=True):
        both = {model: rate for model, rate in line.rates.items() if model in rated}
        rho = benchmarks.correlation(list(both.values()), [rated[model] for model in both])
        found.append([
            {"task": name, "metric": line.metric, "model": model, "rating": rated[model], "score": 100 * rate,
             "correlation": rho and rho.value, "correlation_lower": rho and rho.lower,
             "correlation_upper": rho and rho.upper}
            for model, rate in both.items()
        ])  # fmt: skip
    return [row for rows in sorted(found, key=len, reverse=True) for row in rows]


def _first_tasks(rows: Rows, narrow: bool) -> Rows:
    kept = list(dict.fromkeys(row["task"] for row in rows))[: CURVES if narrow else TASKS]
    return [row for row in rows if row["task"] in kept]


def _moments(rows: Rows, narrow: bool) -> Rows:
    """The first models, where there is more than one moment to join by a line."""
    return _first_models(CURVES, CURVES)(rows, narrow) if len({row["date"] for row in rows}) > 1 else []


def _first(most: int, narrow: int) -> Callable[[Rows, bool], Rows]:
    return lambda rows, is_narrow: rows[: narrow if is_narrow else most]


def _first_models(most: int, narrow: int) -> Callable[[Rows, bool], Rows]:
    """The rows of the first models, and where a row has an opponent, of these among themselves."""

    def fit(rows: Rows, is_narrow: bool) -> Rows:
        kept = list(dict.fromkeys(row["model"] for row in rows))[: narrow if is_narrow else most]
        return [row for row in rows if row["model"] in kept and row.get("opponent", row["model"]) in kept]

    return fit


def _spoken(rows: Rows, narrow: bool) -> Rows:
    fitted = _first_models(OUTLINES, OUTLINES)(rows, narrow)
    return fitted if len({row["category"] for row in fitted}) > 2 else []


NO_VOTES = "There are no votes here yet."
PLOTS = (
    Plot("intervals", "Ratings and intervals", "The dot is the rating, the bar its 95 % interval.",
         interval_rows, intervals.figure, NO_VOTES, _first(LISTED, LISTED_NARROW), wide=True),
    Plot("win_rates", "Win rates", "In percent, how often the model of the row beat that of the column; ties count half.",
         pair_rows, win_rates.figure, NO_VOTES, _first_models(MANY, FEW)),
    Plot("battle_counts", "Battles", "How often two models met.",
         pair_rows, battle_counts.figure, NO_VOTES, _first_models(MANY, FEW)),
    Plot("expected_counts", "Battles expected", "The same, had each met the others evenly for how often it played.",
         pair_rows, expected_counts.figure, NO_VOTES, _first_models(MANY, FEW)),
    Plot("pareto", "Rating, price, latency",
         "Higher is better, left is cheaper, a larger mark waits longer for its first token.",
         pareto_rows, pareto.figure, "No model here has a price in the settings (models.price)."),
    Plot("over_time", "Rating over time", "Today's best models, rated on the votes up to each date.",
         history_rows, over_time.figure, "This takes votes of more than one moment.", _moments, wide=True),
    Plot("radar", "Strengths by category", "Ratings in the categories with most votes.",
         category_rows, radar.figure, "This takes three categories with ten votes each.", _spoken),
    Plot("agreement", "Judges against people", "On the dotted line both say the same.",
         agreement_rows, agreement.figure, "No model has been voted on by both people and judges."),
    Plot("benchmarks", "Static benchmarks against rating",
         "Score and rating of each model; ρ is the rank correlation, with its 95 % interval.",
         benchmark_rows, benchmarks.several, "No model with votes has taken a benchmark yet (arena bench run).",
         _first_tasks),
)  # fmt: skip
BY_NAME = {plot.name: plot for plot in PLOTS}


def rows_of(plot: Plot, boards: Boards, query: BoardQuery) -> Rows:
    """The rows of a plot; none where its board does not exist or holds no vote."""
    rows = plot.rows(boards, query)
    return rows if query.source == BOTH or boards.published(query.choice, query.at).board.battles else []


def notice(plot: Plot, problem: NoSuchBoard | None = None) -> str:
    """What stands in a plot's place."""
    return str(problem) if problem else plot.empty


def plain(value: Any) -> Any:
    """A value for JSON: nan and infinity are None."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
