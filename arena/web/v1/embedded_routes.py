"""Routes of what other pages embed: a badge, a table and a feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from arena.leaderboards.query import BoardChoice
from arena.rules.votes import HUMAN, OVERALL
from arena.store.ledger import last_seal, seals
from arena.web.locales import current_language
from arena.web.v1 import embedded, examples
from arena.web.v1.context import Category, Served, Source, home
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import CACHE, entity_tag

FEED = 200  # seals that the feed covers
router = APIRouter(route_class=ProblemRoute)


@router.get("/badge.svg", responses=examples.described("<svg …/>", embedded.MEDIA_SVG))
def badge(
    request: Request, served: Served, model: str, source: Source = HUMAN, category: Category = OVERALL
) -> Response:
    """A badge with the rank and rating of a model, for a README."""

    def make() -> str:
        rows: Any = served.published(BoardChoice(source, category)).to_dict()["models"]
        return embedded.badge(
            served.settings.web.title, next((row for row in rows if row["model"] == model), None)
        )

    return _reply(request, served.cache.version(), make, embedded.MEDIA_SVG, embedded.SVG_POLICY)


@router.get("/table.html", responses=examples.described("<!doctype html>…", "text/html"))
def table(
    request: Request,
    served: Served,
    source: Source = HUMAN,
    category: Category = OVERALL,
    top: Annotated[int, Query(ge=1, le=500)] = 20,
) -> Response:
    """A leaderboard for an iframe, without scripts and external resources."""
    choice = BoardChoice(source, category)

    def make() -> str:
        board = served.published(choice)
        return embedded.table(served.settings.web.title, board, top, f"{home(request)}/leaderboard")

    return _reply(
        request, f"{served.cache.version()} {current_language().code}", make, "text/html", embedded.TABLE_POLICY
    )


@router.get("/feed.atom", responses=examples.described("<feed …/>", embedded.MEDIA_ATOM))
def feed(request: Request, served: Served) -> Response:
    """Changes of the sealed leaderboard: new models and changed ranks."""

    def make() -> bytes:
        with served.database.read() as session:
            last = last_seal(session)
            chain = seals(session, max(0, last.number - FEED) if last else 0)
        return embedded.feed(served.settings.web.title, home(request), chain, served.signer)

    return _reply(request, served.cache.version(), make, embedded.MEDIA_ATOM)


def _reply(
    request: Request, state: str, make: Callable[[], str | bytes], media: str, policy: str | None = None
) -> Response:
    """The content that `make` computes, or 304 if the client has it."""
    tag = entity_tag(request, state, media)
    headers = {"ETag": tag, "Cache-Control": CACHE, "Access-Control-Allow-Origin": "*"}
    headers |= {"Content-Security-Policy": policy} if policy else {}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(make(), media_type=media, headers=headers)
