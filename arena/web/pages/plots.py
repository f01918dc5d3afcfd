"""What the reading pages load: the leaderboard's plots with their data, the style, the scripts."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from arena.leaderboards.query import NoSuchBoard
from arena.web.board_query import BoardQuery
from arena.web.board_view import Boards
from arena.web.plots.data import BY_NAME, Plot, notice, rows_of
from arena.web.rendering import csv_file

YEAR = "public, max-age=31536000, immutable"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes(boards: Boards) -> APIRouter:
    """`/plots/…` and `/reading/…`."""
    router = APIRouter(include_in_schema=False)
    _plots(router, boards)
    _files(router)
    return router


def query_of(request: Request) -> BoardQuery:
    """The board that an address asks for."""
    return BoardQuery.read(request.query_params.multi_items())


def _plots(router: APIRouter, boards: Boards) -> None:
    @router.get("/plots/{name}.data.json")
    def plot_data(name: str, request: Request) -> JSONResponse:
        return JSONResponse(_rows(boards, _plot(name), query_of(request)))

    @router.get("/plots/{name}.csv")
    def plot_csv(name: str, request: Request) -> Response:
        return csv_file(_rows(boards, _plot(name), query_of(request)), name)

    @router.get("/plots/{name}.json")
    def plot(name: str, request: Request, narrow: bool = False) -> Response:
        one = _plot(name)
        try:
            rows = one.fit(rows_of(one, boards, query_of(request)), narrow)
        except NoSuchBoard as problem:
            return JSONResponse({"notice": notice(one, problem)})
        if not rows:
            return JSONResponse({"notice": notice(one)})
        return Response(one.figure(rows).to_json(), media_type="application/json")


def _files(router: APIRouter) -> None:
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
