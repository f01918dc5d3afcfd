"""`/plots/NAME.json`, `.csv`, `.data.json`: the leaderboard's plots as Plotly figures, and their rows."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from arena.leaderboards.query import NoSuchBoard
from arena.rules.messages import gettext_noop
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.plots.catalogue import BY_NAME, Plot, first_models, models_of, rows_of
from arena.web.rendering import csv_file, figure_json

NO_MATCH = gettext_noop("No model of this plot matches the search.")


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
        plot, query = _plot(name), BoardQuery.of(request)
        try:
            rows = rows_of(plot, boards, query)
        except NoSuchBoard as problem:
            return JSONResponse({"notice": text_of(problem)})
        drawn = plot.fit(first_models(rows, plot.most(query, narrow)), narrow)
        if not drawn:
            return JSONResponse({"notice": _(NO_MATCH if query.q and not rows else plot.empty)})
        figure = (plot.narrow_figure if narrow and plot.narrow_figure else plot.figure)(drawn)
        return figure_json(figure, **_note(plot, query, len(models_of(drawn)), len(models_of(rows))))

    return router


def _note(plot: Plot, query: BoardQuery, drawn: int, models: int) -> dict[str, str]:
    """What a plot leaves out, and the address that draws it, for the page."""
    if drawn == models:
        return {}
    text = _(
        "The {drawn} best of {models} models are drawn; search above to draw others.", drawn=drawn, models=models
    )
    note = {"note": text}
    if not plot.can_draw_all:
        return note
    link = query.link("/leaderboard", plot=plot.name, draw="all", models=()) + "#plots"
    return {**note, "all": link, "all_label": _("Draw all {models}", models=models)}


def _plot(name: str) -> Plot:
    if name not in BY_NAME:
        raise HTTPException(
            404, _("There is no plot {name!r}. Choose one of {plots}.", name=name, plots=", ".join(BY_NAME))
        )
    return BY_NAME[name]
