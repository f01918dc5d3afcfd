"""Rows of each plot of `/leaderboard`, drawn by the other files of this folder, downloaded as CSV and JSON."""

from __future__ import annotations

from typing import Any

import ratings
from arena.benchmarking.boards import lines, names_of
from arena.leaderboards.history import moment
from arena.leaderboards.pooled_judges import left_out
from arena.leaderboards.query import BoardChoice
from arena.leaderboards.trends import PastRating, rating_history
from arena.rules.votes import HUMAN, JUDGES, OVERALL
from arena.store import Session
from arena.web.board_query import BoardQuery
from arena.web.board_view import NOTHING, CachedBoards
from arena.web.plots.benchmark_data import Rated
from arena.web.plots.expected_battle_heat_map import expected_battles

Rows = list[dict[str, Any]]
SPOKES = 8  # categories of a radar chart
LEAST_VOTES = 10  # of a category, to be a spoke


def selected_rows(rows: Rows, boards: CachedBoards, query: BoardQuery) -> Rows:
    """The rows of the models that a query names or searches for, and of their opponents among them."""
    if not query.models and not query.q:
        return rows
    facts = boards.facts()
    names: set[str] = {str(name) for row in rows for name in (row["model"], row.get("opponent", row["model"]))}
    wanted = {
        name
        for name in names
        if (name in query.models if query.models else query.finds(name, facts.get(name, NOTHING).organisation))
    }
    return [row for row in rows if row["model"] in wanted and row.get("opponent", row["model"]) in wanted]


def interval_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Ratings with intervals, best first."""
    keys = ("model", "rating", "lower", "upper", "rank", "battles", "provisional")
    models = boards.published(query.choice, query.at).board.to_dict()["models"]
    return [{key: row[key] for key in keys} for row in models if row["rating"] is not None]


def pair_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Battles, expected battles and win rate (None without a battle) of every ordered pair, best models first."""
    published = boards.published(BoardChoice(query.choice.source, query.choice.category), query.at)
    counts = published.counts
    names = [row.model for row in published.board.rows if row.battles]
    place = [counts.models.index(name) for name in names]
    met, won = _met_and_won(counts)
    expected = expected_battles(met)
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


def battles_by_pair(boards: CachedBoards, query: BoardQuery) -> Any:
    """(models, models): battles between two models. Raises `NoSuchBoard`."""
    return _met_and_won(
        boards.published(BoardChoice(query.choice.source, query.choice.category), query.at).counts
    )[0]


def _met_and_won(counts: ratings.PairCounts) -> tuple[Any, Any]:
    """(models, models): battles between two, and points of the row against the column."""
    battles = counts.matrix(counts.table.sum(axis=1))
    half = (counts.table[:, 2] + counts.table[:, 3]) / 2
    won = counts.matrix(counts.table[:, 0] + half) + counts.matrix(counts.table[:, 1] + half).T
    return battles + battles.T, won


def history_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Ratings of today's best models at earlier dates."""
    choice = query.choice
    board = boards.published(BoardChoice(choice.source, choice.category), query.at).board

    def make(session: Session) -> list[PastRating]:
        return rating_history(session, choice.voters, choice.category, left_out(session, choice, boards.rules))

    history = boards.cache.get(("history", choice.source, choice.category), make)
    order = {row.model: n for n, row in enumerate(board.rows)}
    rows = [
        {"model": past.model, "date": past.date.isoformat(timespec="seconds"), "rating": past.rating,
         "lower": past.lower, "upper": past.upper}
        for past in history
        if past.model in order and (not query.at or past.date < moment(query.at))
    ]  # fmt: skip
    last = {(row["model"], row["date"]): row for row in rows}  # votes of one second are one point
    return sorted(last.values(), key=lambda row: (order[row["model"]], row["date"]))


def pareto_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Rating, price, latency and energy of the models whose price is known."""
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


def category_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Ratings in the largest categories, one row a model and category."""
    source = query.choice.source
    models = [row.model for row in boards.published(BoardChoice(source), query.at).board.rows if row.battles]
    rows: Rows = []
    names = [name for name, votes in boards.categories(source).items() if name != OVERALL and votes >= LEAST_VOTES]
    for category in names[:SPOKES]:
        published = boards.find(BoardChoice(source, category), query.at)
        by_name = {row.model: row for row in published.board.rows} if published else {}
        rows += [
            {"model": name, "category": category, "rating": by_name[name].rating, "lower": by_name[name].lower,
             "upper": by_name[name].upper, "battles": by_name[name].battles}
            for name in models
            if name in by_name
        ]  # fmt: skip
    return rows


def agreement_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Both ratings, with intervals, of the models that people and judges have voted on."""
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


def benchmark_rows(boards: CachedBoards, query: BoardQuery) -> Rows:
    """Scores of static benchmarks with ratings, tasks with most models first, each with its rank correlation."""
    rated = {row.model: row for row in boards.published(query.choice, query.at).board.rows if row.battles}
    table = boards.cache.get("benchmarks", lines)
    by_task: list[Rows] = []
    for name, line in zip(names_of(table), table, strict=True):
        both = {model: rate for model, rate in line.rates.items() if model in rated}
        columns = Rated()
        for model, rate in both.items():
            columns.add(model, rate, line.runs[model].row.standard_error, rated[model])
        rho = columns.correlation
        by_task.append([
            {"task": name, "metric": line.metric, "model": model, "rating": rated[model].rating, "score": 100 * rate,
             "correlation": rho and rho.value, "correlation_lower": rho and rho.lower,
             "correlation_upper": rho and rho.upper}
            for model, rate in both.items()
        ])  # fmt: skip
    return [row for rows in sorted(by_task, key=len, reverse=True) for row in rows]
