"""`/admin/login` and `/admin/logout`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from arena.accounts.audit import record
from arena.accounts.logins import LoginRefused, sign_in
from arena.accounts.sessions import key_of, signed_in
from arena.rules.roles import Role
from arena.store.accounts import end_session
from arena.web.admin import Frame, Visit, guard
from arena.web.admin.cookie import remove_token, set_token, token_of
from arena.web.admin.guard import CSRF, HOME, LOGIN, check_token, safe_place, token_before_login
from arena.web.admin.known_browsers import KnownBrowsers
from arena.web.client_address import address_of
from arena.web.locales import text_of
from arena.web.own_page import from_own_page

LONGEST_NAME, LONGEST_PASSWORD = 200, 1_000  # characters that the form takes
Anybody = Annotated[Visit, Depends(guard(Role.VOTER))]


def routes(frame: Frame, key: bytes) -> APIRouter:
    """The form, the sign-in and the sign-out. `key` signs the cookies of known browsers."""
    router = APIRouter(include_in_schema=False)
    pages = Pages(frame, KnownBrowsers(key, frame.settings.web.secure_cookies))
    own = [Depends(from_own_page(frame.settings.web.public_url))]
    router.add_api_route(LOGIN, pages.form, methods=["GET"])
    router.add_api_route(LOGIN, pages.sign_in, methods=["POST"], dependencies=own)
    router.add_api_route("/admin/logout", pages.sign_out, methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame
    known: KnownBrowsers

    def form(self, request: Request) -> Response:
        self._must_be_open()
        place = safe_place(request.query_params.get("next", HOME))
        token = token_of(request, self._secure)
        if token and signed_in(self.frame.database, token, self.frame.settings.admin):
            return RedirectResponse(place, 303)
        return self._page(request, place)

    async def sign_in(
        self,
        request: Request,
        name: Annotated[str, Form(max_length=LONGEST_NAME)] = "",
        password: Annotated[str, Form(max_length=LONGEST_PASSWORD)] = "",
        place: Annotated[str, Form(alias="next")] = HOME,
    ) -> Response:
        await run_in_threadpool(self._must_be_open)
        cookie = token_of(request, self._secure) or secrets.token_urlsafe(32)  # no token fits a random one
        await check_token(request, token_before_login(cookie))
        return await run_in_threadpool(self._signed_in, request, name, password, safe_place(place))

    def sign_out(self, request: Request, visit: Anybody) -> Response:
        with self.frame.database.write() as session:
            end_session(session, visit.who.key)
            record(session, visit.actor, "session.end", visit.name)
        reply = RedirectResponse(LOGIN, 303)
        remove_token(request, reply, self._secure)
        return reply

    def _signed_in(self, request: Request, name: str, password: str, place: str) -> Response:
        """To the page, with a new token: one that was planted before the sign-in opens nothing."""
        frame, before = self.frame, token_of(request, self._secure)
        try:
            token = sign_in(
                frame.database,
                name,
                password,
                address_of(request.scope),
                frame.settings.admin,
                self.known.browser_of(request, name),
            )
        except LoginRefused as refused:
            return self._page(request, place, name, refused)
        if before:
            with frame.database.write() as session:
                end_session(session, key_of(before))
        reply = RedirectResponse(place, 303)
        set_token(request, reply, token, self._secure)
        self.known.remember(request, reply, name)
        return reply

    def _page(
        self, request: Request, place: str, name: str = "", refused: LoginRefused | None = None
    ) -> HTMLResponse:
        cookie = token_of(request, self._secure) or secrets.token_urlsafe(32)
        shown = self.frame.templates.get_template("admin_login.html").render(
            here=LOGIN,
            csrf=token_before_login(cookie),
            csrf_name=CSRF,
            place=place,
            provider=self.frame.settings.sign_in.shown_name,
            name=name,
            problem=text_of(refused) if refused else "",
            longest_name=LONGEST_NAME,
            longest_password=LONGEST_PASSWORD,
        )
        status = 200 if refused is None else 403 if refused.seconds is None else 429
        reply = HTMLResponse(shown, status)
        set_token(request, reply, cookie, self._secure)
        if refused is not None and refused.seconds is not None:
            reply.headers["retry-after"] = str(int(refused.seconds) + 1)
        return reply

    def _must_be_open(self) -> None:
        if not self.frame.is_open():
            raise HTTPException(404)

    @property
    def _secure(self) -> bool:
        return self.frame.settings.web.secure_cookies
