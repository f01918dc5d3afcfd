"""What the routes of battles share: the use cases, and how a request is checked and a refusal answered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError

from arena.battles.battles import Battles
from arena.config import Settings
from arena.errors import DatabaseUnavailable
from arena.rules.refusals import Refusal
from arena.voters.export import Downloads
from arena.web.board_view import CachedBoards
from arena.web.locales import gettext
from arena.web.outages import OUTAGES, TRY_AGAIN
from arena.web.session import CookieSigner
from arena.web.site_texts import SiteTexts
from arena.web.v1.battle_problems import NOT_JSON, NOT_SAVED, BattleProblem, problem_of
from arena.web.v1.problems import ProblemRoute, described, problem
from arena.web.v1.stream_places import StreamPlaces
from arena.web.v1.visitors import check_origin

SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class BattleContext:
    """The parts of the server that serve battles."""

    battles: Battles
    settings: Settings
    boards: CachedBoards
    signer: CookieSigner
    places: StreamPlaces
    downloads: Downloads
    site_texts: SiteTexts


async def _context(request: Request) -> BattleContext:
    context: BattleContext = request.app.state.battle_api
    return context


Api = Annotated[BattleContext, Depends(_context)]


class BattleRoute(ProblemRoute):
    """A route whose refusals have a `code`. Requests that change something must come from the arena's own pages."""

    media_types: tuple[str, ...] = ("application/json",)  # of bodies; a form of another site can send none of them
    other_media = NOT_JSON

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                await self._check(request)
                response = await handle(request)
            except Refusal as refusal:
                return _reply(problem_of(refusal), request)
            except BattleProblem as refused:
                return _reply(refused, request)
            except DatabaseUnavailable as outage:
                OUTAGES.report(outage)
                code, text = ("unreachable", TRY_AGAIN) if request.method in SAFE else ("not_saved", NOT_SAVED)
                return _reply(BattleProblem(code, text), request)
            response.headers.setdefault("cache-control", "no-store")
            return response

        return handled

    async def _check(self, request: Request) -> None:
        """Raises `BattleProblem` for a change from another site, and for a body of another media type."""
        if request.method in SAFE:
            return
        context = await _context(request)
        check_origin(request, context.settings.web.public_url)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in self.media_types and await request.body():
            raise BattleProblem("media_type", self.other_media)

    def invalid(self, error: RequestValidationError, request: Request) -> Response:
        return _reply(BattleProblem("bad_value", described(error)), request)


def _reply(refused: BattleProblem, request: Request) -> Response:
    more = {"challenge": refused.challenge} if refused.challenge else {}
    return problem(refused.status, gettext(refused.detail), request, refused.code, refused.headers, more)
