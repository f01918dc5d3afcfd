"""`/leaderboard/fragility`: the votes that would swap two models' ranks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from arena.leaderboards.leaderboard import Published
from arena.leaderboards.query import BOTH, BoardChoice, NoSuchBoard
from arena.leaderboards.robustness import Swap, neighbour_swaps, swap_of, swaps_around
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.locales import text_of

HERE = "/leaderboard/fragility"


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """The page, which `/leaderboard` and `/models/NAME` also load as a part of theirs."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def rank_robustness(request: Request) -> HTMLResponse:
        query = BoardQuery.of(request)
        model, other = (request.query_params.get(name, "") for name in ("one", "other"))
        is_part = "x-part" in request.headers
        template = templates.get_template("rank_robustness_part.html" if is_part else "rank_robustness.html")
        values = _swaps_or_problem(boards, query, model, other)
        page = template.render(here="/leaderboard", query=query, model=model, other=other, **values)
        return HTMLResponse(page, 404 if values["problem"] and not is_part else 200)

    return router


def _swaps_or_problem(boards: CachedBoards, query: BoardQuery, model: str, other: str) -> dict[str, Any]:
    """The swaps of the two models and the names to choose from; or the problem."""
    values: dict[str, Any] = {"swaps": [], "problem": "", "names": []}
    try:
        choice = BoardChoice("all" if query.source == BOTH else query.source, query.category)
        published = boards.published(choice, query.at)
        values["names"] = sorted(row.model for row in published.board.rows if row.battles)
        key = ("fragile", choice, query.at, model, other)
        values["swaps"] = boards.cache.get(key, lambda _session: _swaps(published, model, other))
    except NoSuchBoard as problem:
        values["problem"] = text_of(problem)
    return values


def _swaps(published: Published, model: str, other: str) -> list[Swap]:
    """The swaps of two models, of a model and its neighbours, or of all neighbours from the top."""
    if model and other:
        return [swap_of(published, model, other)]
    return swaps_around(published, model or other) if model or other else neighbour_swaps(published)
