"""Routes of battles: begin, continue, follow, vote. Each calls one use case and answers with the battle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from arena.battles.refusals import NOT_YOURS
from arena.battles.views import BattleView
from arena.rules.messages import gettext_noop
from arena.rules.modes import Mode
from arena.web.session import new_session as random_session
from arena.web.v1 import battle_examples as examples
from arena.web.v1 import battle_requests as bodies
from arena.web.v1.battle_context import Api, BattleContext, BattleRoute
from arena.web.v1.battle_problems import BattleProblem
from arena.web.v1.battle_replies import battle_document
from arena.web.v1.battle_stream import battle_events
from arena.web.v1.event_stream import EVENT_STREAM, EventStream, event
from arena.web.v1.problems import HEAD, ProblemRoute
from arena.web.v1.reveal import reveal_of
from arena.web.v1.turn_writers import writer
from arena.web.v1.visitors import Asking

TOO_MANY_STREAMS = gettext_noop("Your network follows too many battles at once. Close some pages and try again.")

Html = Annotated[bool, Query(alias="html", description="1: prompts and completions as HTML, too")]
BATTLE, NOTHING = examples.battle_responses(), examples.problem_responses(*examples.CHANGE)
router = APIRouter(prefix="/battles", route_class=BattleRoute, tags=["battles"])


@router.post("", status_code=201, responses=examples.BEGIN)
async def begin(body: bodies.Begin, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Begin a battle: two drawn models answer the prompt, or those that are named."""
    begun = api.battles.begin(
        visitor.voter,
        body.prompt,
        visitor.address,
        mode=Mode(body.mode),
        models=body.models,
        images=body.images,
        again=body.again,
        answer=body.answer,
    )
    return await _battle(api, begun, html, HTTPStatus.CREATED)


@router.get("/{battle}", responses=examples.battle_responses(200, *examples.READ))
async def state(battle: str, visitor: Asking, api: Api, html: Html = False) -> Response:
    """The battle as it is now."""
    return await _battle(api, _own(api, visitor.voter, battle), html)


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
    address = visitor.address or ""
    if api.places.is_full(address):
        raise BattleProblem("limit", TOO_MANY_STREAMS)
    last_id = request.headers.get("last-event-id", last_event_id)
    turn = writer(format == "html", last_id, view.turn, view.attempt)
    place = api.places.take(visitor.voter, view.public_id, address)
    events = battle_events(api.battles, visitor.voter, view, turn, lambda: place.stream.is_read)
    reply = EventStream(events, place.stream.watched, lambda: api.places.leave(place))
    place.on_replaced = lambda: reply.cut(event("replaced", {}, turn.id))
    return reply


@router.post("/{battle}/turns", responses=BATTLE)
async def continue_(battle: str, body: bodies.Prompt, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Send the next prompt to the same models."""
    after = api.battles.continue_(visitor.voter, battle, body.prompt, visitor.address, images=body.images)
    return await _battle(api, after, html)


@router.put("/{battle}/turns/last", responses=BATTLE)
async def edit(battle: str, body: bodies.EditedPrompt, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Replace the last prompt, and run the models again."""
    return await _battle(api, api.battles.edit(visitor.voter, battle, body.prompt, visitor.address), html)


@router.post("/{battle}/stop", responses=BATTLE)
async def stop(battle: str, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Stop the models now. The texts so far stay, and can be voted on."""
    return await _battle(api, api.battles.stop(visitor.voter, battle), html)


@router.post("/{battle}/regenerate", responses=BATTLE)
async def regenerate(
    battle: str, visitor: Asking, api: Api, body: bodies.AnySide | None = None, html: Html = False
) -> Response:
    """Run both models again on the last prompt, or only that of one side."""
    side = body.side if body else None
    return await _battle(api, api.battles.regenerate(visitor.voter, battle, visitor.address, side=side), html)


@router.post("/{battle}/reroll", responses=BATTLE)
async def reroll(battle: str, body: bodies.OneSide, visitor: Asking, api: Api, html: Html = False) -> Response:
    """After a failure on its first prompt: draw another model for this side, and run both."""
    return await _battle(api, api.battles.reroll(visitor.voter, battle, body.side, visitor.address), html)


@router.post("/{battle}/retry", responses=BATTLE)
async def retry(battle: str, visitor: Asking, api: Api, html: Html = False) -> Response:
    """After a failure: run the same models again."""
    return await _battle(api, api.battles.retry(visitor.voter, battle, visitor.address), html)


@router.post("/{battle}/vote", responses=BATTLE)
async def vote(battle: str, body: bodies.Ballot, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Vote. The vote is saved; it counts, and the models are named, when it can no longer be undone."""
    cast = api.battles.vote(
        visitor.voter, battle, body.winner, visitor.address, reasons=body.reasons, final=body.final
    )
    return await _battle(api, cast, html)


@router.delete("/{battle}/vote", responses=BATTLE)
async def undo(battle: str, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Undo a vote that does not count yet."""
    return await _battle(api, api.battles.undo(visitor.voter, battle), html)


@router.put("/{battle}/shared", responses=BATTLE)
async def share(battle: str, body: bodies.Sharing, visitor: Asking, api: Api, html: Html = False) -> Response:
    """Allow that the battle is published once the vote counts, or withdraw that."""
    return await _battle(api, api.battles.share(visitor.voter, battle, body.shared), html)


@router.post("/{battle}/report", status_code=204, responses=NOTHING)
async def report(battle: str, body: bodies.Report, visitor: Asking, api: Api) -> Response:
    """Report a completion to the operator."""
    await api.battles.report(visitor.voter, battle, body.kind, body.text, visitor.address)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{battle}/appeal", status_code=204, responses=NOTHING)
async def appeal(battle: str, body: bodies.Appealed, visitor: Asking, api: Api) -> Response:
    """Appeal that the vote on the battle is pending or quarantined: once for each time that it is."""
    await api.battles.appeal(visitor.voter, battle, body.text, visitor.address)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{battle}/leave", status_code=204, responses=NOTHING)
async def leave(battle: str, visitor: Asking, api: Api) -> Response:
    """Close the battle without a vote. A vote that does not count yet is counted first."""
    await _own(api, visitor.voter, battle)
    await api.battles.leave(visitor.voter, battle)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _own(api: BattleContext, voter: str, battle: str) -> BattleView:
    """The voter's own battle. Raises `BattleProblem`."""
    view = await api.battles.view(voter, battle)
    if view is None:
        raise BattleProblem("not_found", NOT_YOURS)
    return view


async def _battle(
    api: BattleContext, change: Awaitable[BattleView], html: bool, status: int = HTTPStatus.OK
) -> Response:
    """The reply with a battle after a change."""
    view = await change

    def document() -> dict[str, Any]:
        reveal = reveal_of(api.boards, view) if view.counted else None
        return {**battle_document(view, html), "reveal": reveal}

    waits = html or view.counted  # a long battle takes a while as HTML, and a reveal asks the database
    return JSONResponse(await asyncio.to_thread(document) if waits else document(), status)


sessions = APIRouter(prefix="/sessions", route_class=ProblemRoute, tags=["battles"])


@sessions.post("", status_code=201, responses=examples.SESSION)
async def new_session(api: Api) -> Response:
    """A token for programs: a voter of their own, as a browser gets one with its cookie."""
    token = api.signer.signed(random_session())
    return JSONResponse({"token": token}, HTTPStatus.CREATED, {"cache-control": "no-store"})
