"""`/plots/NAME.json`, `.csv`, `.data.json`: the leaderboard's plots as Plotly figures, and their rows."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from arena.leaderboards.query import NoSuchBoard
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.plots.catalogue import BY_NAME, Plot, rows_of
from arena.web.rendering import csv_file, figure_json


def routes(boards: CachedBoards) -> APIRouter:
    """Each plot in its three formats."""
    router = APIRouter(include_in_schema=False)

    @router.get("/plots/{name}.data.json")
    def plot_rows(name: str, request: Request) -> JSONResponse:
        return JSONResponse(rows_of(_plot(name), boards, BoardQuery.of(request)))

    @router.get("/plots/{name}.csv")
    def plot_csv(name: str, request: Request) -> Response:
        return csv_file(rows_of(_plot(name), boards, BoardQuery.of(request)), name)

    @router.get("/plots/{name}.json")
    def plot_figure(name: str, request: Request, narrow: bool = False) -> Response:
        plot = _plot(name)
        try:
            rows = plot.fit(rows_of(plot, boards, BoardQuery.of(request)), narrow)
        except NoSuchBoard as problem:
            return JSONResponse({"notice": text_of(problem)})
        return figure_json(plot.figure(rows)) if rows else JSONResponse({"notice": _(plot.empty)})

    return router


def _plot(name: str) -> Plot:
    if name not in BY_NAME:
        raise HTTPException(
            404, _("There is no plot {name!r}. Choose one of {plots}.", name=name, plots=", ".join(BY_NAME))
        )
    return BY_NAME[name]
