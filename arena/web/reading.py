"""The leaderboard's page, its plots and what they load. Handlers translate: words in, one use case, HTML out."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

from arena.board_choice import BOTH, BoardChoice, NoSuchBoard
from arena.fragile_ranks import Swap, fragile_ranks, swap_of, swaps_around
from arena.leaderboard import Published
from arena.store.votes import last_vote
from arena.web.board_columns import COLUMNS
from arena.web.board_query import PRICES, SIZES, BoardQuery
from arena.web.board_view import METHOD_NAMES, Boards
from arena.web.plot_data import BY_NAME, PLOTS, Plot, notice, rows_of
from arena.web.reading_moved import MovedQuery, with_days
from arena.web.rendering import csv_file

HERE = "/leaderboard"
YEAR = "public, max-age=31536000, immutable"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes(boards: Boards, templates: Environment) -> APIRouter:
    """`/leaderboard` and everything it loads."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def leaderboard(request: Request) -> HTMLResponse:
        query = _query(request)
        view = boards.view(query)
        page = templates.get_template("leaderboard.html").render(
            here=HERE,
            view=view,
            methods=METHOD_NAMES,
            all_columns=COLUMNS,
            sizes=SIZES,
            prices=PRICES,
            plots=PLOTS,
            source_name=view.sources.get(query.source, query.source),
            plot_query=query.link("", **_NO_TABLE).removeprefix("?"),
            json_link=_json_link(query),
            table_link=query.link("/api/v1/table.html", **_NO_TABLE, style="", method="bt", at=""),
            home=str(request.base_url).rstrip("/"),
            asked=with_days(boards, _moved_query(query)),
        )
        return HTMLResponse(page, 404 if view.problem and not view.rows else 200)

    @router.get(f"{HERE}/version")
    def version() -> JSONResponse:
        with boards.kept.database.read() as session:
            return JSONResponse({"last": last_vote(session)}, headers={"cache-control": "no-store"})

    @router.get(f"{HERE}/fragility")
    def fragility(request: Request) -> HTMLResponse:
        query = _query(request)
        one, other = (request.query_params.get(name, "") for name in ("one", "other"))
        part = "fragility_part.html" if "x-part" in request.headers else "fragility.html"
        found: dict[str, Any] = {"swaps": [], "problem": "", "names": []}
        try:
            choice = BoardChoice("all" if query.source == BOTH else query.source, query.category)
            published = boards.published(choice, query.at)
            found["names"] = sorted(row.model for row in published.board.rows if row.battles)
            key = ("fragile", choice, query.at, one, other)
            found["swaps"] = boards.kept.get(key, lambda _session: _swaps(published, one, other))
        except NoSuchBoard as problem:
            found["problem"] = str(problem)
        page = templates.get_template(part).render(here=HERE, query=query, one=one, other=other, **found)
        return HTMLResponse(page, 404 if found["problem"] else 200)

    @router.get("/plots/{name}.data.json")
    def plot_data(name: str, request: Request) -> JSONResponse:
        return JSONResponse(_rows(boards, _plot(name), _query(request)))

    @router.get("/plots/{name}.csv")
    def plot_csv(name: str, request: Request) -> Response:
        return csv_file(_rows(boards, _plot(name), _query(request)), name)

    @router.get("/plots/{name}.json")
    def plot(name: str, request: Request, narrow: bool = False) -> Response:
        one = _plot(name)
        try:
            rows = one.fit(rows_of(one, boards, _query(request)), narrow)
        except NoSuchBoard as problem:
            return JSONResponse({"notice": notice(one, problem)})
        if not rows:
            return JSONResponse({"notice": notice(one)})
        return Response(one.figure(rows).to_json(), media_type="application/json")

    @router.get("/reading/plotly.js")
    def plotly() -> Response:
        headers = {"content-encoding": "gzip", "cache-control": YEAR, "vary": "accept-encoding"}
        return Response(_plotly(), media_type="text/javascript", headers=headers)

    @router.get("/reading/{name}")
    def static(name: str) -> Response:
        suffix = name[name.rfind(".") :]
        found = files("arena.web") / "static" / name
        if suffix not in KINDS or "/" in name or not found.is_file():
            raise HTTPException(404, f"no file {name!r} here")
        return Response(found.read_bytes(), media_type=KINDS[suffix], headers={"cache-control": "no-cache"})

    return router


def _swaps(published: Published, one: str, other: str) -> list[Swap]:
    """Of two models, of one and its neighbours, or of the neighbours from the top."""
    if one and other:
        return [swap_of(published, one, other)]
    return swaps_around(published, one or other) if one or other else fragile_ranks(published)


_NO_TABLE = {"q": "", "sort": "", "licence": "", "size": "", "price": "", "columns": "", "beside": ""}


def _query(request: Request) -> BoardQuery:
    return BoardQuery.read(request.query_params.multi_items())


def _json_link(query: BoardQuery) -> str:
    words = {**_NO_TABLE, "style": "true" if query.style == "on" else ""}
    return query.link("/api/v1/leaderboard", **words)


def _moved_query(query: BoardQuery) -> MovedQuery:
    source = "all" if query.source == BOTH else query.source
    return MovedQuery(source=source, category=query.category, style=query.style == "on", until=query.at)


def _plot(name: str) -> Plot:
    if name not in BY_NAME:
        raise HTTPException(404, f"no plot {name!r}; there are {', '.join(BY_NAME)}")
    return BY_NAME[name]


def _rows(boards: Boards, plot: Plot, query: BoardQuery) -> list[dict[str, Any]]:
    try:
        return rows_of(plot, boards, query)
    except NoSuchBoard as problem:
        raise HTTPException(404, str(problem)) from problem


@cache
def _plotly() -> bytes:
    """The library as the Python package brings it, packed once: a third of its 4.8 MB goes over the wire."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6)
