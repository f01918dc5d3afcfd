"""The pictures of `/benchmarks` and their data: bars of scores, dimensions, and one line's scores against ratings."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from arena.benchmarking.boards import Line, lines, means, models_of, most_evaluated, names_of
from arena.leaderboards.model_profile import row_of
from arena.leaderboards.query import BoardChoice
from arena.web.board_view import Boards
from arena.web.plots import benchmarks as against_rating
from arena.web.plots import radar, scores
from arena.web.plots.benchmarks import Correlation
from arena.web.rendering import csv_file

HERE = "/benchmarks"
BARS = 6  # models that bars can be told apart by
SPOKES = 3  # dimensions, below which an outline has no area


def routes(boards: Boards) -> APIRouter:
    """What the figures of `/benchmarks` load; `models` as often as there are models to show."""
    router = APIRouter(include_in_schema=False)
    _of_all(router, boards)
    _of_one(router, boards)
    return router


def _of_all(router: APIRouter, boards: Boards) -> None:
    @router.get(f"{HERE}/radar.csv")
    def spokes_data(request: Request) -> Response:
        rows = _spokes(table(boards), request)
        return csv_file(
            [{"model": r["model"], "dimension": r["category"], "share": r["rating"]} for r in rows], "dimensions"
        )

    @router.get(f"{HERE}/radar.json")
    def spokes(request: Request) -> Response:
        rows = _spokes(table(boards), request)
        if len({row["category"] for row in rows}) < SPOKES:
            return JSONResponse({"notice": f"This takes {SPOKES} dimensions that the same models have taken."})
        return _drawn(radar.figure(rows, span=(0, 100)))

    @router.get(f"{HERE}/scores.json")
    def bars(request: Request) -> Response:
        rows = bar_rows(table(boards), request.query_params.getlist("models"))
        return _drawn(scores.figure(rows)) if rows else JSONResponse({"notice": "No task here is a share."})

    @router.get(f"{HERE}/scores.csv")
    def values() -> Response:
        rows = [{"model": model, **one.to_dict()} for line in table(boards) for model, one in line.runs.items()]
        plain = [{k: v for k, v in row.items() if not isinstance(v, dict | list)} for row in rows]
        return csv_file(plain, "benchmarks")


def _of_one(router: APIRouter, boards: Boards) -> None:
    @router.get(HERE + "/{number:int}/rating.csv")
    def rating_data(number: int) -> Response:
        columns = _beside(boards, _line(boards, number))
        return csv_file(
            [{"model": m, "score": s, "rating": r} for m, s, r in zip(*columns, strict=True)], "rating"
        )

    @router.get(HERE + "/{number:int}/rating.json")
    def rating(number: int) -> Response:
        line = _line(boards, number)
        models, values, ratings = _beside(boards, line)
        if not models:
            return JSONResponse({"notice": "No model of this task has votes in the arena yet."})
        return _drawn(against_rating.figure(models, values, ratings, f"{line.task}: {line.metric}"))


def table(boards: Boards) -> list[Line]:
    """Every line, as the store has it now."""
    with boards.cache.database.read() as session:
        return lines(session)


def chosen(found: list[Line], asked: list[str]) -> list[str]:
    """The models asked for that have runs, or all of them, by name."""
    there = models_of(found)
    return [model for model in there if model in asked] or there


def pictured(found: list[Line], asked: list[str]) -> list[str]:
    """Of the chosen models so many as a picture can tell apart."""
    own = chosen(found, asked)
    return own if len(own) <= BARS else [model for model in most_evaluated(found, len(own)) if model in own][:BARS]


def bar_rows(found: list[Line], asked: list[str]) -> list[dict[str, Any]]:
    """Rows of `scores.figure`, a model after the other: of the lines whose values are shares, in percent."""
    named = list(zip(names_of(found), found, strict=True))
    return [
        {
            "model": model,
            "task": f"{name} ↓" if line.less_is_better else name,
            "value": 100 * line.rates[model],
            "lower": _percent(line.runs[model].row.lower),
            "upper": _percent(line.runs[model].row.upper),
        }
        for model in pictured(found, asked)
        for name, line in named
        if model in line.rates
    ]


def correlation(boards: Boards, line: Line) -> Correlation | None:
    """Of the line's scores with the arena's ratings."""
    _, values, ratings = _beside(boards, line)
    return against_rating.correlation(values, ratings)


def _spokes(found: list[Line], request: Request) -> list[dict[str, Any]]:
    return means(found, pictured(found, request.query_params.getlist("models")))


def _line(boards: Boards, number: int) -> Line:
    there = table(boards)
    if not 0 <= number < len(there):
        raise HTTPException(404, f"the benchmarks' table has no line {number}; /benchmarks shows what there is")
    return there[number]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _drawn(figure: Any) -> Response:
    return Response(figure.to_json(), media_type="application/json")


def _beside(boards: Boards, line: Line) -> tuple[list[str], list[float], list[float]]:
    """Models with both a score and votes: names, scores, ratings."""
    published = boards.published(BoardChoice())
    found = []
    for model, one in line.runs.items():
        row = row_of(published, model)
        if row is not None and row.battles and one.row.value is not None:
            found.append((model, one.row.value, row.rating))
    return [name for name, _, _ in found], [value for _, value, _ in found], [rating for _, _, rating in found]
