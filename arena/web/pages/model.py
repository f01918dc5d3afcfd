"""The page of one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

import ratings
from arena.benchmarking.boards import summary
from arena.benchmarking.direction import higher_is_better
from arena.leaderboards.model_profile import opponents, provenance, row_of
from arena.leaderboards.query import BoardChoice, NoSuchBoard
from arena.rules.votes import HUMAN, OVERALL
from arena.store.battle_search import Search, search
from arena.store.benchmarks import runs
from arena.store.models import registered_at
from arena.web.board_columns import price_text, size_text
from arena.web.board_view import NOTHING, SOURCE_NAMES, Boards
from arena.web.error_pages import missing
from arena.web.plots import radar
from arena.web.plots.data import LEAST_VOTES
from arena.web.rendering import csv_file

SAMPLES = 5  # battles shown
OTHERS = 40  # opponents shown; the rest is in the plots' data


@dataclass(frozen=True)
class Strength:
    """A model's row in one category, and its lead over its own overall rating."""

    category: str
    row: ratings.Row
    lead: float


def routes(boards: Boards, templates: Environment) -> APIRouter:
    """`/models/NAME` and its plot."""
    router = APIRouter(include_in_schema=False)

    @router.get("/models/{name:path}/strengths.json")
    def strengths_plot(name: str, request: Request) -> Response:
        found = _strengths(boards, name, _source(request))
        if len(found) < 3:
            return JSONResponse({"notice": "This takes three categories with ten votes each."})
        rows = _spokes(name, found)
        return Response(radar.figure(rows).to_json(), media_type="application/json")

    @router.get("/models/{name:path}/strengths.csv")
    def strengths_data(name: str, request: Request) -> Response:
        return csv_file(_spokes(name, _strengths(boards, name, _source(request))), "strengths")

    @router.get("/models/{name:path}")
    def model(name: str, request: Request) -> HTMLResponse:
        source = _source(request)
        published = boards.published(BoardChoice(source))
        row = row_of(published, name)
        if row is None:
            return missing(templates, f"No model is called {name!r} here.")
        with boards.cache.database.read() as session:
            since = registered_at(session, name)
            scores = [
                (one.row, summary(one), not higher_is_better(one.row.task)) for one in runs(session, model=name)
            ]
            samples, _ = search(session, Search(model=name), judged=boards.settings.web.show_judged)
        met = opponents(published, name)
        page = templates.get_template("model.html").render(
            here="",
            name=name,
            row=row,
            models=len(published.board.rows),
            source=source,
            sources=boards.sources(),
            source_name=boards.sources().get(source, source),
            standings=_standings(boards, name),
            facts=boards.facts().get(name, NOTHING),
            size_text=size_text,
            price_text=price_text,
            provenance=provenance(boards.settings.models, name),
            share=row.battles / (2 * published.board.battles) if published.board.battles else None,
            since=since,
            opponents=met[:OTHERS],
            all_opponents=len(met),
            strengths=_strengths(boards, name, source),
            scores=scores,
            samples=samples[:SAMPLES],
        )
        return HTMLResponse(page)

    return router


def _spokes(name: str, strengths: list[Strength]) -> list[dict[str, Any]]:
    return [
        {"model": name, "category": one.category, "rating": one.row.rating, "lower": one.row.lower,
         "upper": one.row.upper, "battles": one.row.battles}
        for one in strengths
    ]  # fmt: skip


def _source(request: Request) -> str:
    source = request.query_params.get("source", HUMAN)
    try:
        return BoardChoice(source).source
    except NoSuchBoard as problem:
        raise HTTPException(404, str(problem)) from problem


def _standings(boards: Boards, name: str) -> list[tuple[str, Any]]:
    """(source, row) on every source's board on which the model has votes."""
    found = []
    for source in boards.sources():
        if source == "all":
            continue
        try:
            row = row_of(boards.published(BoardChoice(source)), name)
        except NoSuchBoard:
            continue  # people or judges have not voted yet: that board is simply not listed
        if row is not None and row.battles:
            found.append((SOURCE_NAMES.get(source, source.replace("judge:", "Judge ")), row))
    return found


def _strengths(boards: Boards, name: str, source: str) -> list[Strength]:
    """The categories with enough votes, best first."""
    overall = row_of(boards.published(BoardChoice(source)), name)
    if overall is None:
        return []
    found = []
    for category, votes in boards.categories(source).items():
        if category == OVERALL or votes < LEAST_VOTES:
            continue
        row = row_of(boards.published(BoardChoice(source, category)), name)
        if row is not None and row.battles:
            found.append(Strength(category, row, row.rating - overall.rating))
    return sorted(found, key=lambda one: -one.row.rating)
