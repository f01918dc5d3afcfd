"""`/me`: a voter's own battles and leaderboard, their data to download or delete, and the recovery code.

Forms work without a script. Each checks the origin of the page that sends it, as the API does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from jinja2 import Environment

from arena.battles.battles import Battles
from arena.battles.refusals import BattleRefused
from arena.leaderboards.personal import LEAST_VOTES, PersonalBoard
from arena.rules.messages import TranslatableError, gettext_noop
from arena.rules.vote_states import sentence_of
from arena.store.account_voters import linked_account
from arena.store.appeals import MOST_CHARACTERS
from arena.voters.deletion import DeletionRefused, delete
from arena.voters.export import Downloads
from arena.voters.recovery import CodeRefused, enter_code, issue_code, sign_out_others, withdraw_code
from arena.web.board_view import CachedBoards
from arena.web.client_address import address_of
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.me_view import HistoryParameters, VoterView, counts_of, view_voter
from arena.web.own_page import from_own_page
from arena.web.search_parameters import RESULT_NAMES, search_link
from arena.web.session import COOKIE, OWN, new_session, renew, voter_of

HERE = "/me"
PRIVATE = {"cache-control": "no-store"}
FILE = "arena-my-data.json"
LONGEST_CODE = 60  # characters, with spaces and hyphens
MOST_MARKS = 7  # on the axis of ratings
RESULTS_NAMED = RESULT_NAMES | {
    "not_voted": gettext_noop("not voted"),
    "not_counted": gettext_noop("not counted"),
}
NO_SESSION = gettext_noop(
    "This browser has no session of this arena. Allow cookies, reload the page, and try again."
)
LEFT_BEHIND = gettext_noop(
    "This browser has battles of its own, which the code would leave behind. Tick the box below, or delete them first."
)


def routes(boards: CachedBoards, battles: Battles, downloads: Downloads, templates: Environment) -> APIRouter:
    """The page and its forms."""
    router = APIRouter(include_in_schema=False)
    pages = Pages(boards, battles, downloads, templates)
    router.add_api_route(HERE, pages.show)
    router.add_api_route(f"{HERE}/export", pages.export)
    router.add_api_route(f"{HERE}/delete", pages.explain_deletion)
    own = [Depends(from_own_page(boards.settings.web.public_url))]
    router.add_api_route(f"{HERE}/delete", pages.delete, methods=["POST"], dependencies=own)
    router.add_api_route(f"{HERE}/appeal", pages.appeal, methods=["POST"], dependencies=own)
    router.add_api_route(f"{HERE}/code", pages.issue_code, methods=["POST"], dependencies=own)
    router.add_api_route(f"{HERE}/code/revoke", pages.revoke_code, methods=["POST"], dependencies=own)
    router.add_api_route(f"{HERE}/recover", pages.recover, methods=["POST"], dependencies=own)
    router.add_api_route(f"{HERE}/sign-out-others", pages.sign_out_others, methods=["POST"], dependencies=own)
    return router


def voter_of_request(request: Request) -> str:
    """The voter of the cookie. Raises `HTTPException` (403) without one."""
    voter = voter_of(request.cookies.get(COOKIE))
    if voter is None:
        raise HTTPException(403, _(NO_SESSION))
    return voter


Asking = Annotated[str, Depends(voter_of_request)]


@dataclass(frozen=True)
class Entered:
    """What a voter typed into the form of the recovery code, who need not type it again after a refusal."""

    code: str
    leaves: bool  # the battles of this browser


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    boards: CachedBoards
    battles: Battles
    downloads: Downloads
    templates: Environment

    def show(self, request: Request) -> HTMLResponse:
        return self._page(request, voter_of(request.cookies.get(COOKIE)))

    async def export(self, voter: Asking) -> StreamingResponse:
        headers = {**PRIVATE, "content-disposition": f'attachment; filename="{FILE}"'}
        return StreamingResponse(await self.downloads.text(voter), media_type="application/json", headers=headers)

    def explain_deletion(self, request: Request) -> HTMLResponse:
        return self._deletion(voter_of_request(request))

    async def delete(self, request: Request, voter: Asking, confirm: Annotated[str, Form()] = "") -> HTMLResponse:
        if confirm != "yes":
            return await run_in_threadpool(self._deletion, voter, unconfirmed=True)
        await self.battles.stop_all(voter)
        try:
            deletion = await run_in_threadpool(delete, self.boards.cache.database, voter)
        except DeletionRefused as refused:
            return await run_in_threadpool(self._deletion, voter, problem=text_of(refused))
        renew(request, new_session())
        request.app.state.voters.forget()
        return self._html("me_deleted.html", deletion=deletion)

    async def appeal(
        self,
        request: Request,
        voter: Asking,
        battle: Annotated[str, Form(max_length=64)] = "",
        text: Annotated[str, Form(max_length=10_000)] = "",
    ) -> Response:
        try:
            await self.battles.appeal(voter, battle, text, address_of(request.scope))
        except BattleRefused as refused:
            return await run_in_threadpool(self._page, request, voter, refused=refused)
        return _back(f"battle-{battle}")

    def issue_code(self, request: Request, voter: Asking) -> HTMLResponse:
        try:
            code = issue_code(self.boards.cache.database, voter)
        except CodeRefused as refused:
            return self._page(request, voter, refused=refused)
        return self._page(request, voter, code=code)

    def revoke_code(self, voter: Asking) -> RedirectResponse:
        withdraw_code(self.boards.cache.database, voter)
        return _back("recovery")

    def sign_out_others(self, request: Request, voter: Asking) -> RedirectResponse:
        sign_out_others(self.boards.cache.database, voter, request.scope[OWN])
        request.app.state.voters.forget()
        return _back("recovery")

    def recover(
        self, request: Request, code: Annotated[str, Form(max_length=200)] = "", leave: Annotated[str, Form()] = ""
    ) -> Response:
        voter, session = voter_of(request.cookies.get(COOKIE)), new_session()
        entered = Entered(code[:LONGEST_CODE], leave == "yes")
        if voter and not entered.leaves and counts_of(self.boards.cache, voter)[0]:
            return self._page(request, voter, problem=_(LEFT_BEHIND), entered=entered)
        database, most = self.boards.cache.database, self.boards.settings.limits.codes_per_address
        try:
            enter_code(database, code, voter_of(session) or "", address_of(request.scope), most)
        except CodeRefused as refused:
            return self._page(request, voter, refused=refused, entered=entered)
        renew(request, session)
        request.app.state.voters.forget()
        return _back()

    def _page(
        self,
        request: Request,
        voter: str | None,
        code: str = "",
        problem: str = "",
        refused: TranslatableError | None = None,
        entered: Entered | None = None,
    ) -> HTMLResponse:
        """The page, with a new code, or the reason why the entered one was refused."""
        wanted = HistoryParameters.of(request).conditions
        view = view_voter(self.boards.cache, voter, wanted) if voter else VoterView()
        page = self._html(
            "me.html",
            view=view,
            wanted=wanted,
            results=RESULTS_NAMED,
            newer=search_link(HERE, replace(wanted, page=wanted.page - 1), "history") if wanted.page > 1 else "",
            older=search_link(HERE, replace(wanted, page=wanted.page + 1), "history") if view.has_next else "",
            axis=Axis.of(view.board),
            least=LEAST_VOTES,
            code=code,
            problem=text_of(refused) if refused else problem,
            entered=entered,
            longest_code=LONGEST_CODE,
            longest_appeal=MOST_CHARACTERS,
            sentence_of=sentence_of,
            can_sign_in=self.boards.settings.sign_in.issuer is not None,
        )
        seconds = getattr(refused, "seconds", None)  # of a limit
        if seconds is not None:
            page.status_code, page.headers["retry-after"] = 429, str(math.ceil(seconds))
        return page

    def _deletion(self, voter: str, problem: str = "", unconfirmed: bool = False) -> HTMLResponse:
        """What a deletion does, before it is confirmed."""
        with self.boards.cache.database.read() as session:
            account = linked_account(session, voter)
        view = VoterView(*counts_of(self.boards.cache, voter), account=account)
        return self._html("me_delete.html", view=view, problem=problem, unconfirmed=unconfirmed)

    def _html(self, template: str, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(template).render(here=HERE, **values), headers=PRIVATE)


@dataclass(frozen=True)
class Axis:
    """The scale of the picture: ratings from `low` to `high`, and marks on it."""

    low: float
    high: float
    marks: tuple[int, ...]

    @classmethod
    def of(cls, board: PersonalBoard) -> Axis:
        """The scale that holds every rating with its interval."""
        ends = [x for row in board.rows for x in (row.lower, row.upper, row.crowd)] or [950.0, 1050.0]
        step = next(size for size in (50, 100, 200, 500, 1000) if (max(ends) - min(ends)) / size <= MOST_MARKS)
        low, high = step * math.floor(min(ends) / step), step * math.ceil(max(ends) / step)
        return cls(low, high, tuple(range(low, high + 1, step)))

    def at(self, rating: float) -> float:
        """The place of a rating in percent."""
        return 100 * (rating - self.low) / (self.high - self.low)


def _back(place: str = "") -> RedirectResponse:
    """The page again, by GET."""
    return RedirectResponse(f"{HERE}#{place}" if place else HERE, 303, headers=PRIVATE)
