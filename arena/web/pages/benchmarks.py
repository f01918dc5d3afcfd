"""`/benchmarks`: scores by dimension with their plots, and `/benchmarks/N`: the samples of one task."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment
from pydantic import Field

from arena.benchmarking.boards import SHOWN, Line, models_of, side_by_side
from arena.rules.messages import gettext_noop
from arena.web.addresses import Parameters
from arena.web.board_view import CachedBoards
from arena.web.error_pages import missing
from arena.web.locales import gettext as _
from arena.web.names import dimension_name
from arena.web.plots import benchmark_data as data
from arena.web.plots import benchmark_rating_scatter, benchmark_score_bars, radar_chart
from arena.web.rendering import csv_file, figure_json

HERE = "/benchmarks"
PAGE = 20  # samples on one page
SPOKES = 3  # dimensions, below which an outline has no area


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """The table, its plots, and one page for each line of the table."""
    router = APIRouter(include_in_schema=False)
    pages = Pages(boards, templates)
    line = HERE + "/{number:int}"
    router.add_api_route(HERE, pages.table)
    router.add_api_route(f"{HERE}/radar.csv", pages.radar_csv)
    router.add_api_route(f"{HERE}/radar.json", pages.radar_plot)
    router.add_api_route(f"{HERE}/scores.csv", pages.scores_csv)
    router.add_api_route(f"{HERE}/scores.json", pages.scores_plot)
    router.add_api_route(line, pages.samples)
    router.add_api_route(f"{line}/rating.csv", pages.rating_csv)
    router.add_api_route(f"{line}/rating.json", pages.rating_plot)
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    boards: CachedBoards
    templates: Environment

    def table(self, request: Request) -> HTMLResponse:
        template = self.templates.get_template("benchmarks.html")
        return HTMLResponse(template.render(here=HERE, **_table(self.boards, _models(request))))

    def radar_csv(self, request: Request) -> Response:
        rows = data.dimension_rows(data.table(self.boards), _models(request))
        return csv_file(
            [{"model": r["model"], "dimension": r["category"], "share": r["rating"]} for r in rows], "dimensions"
        )

    def radar_plot(self, request: Request) -> Response:
        rows = data.dimension_rows(data.table(self.boards), _models(request))
        if len({row["category"] for row in rows}) < SPOKES:
            return JSONResponse(
                {"notice": _("This plot needs {count} dimensions with runs of the same models.", count=SPOKES)}
            )
        return figure_json(radar_chart.figure(rows, span=(0, 100), name_of=dimension_name))

    def scores_csv(self) -> Response:
        return csv_file(data.score_rows(data.table(self.boards)), "benchmarks")

    def scores_plot(self, request: Request) -> Response:
        rows = data.bar_rows(data.table(self.boards), _models(request))
        if not rows:
            return JSONResponse({"notice": _("No task here has a metric that is a share.")})
        return figure_json(benchmark_score_bars.figure(rows))

    def samples(self, number: int, request: Request) -> HTMLResponse:
        table = data.table(self.boards)
        if not 0 <= number < len(table):
            return missing(self.templates, gettext_noop("The benchmarks' table has no such line."))
        page = _samples(self.boards, table[number], SampleParameters.of(request))
        return HTMLResponse(
            self.templates.get_template("benchmark_samples.html").render(here=HERE, number=number, **page)
        )

    def rating_csv(self, number: int) -> Response:
        rated = data.scores_and_ratings(self.boards, self._line(number))
        columns = zip(rated.models, rated.scores, rated.ratings, strict=True)
        return csv_file([{"model": m, "score": s, "rating": r} for m, s, r in columns], "rating")

    def rating_plot(self, number: int) -> Response:
        line = self._line(number)
        rated = data.scores_and_ratings(self.boards, line)
        if not rated.models:
            return JSONResponse({"notice": _("No model with a run of this task has votes in the arena yet.")})
        title = f"{line.task}: {line.metric}"
        return figure_json(
            benchmark_rating_scatter.figure(rated.models, rated.scores, rated.ratings, title, rated.correlation)
        )

    def _line(self, number: int) -> Line:
        table = data.table(self.boards)
        if not 0 <= number < len(table):
            raise HTTPException(
                404,
                _(
                    "The benchmarks' table has no line {number}. Open {address} for the lines that exist.",
                    number=number,
                    address=HERE,
                ),
            )
        return table[number]


def _models(request: Request) -> list[str]:
    return request.query_params.getlist("models")


def _table(boards: CachedBoards, names: list[str]) -> dict[str, Any]:
    """Values for the page of the selected models, or of all."""
    table = data.table(boards)
    models, every = data.selected_models(table, names), models_of(table)
    rows = [(number, line) for number, line in enumerate(table) if any(model in line.runs for model in models)]
    return {
        "dimensions": [(name, list(part)) for name, part in groupby(rows, lambda item: item[1].dimension)],
        "models": models,
        "every": every,
        "plotted": data.plotted_models(table, names),
        "words": f"?{urlencode([('models', model) for model in models])}" if len(models) < len(every) else "",
        "correlations": {number: data.rating_correlation(boards, line) for number, line in rows},
    }


class SampleParameters(Parameters):
    """The parameters of the samples: two models, which samples, the first one shown."""

    a: str = ""
    b: str = ""
    show: str = "all"
    start: Annotated[int, Field(ge=0, le=10_000_000)] = 0


def _samples(boards: CachedBoards, line: Line, given: SampleParameters) -> dict[str, Any]:
    """Values for the page of a line: two models, which samples, and `PAGE` of them."""
    a = given.a if given.a in line.runs else next(iter(line.runs))
    b = given.b if given.b in line.runs and given.b != a else ""
    show, start = given.show if given.show in SHOWN else "all", given.start
    runs = [line.runs[model] for model in (a, b) if model]
    with boards.cache.database.read() as session:
        pairs = side_by_side(session, runs, show)
    return {
        "line": line, "a": a, "b": b, "runs": runs, "show": show, "shown": SHOWN,
        "pairs": pairs[start : start + PAGE], "total": len(pairs), "start": start, "size": PAGE,
    }  # fmt: skip
