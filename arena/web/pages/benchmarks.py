"""`/benchmarks`: scores by dimension, and the samples of one task, two models side by side."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from arena.benchmarking.boards import SHOWN, Line, models_of, side_by_side
from arena.web.board_view import Boards
from arena.web.error_pages import missing
from arena.web.plots import benchmark_figures as pictures

HERE = pictures.HERE
PAGE = 20  # samples on one page


def routes(boards: Boards, templates: Environment) -> APIRouter:
    """The table, its pictures, and one page a line of it."""
    router = APIRouter(include_in_schema=False)
    router.include_router(pictures.routes(boards))

    @router.get(HERE)
    def table(request: Request) -> HTMLResponse:
        asked = request.query_params.getlist("models")
        return HTMLResponse(templates.get_template("benchmarks.html").render(here=HERE, **_table(boards, asked)))

    @router.get(HERE + "/{number:int}")
    def samples(number: int, request: Request) -> HTMLResponse:
        there = pictures.table(boards)
        if not 0 <= number < len(there):
            return missing(templates, "There is no such line of the benchmarks' table.")
        return HTMLResponse(_samples(boards, templates, there[number], number, dict(request.query_params)))

    return router


def _table(boards: Boards, asked: list[str]) -> dict[str, Any]:
    """What the page shows of the models asked for, or of all."""
    there = pictures.table(boards)
    shown = pictures.chosen(there, asked)
    own = [(number, line) for number, line in enumerate(there) if any(model in line.runs for model in shown)]
    every = models_of(there)
    return {
        "dimensions": [(name, list(part)) for name, part in groupby(own, lambda item: item[1].dimension)],
        "models": shown,
        "every": every,
        "pictured": pictures.pictured(there, asked),
        "words": f"?{urlencode([('models', model) for model in shown])}" if len(shown) < len(every) else "",
        "correlations": {number: pictures.correlation(boards, line) for number, line in own},
    }


def _samples(boards: Boards, templates: Environment, line: Line, number: int, words: dict[str, str]) -> str:
    """The page of a line: two models, which samples, and so many of them."""
    models = list(line.runs)
    a = words.get("a") if words.get("a") in line.runs else models[0]
    b = words.get("b") if words.get("b") in line.runs and words.get("b") != a else ""
    show = words["show"] if words.get("show") in SHOWN else "all"
    start = int(words["start"]) if words.get("start", "").isdigit() else 0
    taken = [line.runs[model] for model in (a, b) if model]
    with boards.cache.database.read() as session:
        pairs = side_by_side(session, taken, show)
    return templates.get_template("samples.html").render(
        here=HERE,
        line=line,
        number=number,
        a=a,
        b=b,
        taken=taken,
        show=show,
        shown=SHOWN,
        pairs=pairs[start : start + PAGE],
        total=len(pairs),
        start=start,
        size=PAGE,
    )
