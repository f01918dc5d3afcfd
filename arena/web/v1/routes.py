"""The routes of `/api/v1/…` with their parameters."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from arena import __version__
from arena.config import Settings
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.history import board_at, moment
from arena.leaderboards.leaderboard import Published, publish_choice
from arena.leaderboards.query import BoardChoice
from arena.leaderboards.rating_change import split_change
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Database
from arena.store.content_version import content_version
from arena.store.ledger import last_seal, seals
from arena.web.v1 import embedded, examples, records
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import CACHE, Page, entity_tag, reply, wanted

PREFIX = "/api/v1"
LAST = 2**63 - 1  # the largest number that a database gives a row
FEED = 200  # seals that the feed covers
Source = Annotated[str, Query(description="human, judges, judge:NAME, both (anchored on people) or all")]
Category = Annotated[str, Query(description="overall, or a category of battles")]
Media = Annotated[str, Depends(wanted)]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows on a page; the header Link has the next page")]


def routes(cache: ResultCache, settings: Settings) -> APIRouter:
    """Every route of version 1. The database is that of `cache`."""
    router = APIRouter(prefix=PREFIX, route_class=ProblemRoute)
    _boards(router, settings, cache)
    _records(router, cache.database, settings)
    _embedded(router, settings, cache)

    @router.get("/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        document = get_openapi(title=f"{settings.web.title} v1", version=__version__, routes=router.routes)
        return JSONResponse(document)

    @router.get("/{rest:path}", include_in_schema=False)
    def nothing(rest: str) -> Response:
        raise HTTPException(404, f"{PREFIX}/{rest} not found. See {PREFIX}/openapi.json.")

    return router


def _boards(router: APIRouter, settings: Settings, cache: ResultCache) -> None:
    @router.get("/leaderboard", responses=examples.described(examples.LEADERBOARD))
    def leaderboard(
        request: Request,
        media: Media,
        source: Source = HUMAN,
        category: Category = OVERALL,
        method: Annotated[str, Query(description="bt, davidson or elo")] = "bt",
        style: Annotated[bool, Query(description="control for length and formatting")] = False,
        at: Annotated[str | None, Query(description="end of a past day (UTC), such as 2026-03-01")] = None,
    ) -> Response:
        """Ratings with intervals and ranks, now or on a past day."""
        choice = BoardChoice(source, category, method, style)
        if at is not None and (style or method != "bt" or source == "both"):
            raise HTTPException(
                422, "at: past days have Bradley–Terry leaderboards only. Leave out method, style and source both."
            )

        def make() -> Page:
            if at is not None:
                day, version = moment(at), settings.ledger.filter
                past = cache.get(
                    ("past", choice, day),
                    lambda session: board_at(session, day, source, category, version),
                    exact=True,
                )
                plain = past.to_dict()
            else:
                plain = dict(_published(cache, choice).to_dict())
            return Page(plain.pop("models"), "models", plain)

        return reply(request, media, cache.version(), make)

    @router.get("/models", responses=examples.described(examples.MODELS))
    def models(request: Request, media: Media) -> Response:
        """Every model with its place on the leaderboard of people, and its facts."""

        def make() -> Page:
            with cache.database.read() as session:
                return records.models(session, _published(cache, BoardChoice()), settings.models)

        return reply(request, media, cache.version(), make)

    @router.get("/moved", responses=examples.described(examples.MOVED))
    def why(
        request: Request,
        media: Media,
        model: str,
        since: Annotated[str, Query(alias="from", description="such as 2026-03-01 (its end, UTC)")],
        until: Annotated[str, Query(alias="to", description="second day")],
        source: Source = HUMAN,
        category: Category = OVERALL,
        style: bool = False,
    ) -> Response:
        """A rating change as a sum of steps: new votes, new opponents, filters and style (CSV: the steps)."""

        def make() -> Page:
            days = moment(since), moment(until)
            chosen: dict[str, Any] = {"source": source, "category": category, "style": style}
            key = (model, days, *chosen.values())
            version = settings.ledger.filter
            split = cache.get(
                key, lambda session: split_change(session, model, *days, **chosen, version=version), exact=True
            )
            change = split.to_dict()
            steps = {**change["steps"], "change": change["change"]}
            table = [{"step": name, "points": points} for name, points in steps.items()]
            return Page(change.pop("opponents"), "opponents", change, table=table)

        return reply(request, media, cache.version(), make)


def _records(router: APIRouter, database: Database, settings: Settings) -> None:
    @router.get("/votes", responses=examples.described(examples.VOTES))
    def votes(
        request: Request,
        media: Media,
        after: Annotated[int, Query(ge=0, le=LAST, description="last vote of the previous page")] = 0,
        limit: Limit = 100,
        source: Annotated[str | None, Query(description="human, judges or judge:NAME")] = None,
    ) -> Response:
        """Every vote as it is sealed: pseudonyms for voters, no texts."""
        with database.read() as session:
            return reply(
                request, media, content_version(session), lambda: records.votes(session, after, limit, source)
            )

    @router.get("/battles", responses=examples.described(examples.BATTLES))
    def battles(
        request: Request,
        media: Media,
        after: Annotated[str, Query(description="last battle of the previous page")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        model: str | None = None,
        category: str | None = None,
    ) -> Response:
        """Battles that their voters share, and those of judges; personal data is redacted."""
        judged = settings.web.show_judged
        with database.read() as session:
            return reply(
                request,
                media,
                content_version(session),
                lambda: records.battles(session, after, limit, model=model, category=category, judged=judged),
            )

    @router.get("/prompts", responses=examples.described(examples.PROMPTS))
    def prompts(request: Request, media: Media) -> Response:
        """The prompt sets, with the models that have completions for them."""
        with database.read() as session:
            page = records.sets(session)
            return reply(request, media, repr(page.rows), lambda: page)

    @router.get("/seals", responses=examples.described(examples.SEALS))
    def chain(
        request: Request,
        media: Media,
        after: Annotated[int, Query(ge=0, le=LAST, description="last seal of the previous page")] = 0,
        limit: Limit = 20,
    ) -> Response:
        """The hash chain over the votes. Save the newest `sha256` for `arena verify --head`."""
        with database.read() as session:
            return reply(request, media, content_version(session), lambda: records.chain(session, after, limit))


def _embedded(router: APIRouter, settings: Settings, cache: ResultCache) -> None:
    title = settings.web.title

    def sent(request: Request, body: Any, media: str, policy: str | None = None) -> Response:
        """The content of `body`, which is computed if the client does not have it."""
        tag = entity_tag(request, cache.version(), media)
        headers = {"ETag": tag, "Cache-Control": CACHE, "Access-Control-Allow-Origin": "*"}
        headers |= {"Content-Security-Policy": policy} if policy else {}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body(), media_type=media, headers=headers)

    @router.get("/badge.svg", responses=examples.described("<svg …/>", embedded.MEDIA_SVG))
    def badge(request: Request, model: str, source: Source = HUMAN, category: Category = OVERALL) -> Response:
        """A badge with the rank and rating of a model, for a README."""

        def make() -> str:
            rows: Any = _published(cache, BoardChoice(source, category)).to_dict()["models"]
            return embedded.badge(title, next((row for row in rows if row["model"] == model), None))

        return sent(request, make, embedded.MEDIA_SVG, embedded.SVG_POLICY)

    @router.get("/table.html", responses=examples.described("<!doctype html>…", "text/html"))
    def table(
        request: Request,
        source: Source = HUMAN,
        category: Category = OVERALL,
        top: Annotated[int, Query(ge=1, le=500)] = 20,
    ) -> Response:
        """A leaderboard for an iframe, without scripts and external resources."""
        home = f"{_home(request)}/leaderboard"
        choice = BoardChoice(source, category)
        return sent(
            request,
            lambda: embedded.table(title, _published(cache, choice), top, home),
            "text/html",
            embedded.TABLE_POLICY,
        )

    @router.get("/feed.atom", responses=examples.described("<feed …/>", embedded.MEDIA_ATOM))
    def feed(request: Request) -> Response:
        """Changes of the sealed leaderboard: new models and changed ranks."""

        def make() -> bytes:
            with cache.database.read() as session:
                last = last_seal(session)
                chain = seals(session, max(0, last.number - FEED) if last else 0)
            return embedded.feed(title, _home(request), chain)

        return sent(request, make, embedded.MEDIA_ATOM)


def _published(cache: ResultCache, choice: BoardChoice) -> Published:
    """The board of the votes so far. Raises `NoSuchBoard`."""
    return cache.get(choice, lambda session: publish_choice(session, choice), exact=True)


def _home(request: Request) -> str:
    return str(request.base_url).rstrip("/")
