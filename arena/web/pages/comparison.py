"""`/leaderboard/compare?models=A&models=B`: two to five models side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

from arena.leaderboards.leaderboard import Published
from arena.leaderboards.model_profile import Opponent, opponents
from arena.leaderboards.query import BoardChoice, NoSuchBoard
from arena.rules.votes import OVERALL
from arena.web.board_columns import COLUMNS, BoardRow
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.plots import data, radar_chart
from arena.web.rendering import csv_file, figure_json

HERE = "/leaderboard/compare"
LEAST, MOST = 2, 5
# the facts that are compared: keys of the columns of the leaderboard
FACTS = (
    "votes", "win_rate", "price", "latency", "speed", "size", "context", "energy", "organisation", "licence", "released",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """The chosen models on one board, best first: their rows, and what each did against each other one."""

    rows: list[BoardRow]
    met: dict[tuple[str, str], Opponent]  # by model and opponent
    categories: list[tuple[str, dict[str, dict[str, Any]]]]  # a category's rows by model
    first_band: bool  # the votes do not tell the best from the last

    @property
    def facts(self) -> list[tuple[str, str, list[str]]]:
        """Label, explanation and texts of each fact that at least one model has."""
        columns = {column.key: column for column in COLUMNS}
        rows = [(columns[key], [columns[key].text(row) for row in self.rows]) for key in FACTS]
        return [
            (column.label, column.title, texts) for column, texts in rows if any(text != "–" for text in texts)
        ]


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """The page, and its plot of categories."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def compare(request: Request) -> HTMLResponse:
        query = BoardQuery.of(request)
        values: dict[str, Any] = {"comparison": None, "problem": "", "names": [], "unknown": []}
        try:
            values |= _values(boards, query)
        except NoSuchBoard as problem:
            values["problem"] = text_of(problem)
        page = templates.get_template("comparison.html").render(
            here="/leaderboard", query=query, most=MOST, sources=boards.sources(), path=HERE,
            categories=boards.categories(query.source), **values,
        )  # fmt: skip
        return HTMLResponse(page, 404 if values["problem"] else 200)

    @router.get(f"{HERE}/categories.json")
    def categories_plot(request: Request) -> Response:
        rows = _category_rows(boards, BoardQuery.of(request))
        if len({row["category"] for row in rows}) < 3:
            return JSONResponse({"notice": _("This plot needs three categories with ten votes each.")})
        return figure_json(radar_chart.figure(rows))

    @router.get(f"{HERE}/categories.csv")
    def categories_csv(request: Request) -> Response:
        return csv_file(_category_rows(boards, BoardQuery.of(request)), "categories")

    return router


def _values(boards: CachedBoards, query: BoardQuery) -> dict[str, Any]:
    """The models to choose from, and the comparison of the chosen ones if there are enough. Raises `NoSuchBoard`."""
    published = boards.published(query.choice, query.at)
    names = [row.model for row in published.board.rows]
    chosen = [name for name in query.models if name in names][:MOST]
    return {
        "names": sorted(set(names) - set(chosen)),
        "unknown": [name for name in query.models if name not in names],
        "chosen": chosen,
        "comparison": _comparison(boards, query, published, set(chosen)) if len(chosen) >= LEAST else None,
    }


def _comparison(boards: CachedBoards, query: BoardQuery, published: Published, chosen: set[str]) -> Comparison:
    rows = [row for row in boards.rows(published) if row.row.model in chosen]
    met = {
        (row.row.model, opponent.model): opponent
        for row in rows
        for opponent in opponents(published, row.row.model)
        if opponent.model in chosen
    }
    by_category: dict[str, dict[str, dict[str, Any]]] = {}
    for row in _category_rows(boards, query) if query.category == OVERALL else []:
        by_category.setdefault(row["category"], {})[row["model"]] = row
    return Comparison(rows, met, list(by_category.items()), rows[0].band == rows[-1].band)


def _category_rows(boards: CachedBoards, query: BoardQuery) -> list[dict[str, Any]]:
    """Ratings in the largest categories; only a model that has votes there has a row."""
    source = BoardChoice(query.source).source
    rows = data.category_rows(boards, BoardQuery(source=source, at=query.at))
    return [row for row in rows if row["model"] in query.models and row["battles"]]
