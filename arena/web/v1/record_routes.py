"""Routes of records: votes, battles, prompt sets and seals, page by page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from arena.store.content_version import content_version
from arena.store.schema.battles import now
from arena.trust.sampling_rates import disclosed_variants, last_day_end, sampling_rates
from arena.web.v1 import examples, records
from arena.web.v1.context import LAST, Context, Limit, Media, Served
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import Page, reply

REST = 50.0  # the rates of past days barely change: at most 2 % of a core
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


@router.get("/sampling", responses=examples.described(examples.SAMPLING))
def sampling(request: Request, media: Media, served: Served) -> Response:
    """How often each model was drawn in 30 whole days, by which rule, and the private models of each organisation."""
    day = last_day_end(now())
    return reply(request, media, f"{served.version()} {day.date()}", lambda: _sampling(served, day))


def _sampling(served: Context, day: datetime) -> Page:
    rates = served.cache.get(
        ("sampling", day), lambda session: sampling_rates(session, served.settings.sampling, now()), rest=REST
    ).to_dict()
    with served.database.read() as session:
        private = [asdict(row) for row in disclosed_variants(session)]
    return Page(rates.pop("models"), "models", {**rates, "private_models": private})
