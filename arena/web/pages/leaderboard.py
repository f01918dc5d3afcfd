"""The leaderboard's page and its parts. Handlers translate: words in, one use case called, HTML out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment

from arena.leaderboards.leaderboard import Published
from arena.leaderboards.query import BOTH, BoardChoice, NoSuchBoard
from arena.leaderboards.robustness import Swap, fragile_ranks, swap_of, swaps_around
from arena.store.votes import last_vote
from arena.web.board_columns import COLUMNS
from arena.web.board_query import PRICES, SIZES, BoardQuery
from arena.web.board_view import METHOD_NAMES, Boards, BoardView
from arena.web.pages import plots
from arena.web.pages.plots import query_of
from arena.web.pages.rating_change import MovedQuery, with_days
from arena.web.plots.data import PLOTS

HERE = "/leaderboard"


def routes(boards: Boards, templates: Environment) -> APIRouter:
    """`/leaderboard` and everything it loads."""
    router = APIRouter(include_in_schema=False)
    router.include_router(plots.routes(boards))

    @router.get(HERE)
    def leaderboard(request: Request) -> HTMLResponse:
        query = query_of(request)
        view = boards.view(query)
        page = templates.get_template("leaderboard.html").render(
            here=HERE, view=view, home=str(request.base_url).rstrip("/"), **_beside(boards, query, view)
        )
        return HTMLResponse(page, 404 if view.problem and not view.rows else 200)

    @router.get(f"{HERE}/version")
    def version() -> JSONResponse:
        with boards.cache.database.read() as session:
            return JSONResponse({"last": last_vote(session)}, headers={"cache-control": "no-store"})

    @router.get(f"{HERE}/fragility")
    def rank_robustness(request: Request) -> HTMLResponse:
        query = query_of(request)
        one, other = (request.query_params.get(name, "") for name in ("one", "other"))
        part = "x-part" in request.headers
        template = "fragility_part.html" if part else "fragility.html"
        found = _fragile(boards, query, one, other)
        page = templates.get_template(template).render(here=HERE, query=query, one=one, other=other, **found)
        return HTMLResponse(page, 404 if found["problem"] and not part else 200)

    return router


def _beside(boards: Boards, query: BoardQuery, view: BoardView) -> dict[str, Any]:
    """What the page offers around the board: choices, links to the same as data, plots, and why it moved."""
    return {
        "methods": METHOD_NAMES,
        "all_columns": COLUMNS,
        "sizes": SIZES,
        "prices": PRICES,
        "plots": PLOTS,
        "source_name": view.sources.get(query.source, query.source),
        "plot_query": query.link("", **_NO_TABLE).removeprefix("?"),
        "json_link": _json_link(query),
        "table_link": query.link("/api/v1/table.html", **_NO_TABLE, style="", method="bt", at=""),
        "asked": with_days(boards, _moved_query(query)),
    }


def _fragile(boards: Boards, query: BoardQuery, one: str, other: str) -> dict[str, Any]:
    """The swaps of the two models, and the names to choose from; or the problem."""
    found: dict[str, Any] = {"swaps": [], "problem": "", "names": []}
    try:
        choice = BoardChoice("all" if query.source == BOTH else query.source, query.category)
        published = boards.published(choice, query.at)
        found["names"] = sorted(row.model for row in published.board.rows if row.battles)
        key = ("fragile", choice, query.at, one, other)
        found["swaps"] = boards.cache.get(key, lambda _session: _swaps(published, one, other))
    except NoSuchBoard as problem:
        found["problem"] = str(problem)
    return found


def _swaps(published: Published, one: str, other: str) -> list[Swap]:
    """Of two models, of one and its neighbours, or of the neighbours from the top."""
    if one and other:
        return [swap_of(published, one, other)]
    return swaps_around(published, one or other) if one or other else fragile_ranks(published)


_NO_TABLE = {"q": "", "sort": "", "licence": "", "size": "", "price": "", "columns": "", "beside": ""}


def _json_link(query: BoardQuery) -> str:
    words = {**_NO_TABLE, "style": "true" if query.style == "on" else ""}
    return query.link("/api/v1/leaderboard", **words)


def _moved_query(query: BoardQuery) -> MovedQuery:
    source = "all" if query.source == BOTH else query.source
    return MovedQuery(source=source, category=query.category, style=query.style == "on", until=query.at)
