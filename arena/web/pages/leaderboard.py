"""`/leaderboard`: the table of ratings with its filters, and the plots and parts that it loads."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment

from arena.leaderboards.query import BOTH
from arena.store.votes import last_vote_id
from arena.web.board_columns import COLUMNS, MAJOR, interval_text, sort_choices
from arena.web.board_query import PRICES, SIZES, BoardQuery
from arena.web.board_view import METHOD_NAMES, BoardView, CachedBoards
from arena.web.locales import gettext as _
from arena.web.pages.rating_change import ChangeQuery, with_days
from arena.web.plots.catalogue import offered
from arena.web.v1.context import home

HERE = "/leaderboard"
NO_TABLE: dict[str, Any] = {
    "q": "", "sort": "", "licence": "", "size": "", "price": "", "columns": "", "beside": "", "retired": "",
    "plot": "", "draw": "", "models": (),
}  # fmt: skip
# the choices that are folded away until one is made, with what they are before
MORE = {"method": "bt", "style": "", "at": "", "licence": "", "size": "", "price": "", "columns": "", "beside": ""}


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """The page, and the number by which it notices new votes."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def leaderboard(request: Request) -> HTMLResponse:
        query = BoardQuery.of(request)
        view = boards.view(query)
        page = templates.get_template("leaderboard.html").render(
            here=HERE, view=view, home=home(request), **_surroundings(boards, query, view)
        )
        return HTMLResponse(page, 404 if view.problem and not view.rows else 200)

    @router.get(f"{HERE}/version")
    def version() -> JSONResponse:
        with boards.cache.database.read() as session:
            return JSONResponse({"last": last_vote_id(session)}, headers={"cache-control": "no-store"})

    return router


def _surroundings(boards: CachedBoards, query: BoardQuery, view: BoardView) -> dict[str, Any]:
    """What the page shows around the table: choices, links to the same as data, plots, rating changes."""
    style = "true" if query.style == "on" else ""
    plots = offered(boards, query)
    return {
        "methods": {key: _(name) for key, name in METHOD_NAMES.items()},
        "all_columns": COLUMNS,
        "sizes": SIZES,
        "prices": PRICES,
        "sorts": sort_choices(view.columns, {source: view.sources.get(source, source) for source in query.others}),
        "major": query.chosen_columns or (*MAJOR, query.sort.removeprefix("-")),
        "more": any(getattr(query, name) != usual for name, usual in MORE.items()),
        "plots": plots,
        "plot": next((plot for plot in plots if plot.name == query.plot), plots[0]),
        "robust": NO_TABLE,
        "interval_text": interval_text,
        "source_name": view.sources.get(query.source, query.source),
        "plot_query": query.link("", **NO_TABLE | {"q": query.q, "draw": query.draw}).removeprefix("?"),
        "json_link": query.link("/api/v1/leaderboard", **NO_TABLE | {"style": style}),
        "table_link": query.link("/api/v1/table.html", **NO_TABLE, style="", method="bt", at=""),
        "change": with_days(boards, _change_query(query)),
    }


def _change_query(query: BoardQuery) -> ChangeQuery:
    source = "all" if query.source == BOTH else query.source
    return ChangeQuery(source=source, category=query.category, style=query.style == "on", until=query.at)
