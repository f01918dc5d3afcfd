"""Routes of a voter's own data: history, leaderboard, download, deletion, recovery code."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field, StrictBool, StrictStr

from arena.leaderboards.personal import LEAST_VOTES
from arena.rules.messages import TranslatableError
from arena.store.appeals import own_holds, released_votes
from arena.store.ledger import as_sealed
from arena.store.voter_history import HISTORY_RESULTS, HistoryConditions, own_battles
from arena.voters.deletion import DeletionRefused, delete
from arena.voters.recovery import CodeRefused, enter_code, issue_code, sign_out_others, withdraw_code
from arena.web.me_view import battle_json, board_of, counts_of, view_voter
from arena.web.search_parameters import WORDS, Words
from arena.web.session import new_session, renew, voter_of
from arena.web.v1 import battle_examples as examples
from arena.web.v1.battle_context import Api, BattleRoute
from arena.web.v1.battle_examples import problem_responses
from arena.web.v1.battle_problems import BattleProblem
from arena.web.v1.battle_requests import Body
from arena.web.v1.context import Served
from arena.web.v1.visitors import Asking, own_of

ME = "/me"
MANY = 100  # battles on a page
LEFT_BEHIND = (
    "This session has battles, which the code would leave behind. Send leave_battles: true to leave them."
)
READ, CHANGE = problem_responses(*examples.READ), problem_responses(*examples.CHANGE)
router = APIRouter(route_class=BattleRoute, tags=["voter"])


class Recovery(Body):
    """A recovery code of another browser."""

    code: Annotated[StrictStr, Field(max_length=200)]
    leave_battles: StrictBool = False


@router.get(ME, responses=READ)
def me(served: Served, asking: Asking) -> dict[str, Any]:
    """Counts, and the ways to this voter's history."""
    view = view_voter(served.cache, asking.voter, HistoryConditions())
    since = view.identity.code_since
    return {
        "battles": view.battles,
        "votes": view.votes,
        "votes_not_counted": view.not_counted,
        "models": list(view.models),
        "votes_for_leaderboard": LEAST_VOTES,
        "recovery_code_since": as_sealed(since) if since else None,
        "further_browsers": len(view.identity.browsers),
        "signed_in_since": as_sealed(view.account.since) if view.account else None,
    }


@router.get(f"{ME}/battles", responses=READ)
def battles(
    served: Served,
    asking: Asking,
    q: Annotated[Words, Query(description=f"up to {WORDS} words of a prompt or completion")] = "",
    model: str = "",
    winner: Annotated[str, Query(description=", ".join(HISTORY_RESULTS) + "; won and lost need model")] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=MANY)] = 20,
) -> dict[str, Any]:
    """The voter's own battles, newest first. A blind battle has no models before its vote.

    `vote.state` is accepted, pending, quarantined or released. Pending and quarantined votes do not count, and have why.
    """
    if winner and (winner not in HISTORY_RESULTS or (winner in ("won", "lost") and not model)):
        raise BattleProblem(
            "bad_value", f"winner: use one of {', '.join(HISTORY_RESULTS)}; won and lost need model."
        )
    with served.database.read() as session:
        found, has_next = own_battles(session, asking.voter, HistoryConditions(q, model, winner, page), limit)
        shown = [battle.public_id for battle in found]
        holds, released = own_holds(session, shown), released_votes(session, shown)
    rows = [
        battle_json(battle, holds.get(battle.public_id), released=battle.public_id in released) for battle in found
    ]
    return {"battles": rows, "next_page": page + 1 if has_next else None}


@router.get(f"{ME}/leaderboard", responses=READ)
def leaderboard(served: Served, asking: Asking) -> dict[str, Any]:
    """The voter's ratings beside those of everybody else, the strongest evidence of a difference first."""
    return board_of(served.cache, asking.voter).to_dict()


@router.get(f"{ME}/export", responses=READ)
async def export(api: Api, asking: Asking) -> StreamingResponse:
    """Everything that is stored about the voter."""
    return StreamingResponse(await api.downloads.text(asking.voter), media_type="application/json")


@router.delete(ME, responses=CHANGE)
async def erase(request: Request, served: Served, api: Api, asking: Asking) -> dict[str, Any]:
    """Erase the voter: votes stay counted without a link to the person, texts go. It cannot be undone."""
    await api.battles.stop_all(asking.voter)
    try:
        deletion = await run_in_threadpool(delete, served.database, asking.voter)
    except DeletionRefused as refused:
        raise BattleProblem("still_running", refused.text) from refused
    return {**asdict(deletion), **_moved(request, api, new_session())}


@router.post(f"{ME}/code", status_code=201, responses=CHANGE)
def code(served: Served, asking: Asking) -> dict[str, str]:
    """A new recovery code, which is shown only here and replaces the one before."""
    try:
        return {"code": issue_code(served.database, asking.voter)}
    except CodeRefused as refused:
        raise BattleProblem("wrong_status", refused.text) from refused


@router.delete(f"{ME}/code", status_code=204, responses=CHANGE)
def revoke(served: Served, asking: Asking) -> Response:
    """Revoke the recovery code."""
    withdraw_code(served.database, asking.voter)
    return Response(status_code=204)


@router.delete(f"{ME}/browsers", status_code=204, responses=CHANGE)
def sign_out(request: Request, served: Served, api: Api, asking: Asking) -> Response:
    """Sign out every session but this one, and revoke the recovery code."""
    sign_out_others(served.database, asking.voter, own_of(request, api.signer))
    request.app.state.voters.forget()
    return Response(status_code=204)


@router.post(f"{ME}/recover", responses=CHANGE)
def recover(request: Request, served: Served, api: Api, asking: Asking, body: Recovery) -> dict[str, Any]:
    """Continue as the voter of a recovery code, in a new session."""
    if not body.leave_battles and counts_of(served.cache, asking.voter)[0]:
        raise BattleProblem("leaves_battles", LEFT_BEHIND)
    session, most = new_session(), served.settings.limits.codes_per_address
    try:
        enter_code(served.database, body.code, voter_of(session) or "", asking.address, most)
    except CodeRefused as refused:
        raise _refused(refused) from refused
    return _moved(request, api, session)


def _moved(request: Request, api: Api, session: str) -> dict[str, str]:
    """Give the caller another session: as its cookie, or as the token of a client without cookies."""
    request.app.state.voters.forget()
    if "authorization" in request.headers:
        return {"token": api.signer.signed(session)}
    renew(request, session)
    return {}


def _refused(refused: TranslatableError) -> BattleProblem:
    seconds = getattr(refused, "seconds", None)
    return BattleProblem("code_invalid" if seconds is None else "limit", refused.text, seconds)
