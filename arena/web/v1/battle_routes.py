"""Routes of battles: begin, continue, follow, vote. Each calls one use case and answers with the battle."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from arena.battles.battles import Battles
from arena.battles.refusals import BattleRefused
from arena.battles.views import BattleView
from arena.config import Settings
from arena.errors import DatabaseUnavailable
from arena.rules.prompt_limits import PromptRejected
from arena.web.outages import OUTAGES
from arena.web.session import CookieSigner
from arena.web.v1 import battle_examples as examples
from arena.web.v1 import battle_requests as bodies
from arena.web.v1.battle_problems import (
    NOT_FOUND,
    NOT_JSON,
    NOT_SAVED,
    UNREACHABLE,
    BattleProblem,
    problem_of,
)
from arena.web.v1.battle_replies import battle_document
from arena.web.v1.battle_stream import battle_events
from arena.web.v1.event_stream import EVENT_STREAM, EventStream, event
from arena.web.v1.problems import HEAD, ProblemRoute, described, problem
from arena.web.v1.stream_places import StreamPlaces
from arena.web.v1.turn_writers import writer
from arena.web.v1.visitors import Asking, check_origin

SAFE = frozenset({"GET", "HEAD"})
TOO_MANY_STREAMS = "Your network follows too many battles at once. Close some pages and try again."


@dataclass(frozen=True)
class BattleContext:
    """What the routes of battles share."""

    battles: Battles
    settings: Settings
    signer: CookieSigner
    places: StreamPlaces


async def _context(request: Request) -> BattleContext:
    context: BattleContext = request.app.state.battle_api
    return context


Api = Annotated[BattleContext, Depends(_context)]
Html = Annotated[bool, Query(alias="html", description="1: prompts and completions as HTML, too")]


class BattleRoute(ProblemRoute):
    """A route whose refusals have a `code`. Requests that change something must come from the arena's own pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                await _check(request)
                response = await handle(request)
            except (BattleRefused, PromptRejected) as refusal:
                return _reply(problem_of(refusal), request)
            except BattleProblem as refused:
                return _reply(refused, request)
            except RequestValidationError as error:
                return _reply(BattleProblem("bad_value", described(error)), request)
            except DatabaseUnavailable as outage:
                OUTAGES.report(outage)
                code, text = ("unreachable", UNREACHABLE) if request.method in SAFE else ("not_saved", NOT_SAVED)
                return _reply(BattleProblem(code, text), request)
            response.headers.setdefault("cache-control", "no-store")
            return response

        return handled


async def _check(request: Request) -> None:
    """Raises `BattleProblem` for a change from another site, and for a body that a form of another site can send."""
    if request.method in SAFE:
        return
    context = await _context(request)
    check_origin(request, context.settings.web.public_url)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and await request.body():
        raise BattleProblem("media_type", NOT_JSON)


def _reply(refused: BattleProblem, request: Request) -> Response:
    return problem(refused.status, refused.detail, request, refused.code, refused.headers)


router = APIRouter(prefix="/battles", route_class=BattleRoute, tags=["battles"])


@router.post("", status_code=201, responses=examples.battle_responses(201))
async def begin(body: bodies.Begin, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Begin a battle: two models answer the prompt."""
    view = await api.battles.begin(visitor.voter, body.prompt, visitor.address)
    return _battle(view, html, HTTPStatus.CREATED)


@router.get("/{battle}", responses=examples.battle_responses(200, *examples.READ))
async def state(battle: str, visitor: Asking, api: Api, html: Html = False) -> Response:
    """The battle as it is now."""
    return _battle(await _own(api, visitor.voter, battle), html)


@router.get("/{battle}/stream", responses=examples.STREAM)
async def stream(
    request: Request,
    battle: str,
    visitor: Asking,
    api: Api,
    format: Annotated[Literal["text", "html"], Query(description="of completions")] = "text",  # noqa: A002
    last_event_id: Annotated[str | None, Query(description="in place of the header Last-Event-ID")] = None,
) -> Response:
    """Server-sent events of the last turn until it has ended."""
    view = await _own(api, visitor.voter, battle)
    if request.scope.get(HEAD):
        return Response(media_type=EVENT_STREAM)
    if api.places.is_full(visitor.address or ""):
        raise BattleProblem("limit", TOO_MANY_STREAMS)
    last_id = request.headers.get("last-event-id", last_event_id)
    turn = writer(format == "html", last_id, len(view.exchanges), 1)
    place = api.places.take(visitor.voter, view.public_id, visitor.address or "")
    events = battle_events(api.battles, visitor.voter, view, turn, lambda: place.stream.is_read)
    reply = EventStream(events, place.stream.watched, lambda: api.places.leave(place))
    place.on_replaced = lambda: reply.cut(event("replaced", {}, turn.id))
    return reply


@router.post("/{battle}/turns", responses=examples.battle_responses())
async def continue_(battle: str, body: bodies.Prompt, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Send the next prompt to the same two models."""
    await _own(api, visitor.voter, battle)
    return _battle(await api.battles.continue_(visitor.voter, battle, body.prompt, visitor.address), html)


@router.post("/{battle}/regenerate", responses=examples.battle_responses())
async def regenerate(battle: str, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Run both models again on the last prompt."""
    await _own(api, visitor.voter, battle)
    return _battle(await api.battles.regenerate(visitor.voter, battle, visitor.address), html)


@router.post("/{battle}/vote", responses=examples.battle_responses())
async def vote(battle: str, body: bodies.Ballot, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Vote. The models are named when the vote counts."""
    await _own(api, visitor.voter, battle)
    return _battle(await api.battles.vote(visitor.voter, battle, body.winner, visitor.address), html)


@router.put("/{battle}/shared", responses=examples.battle_responses())
async def share(battle: str, body: bodies.Sharing, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Allow other readers to see the battle, or stop allowing it."""
    await _own(api, visitor.voter, battle)
    return _battle(await api.battles.share(visitor.voter, battle, body.shared), html)


@router.post("/{battle}/leave", status_code=204, responses=examples.problem_responses(*examples.CHANGE))
async def leave(battle: str, visitor: Asking, api: Api) -> Response:
    """Close the battle without a vote."""
    await _own(api, visitor.voter, battle)
    await api.battles.leave(visitor.voter, battle)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _own(api: BattleContext, voter: str, battle: str) -> BattleView:
    """The voter's own battle. Raises `BattleProblem`."""
    view = await api.battles.view(voter, battle)
    if view is None:
        raise BattleProblem("not_found", NOT_FOUND)
    return view


def _battle(view: BattleView, html: bool, status: int = HTTPStatus.OK) -> Response:
    return JSONResponse(battle_document(view, html), status)


sessions = APIRouter(prefix="/sessions", route_class=ProblemRoute, tags=["battles"])


@sessions.post("", status_code=201, responses=examples.SESSION)
async def new_session(api: Api) -> Response:
    """A token for programs: a voter of their own, as a browser gets one with its cookie."""
    token = api.signer.signed(secrets.token_urlsafe(32))
    return JSONResponse({"token": token}, HTTPStatus.CREATED, headers={"cache-control": "no-store"})
