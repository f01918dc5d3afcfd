"""`/benchmarks`: scores by dimension, their plots, and the samples of one task, two models side by side."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

from arena.benchmark_boards import SHOWN, Line, lines, means, models_of, side_by_side
from arena.board_choice import BoardChoice
from arena.model_profile import row_of
from arena.web.board_view import Boards
from arena.web.plots import benchmarks as against_rating
from arena.web.plots import radar, scores
from arena.web.plots.benchmarks import Correlation, correlation
from arena.web.rendering import csv_file, missing

HERE = "/benchmarks"
PAGE = 20  # samples on one page
BARS = 6  # models that bars can be told apart by


def routes(boards: Boards, templates: Environment) -> APIRouter:
    """The table, its plots, and one page a line of it."""
    router = APIRouter(include_in_schema=False)

    def found() -> list[Line]:
        with boards.kept.database.read() as session:
            return lines(session)

    @router.get(HERE)
    def table() -> HTMLResponse:
        there = found()
        grouped = [(name, list(own)) for name, own in groupby(enumerate(there), lambda item: item[1].dimension)]
        page = templates.get_template("benchmarks.html").render(
            here=HERE,
            dimensions=grouped,
            models=models_of(there),
            correlations=[_correlation(boards, line) for line in there],
        )
        return HTMLResponse(page)

    @router.get(f"{HERE}/radar.csv")
    def spokes_data() -> Response:
        rows = [
            {"model": row["model"], "dimension": row["category"], "share": row["rating"]} for row in means(found())
        ]
        return csv_file(rows, "dimensions")

    @router.get(f"{HERE}/radar.json")
    def spokes() -> Response:
        rows = means(found())
        if len({row["category"] for row in rows}) < 3:
            return JSONResponse({"notice": "This takes three dimensions that the same models have taken."})
        shown = list(dict.fromkeys(row["model"] for row in rows))[:BARS]
        return _drawn(radar.figure([row for row in rows if row["model"] in shown], span=(0, 100)))

    @router.get(f"{HERE}/scores.json")
    def bars() -> Response:
        there = found()
        shown = models_of(there)[:BARS]
        rows = sorted((row for line in there for row in _bars(line) if row["model"] in shown), key=_by_model)
        return _drawn(scores.figure(rows)) if rows else JSONResponse({"notice": "No task here is a share."})

    @router.get(f"{HERE}/scores.csv")
    def values() -> Response:
        rows = [{"model": model, **one.to_dict()} for line in found() for model, one in line.runs.items()]
        plain = [{k: v for k, v in row.items() if not isinstance(v, dict | list)} for row in rows]
        return csv_file(plain, "benchmarks")

    @router.get(HERE + "/{number:int}/rating.csv")
    def rating_data(number: int) -> Response:
        there = found()
        columns = _beside(boards, there[number]) if 0 <= number < len(there) else ([], [], [])
        rows = [{"model": m, "score": s, "rating": r} for m, s, r in zip(*columns, strict=True)]
        return csv_file(rows, "rating")

    @router.get(HERE + "/{number:int}/rating.json")
    def rating(number: int) -> Response:
        there = found()
        if not 0 <= number < len(there):
            return JSONResponse({"notice": "There is no such line any more."})
        models, values, ratings = _beside(boards, there[number])
        if not models:
            return JSONResponse({"notice": "No model of this task has votes in the arena yet."})
        return _drawn(against_rating.figure(models, values, ratings, there[number].task))

    @router.get(HERE + "/{number:int}")
    def samples(number: int, request: Request) -> HTMLResponse:
        there = found()
        if not 0 <= number < len(there):
            return missing(templates, "There is no such line of the benchmarks' table.")
        return HTMLResponse(_samples(boards, templates, there[number], number, dict(request.query_params)))

    return router


def _samples(boards: Boards, templates: Environment, line: Line, number: int, words: dict[str, str]) -> str:
    """The page of a line: two models, which samples, and so many of them."""
    models = list(line.runs)
    a = words.get("a") if words.get("a") in line.runs else models[0]
    b = words.get("b") if words.get("b") in line.runs and words.get("b") != a else ""
    show = words["show"] if words.get("show") in SHOWN else "all"
    start = int(words["start"]) if words.get("start", "").isdigit() else 0
    taken = [line.runs[model] for model in (a, b) if model]
    with boards.kept.database.read() as session:
        pairs = side_by_side(session, taken, show)
    return templates.get_template("samples.html").render(
        here=HERE,
        line=line,
        number=number,
        a=a,
        b=b,
        show=show,
        shown=SHOWN,
        pairs=pairs[start : start + PAGE],
        total=len(pairs),
        start=start,
        size=PAGE,
    )


def _drawn(figure: Any) -> Response:
    return Response(figure.to_json(), media_type="application/json")


def _by_model(row: dict[str, Any]) -> str:
    return str(row["model"])


def _bars(line: Line) -> list[dict[str, Any]]:
    return [
        {
            "model": model,
            "task": line.task,
            "value": 100 * value,
            "lower": None if (low := line.runs[model].row.lower) is None else 100 * low,
            "upper": None if (high := line.runs[model].row.upper) is None else 100 * high,
        }
        for model, value in line.rates.items()
    ]


def _beside(boards: Boards, line: Line) -> tuple[list[str], list[float], list[float]]:
    """Models with both a score and votes: names, scores, ratings."""
    published = boards.published(BoardChoice())
    found = []
    for model, one in line.runs.items():
        row = row_of(published, model)
        if row is not None and row.battles and one.row.value is not None:
            found.append((model, one.row.value, row.rating))
    return [name for name, _, _ in found], [value for _, value, _ in found], [rating for _, _, rating in found]


def _correlation(boards: Boards, line: Line) -> Correlation | None:
    _, values, ratings = _beside(boards, line)
    return correlation(values, ratings)
