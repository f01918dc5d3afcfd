"""`/models/NAME`: one model's ratings, origin, opponents, benchmark scores and battles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

import ratings
from arena.benchmarking.boards import summary
from arena.benchmarking.direction import higher_is_better
from arena.leaderboards.leaderboard import Published
from arena.leaderboards.model_profile import opponents, provenance, row_of
from arena.leaderboards.query import BoardChoice
from arena.rules.model_states import is_private
from arena.rules.votes import HUMAN, OVERALL
from arena.store.battle_search import BattleConditions, search
from arena.store.benchmarks import runs
from arena.store.judge_scores import mean_scores
from arena.store.models import registered_at
from arena.web.board_columns import price_text, size_text
from arena.web.board_view import NOTHING, CachedBoards
from arena.web.error_pages import missing
from arena.web.locales import gettext as _
from arena.web.names import source_name
from arena.web.plots import radar_chart
from arena.web.plots.data import LEAST_VOTES
from arena.web.rendering import csv_file, figure_json, model_link
from arena.web.v1.context import home

SAMPLES = 5  # battles shown
OTHERS = 40  # opponents shown; the plots' data hold all


@dataclass(frozen=True)
class Strength:
    """A model's row in one category, and its lead over its own overall rating."""

    category: str
    row: ratings.Row
    lead: float


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """`/models/NAME` and its plot."""
    router = APIRouter(include_in_schema=False)

    @router.get("/models/{name:path}/strengths.json")
    def strengths_plot(name: str, request: Request) -> Response:
        strengths = _strengths(boards, name, _source(request))
        if len(strengths) < 3:
            return JSONResponse({"notice": _("This plot needs three categories with ten votes each.")})
        return figure_json(radar_chart.figure(_spokes(name, strengths)))

    @router.get("/models/{name:path}/strengths.csv")
    def strengths_csv(name: str, request: Request) -> Response:
        return csv_file(_spokes(name, _strengths(boards, name, _source(request))), "strengths")

    @router.get("/models/{name:path}")
    def model(name: str, request: Request) -> HTMLResponse:
        source = _source(request)
        published = boards.published(BoardChoice(source))
        row = row_of(published, name)
        if row is None and not _is_known(boards, name):
            return missing(templates, _("There is no model {name!r} here.", name=name))
        values = {
            **_standing(boards, published, name, row, source),
            **_origin(boards, name),
            **_records(boards, name),
            "badge": _badge(name, home(request)),
        }
        return HTMLResponse(templates.get_template("model.html").render(here="", name=name, row=row, **values))

    return router


def _is_known(boards: CachedBoards, name: str) -> bool:
    """Whether the arena serves the model, or has anything of it."""
    if name in {model.name for model in boards.settings.models}:
        return True
    if is_private(name):
        return False
    with boards.cache.database.read() as session:
        return registered_at(session, name) is not None


def _standing(
    boards: CachedBoards, published: Published, name: str, row: ratings.Row | None, source: str
) -> dict[str, Any]:
    """Ratings by source and category, and the results against each opponent."""
    met = opponents(published, name)
    return {
        "models": len(published.board.rows),
        "source": source,
        "sources": boards.sources(),
        "source_name": boards.sources().get(source, source),
        "standings": _ratings_by_source(boards, name),
        "strengths": _strengths(boards, name, source),
        "share": row.battles / (2 * published.board.battles) if row else None,
        "opponents": met[:OTHERS],
        "all_opponents": len(met),
    }


def _origin(boards: CachedBoards, name: str) -> dict[str, Any]:
    """Who made the model, and how this arena calls it."""
    return {
        "facts": boards.facts().get(name, NOTHING),
        "size_text": size_text,
        "price_text": price_text,
        "provenance": provenance(boards.settings.models, name),
    }


def _records(boards: CachedBoards, name: str) -> dict[str, Any]:
    """Benchmark scores and readable battles from the store."""
    with boards.cache.database.read() as session:
        battles, _ = search(session, BattleConditions(model=name), judged=boards.settings.web.show_judged)
        return {
            "since": registered_at(session, name),
            "scores": [
                (run.row, summary(run), not higher_is_better(run.row.task)) for run in runs(session, model=name)
            ],
            "judge_scores": mean_scores(session, name),
            "samples": battles[:SAMPLES],
        }


def _badge(name: str, arena: str) -> dict[str, str]:
    """The addresses of the model's badge and page, as another site writes them."""
    return {
        "image": f"{arena}/api/v1/badge.svg?model={quote(name, safe='')}",
        "page": f"{arena}{model_link(name)}",
    }


def _spokes(name: str, strengths: list[Strength]) -> list[dict[str, Any]]:
    return [
        {"model": name, "category": strength.category, "rating": strength.row.rating, "lower": strength.row.lower,
         "upper": strength.row.upper, "battles": strength.row.battles}
        for strength in strengths
    ]  # fmt: skip


def _source(request: Request) -> str:
    """The source of an address. Raises `NoSuchBoard`."""
    return BoardChoice(request.query_params.get("source") or HUMAN).source


def _ratings_by_source(boards: CachedBoards, name: str) -> list[tuple[str, Any]]:
    """(source, row) on each board on which the model has votes."""
    rows = []
    for source in boards.sources():
        if source == "all":
            continue
        published = boards.find(BoardChoice(source))
        row = row_of(published, name) if published else None
        if row is not None and row.battles:
            rows.append((source_name(source), row))
    return rows


def _strengths(boards: CachedBoards, name: str, source: str) -> list[Strength]:
    """The categories with enough votes, best first."""
    overall = row_of(boards.published(BoardChoice(source)), name)
    if overall is None:
        return []
    strengths = []
    for category, votes in boards.categories(source).items():
        if category == OVERALL or votes < LEAST_VOTES:
            continue
        published = boards.find(BoardChoice(source, category))
        row = row_of(published, name) if published else None
        if row is not None and row.battles:
            strengths.append(Strength(category, row, row.rating - overall.rating))
    return sorted(strengths, key=lambda strength: -strength.row.rating)
