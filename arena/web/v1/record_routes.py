"""Routes of records: votes, battles, prompt sets and seals, page by page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from arena.store.content_version import content_version
from arena.web.v1 import examples, records
from arena.web.v1.context import LAST, Limit, Media, Served
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import reply

router = APIRouter(route_class=ProblemRoute)


@router.get("/votes", responses=examples.described(examples.VOTES))
def votes(
    request: Request,
    media: Media,
    served: Served,
    after: Annotated[int, Query(ge=0, le=LAST, description="last vote of the previous page")] = 0,
    limit: Limit = 100,
    source: Annotated[str | None, Query(description="human, judges or judge:NAME")] = None,
) -> Response:
    """Every vote as it is sealed: pseudonyms for voters, no texts."""
    with served.database.read() as session:
        return reply(
            request, media, content_version(session), lambda: records.votes(session, after, limit, source)
        )


@router.get("/battles", responses=examples.described(examples.BATTLES))
def battles(
    request: Request,
    media: Media,
    served: Served,
    after: Annotated[str, Query(description="last battle of the previous page")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    model: str | None = None,
    category: str | None = None,
) -> Response:
    """Battles that their voters share, and those of judges; personal data is redacted."""
    judged = served.settings.web.show_judged
    with served.database.read() as session:
        return reply(
            request,
            media,
            content_version(session),
            lambda: records.battles(session, after, limit, model=model, category=category, judged=judged),
        )


@router.get("/prompts", responses=examples.described(examples.PROMPTS))
def prompts(request: Request, media: Media, served: Served) -> Response:
    """The prompt sets, with the models that have completions for them."""
    with served.database.read() as session:
        page = records.sets(session)
        return reply(request, media, repr(page.rows), lambda: page)


@router.get("/seals", responses=examples.described(examples.SEALS))
def chain(
    request: Request,
    media: Media,
    served: Served,
    after: Annotated[int, Query(ge=0, le=LAST, description="last seal of the previous page")] = 0,
    limit: Limit = 20,
) -> Response:
    """The hash chain over the votes. Save the newest `sha256` for `arena verify --head`."""
    with served.database.read() as session:
        return reply(request, media, content_version(session), lambda: records.chain(session, after, limit))
