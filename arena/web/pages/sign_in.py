"""`/sign-in`: sign-in at the provider of the settings, and sign-out. Without a provider none of it is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from arena.accounts.provider import Provider, ProviderFailed, SignInRefused
from arena.accounts.provider_accounts import Browser, SignedInVoter, sign_in
from arena.accounts.sessions import key_of
from arena.config import Settings
from arena.rules.messages import TranslatableError, gettext_noop
from arena.rules.roles import ROLE_NAMES, Role
from arena.store import Database
from arena.store.account_voters import LinkedAccount, linked_account
from arena.store.accounts import end_session as end_account_session
from arena.store.voter_sessions import end_session
from arena.web.admin.cookie import remove_token, set_token, token_of
from arena.web.client_address import address_of
from arena.web.hosts import leaving
from arena.web.locales import text_of
from arena.web.own_page import from_own_page
from arena.web.session import COOKIE, OWN, CookieSigner, new_session, renew, voter_of
from arena.web.sign_in_attempts import AttemptCookies, new_attempt, safe_place
from arena.web.v1.context import home

HERE = "/sign-in"
PRIVATE = {"cache-control": "no-store"}
LONGEST = 4_000  # characters of a code
NOT_BEGUN_HERE = gettext_noop(
    "This sign-in was not begun in this browser, or more than 10 minutes ago. Begin again."
)
DECLINED = gettext_noop("The sign-in provider did not sign you in. Begin again.")

Place = Annotated[str, Query(alias="to", max_length=2_000)]


def routes(settings: Settings, database: Database, signer: CookieSigner, templates: Environment) -> APIRouter:
    """The page, both halves of a sign-in, and the sign-out."""
    router = APIRouter(include_in_schema=False)
    if settings.sign_in.issuer is None:
        return router
    cookies = AttemptCookies(signer.derived(b"arena sign-in"), settings.web.secure_cookies)
    pages = Pages(settings, database, templates, Provider(settings.sign_in), cookies)
    own = [Depends(from_own_page(settings.web.public_url))]
    router.add_api_route(HERE, pages.show)
    router.add_api_route(f"{HERE}/begin", pages.begin)
    router.add_api_route(f"{HERE}/callback", pages.finish)
    router.add_api_route(f"{HERE}/out", pages.sign_out, methods=["POST"], dependencies=own)
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    settings: Settings
    database: Database
    templates: Environment
    provider: Provider
    cookies: AttemptCookies

    def show(self, request: Request, to: Place = "") -> HTMLResponse:
        """Who is signed in, or the button."""
        return self._page(safe_place(to), account=self._account(request))

    async def begin(self, request: Request, to: Place = "") -> Response:
        """Send the browser to the provider. A page of another site cannot begin it unseen."""
        place = safe_place(to)
        if request.headers.get("sec-fetch-site") == "cross-site":
            return RedirectResponse(HERE, 303, headers=PRIVATE)
        attempt = new_attempt(f"{home(request)}{HERE}/callback", place)
        try:
            address = await self.provider.address(attempt.exchange, attempt.state)
        except ProviderFailed as failed:
            return self._page(place, failed, 503)
        reply = leaving(request, address)
        reply.headers.update({**PRIVATE, "referrer-policy": "no-referrer"})
        self.cookies.write(request, reply, attempt)
        return reply

    async def finish(self, request: Request) -> Response:
        """Take the provider's reply. Each parameter counts once, and only from the browser that began."""
        given = {name: request.query_params.getlist(name) for name in ("state", "code", "iss", "error")}
        values = {name: found[0] for name, found in given.items() if len(found) == 1}
        attempt = self.cookies.read(request, values.get("state", ""))
        if attempt is None or max(map(len, given.values())) > 1:
            return self._page("", SignInRefused(NOT_BEGUN_HERE), 400)
        try:
            if not 0 < len(values.get("code", "")) <= LONGEST:
                raise SignInRefused(DECLINED)
            claims = await self.provider.claims(values["code"], attempt.exchange, values.get("iss"))
            session = new_session()
            browser = self._browser(request, session)
            who = await run_in_threadpool(
                sign_in, self.database, claims, attempt.state, browser, self.settings.sign_in, self.settings.admin
            )
        except (SignInRefused, ProviderFailed) as problem:
            reply = self._page(attempt.place, problem, 503 if isinstance(problem, ProviderFailed) else 403)
            self.cookies.remove(reply, attempt)
            return reply
        renew(request, session)
        request.app.state.voters.forget()
        reply = self._signed_in(request, who, attempt.place)
        self.cookies.remove(reply, attempt)
        return reply

    def sign_out(self, request: Request) -> Response:
        """End this browser's session, and that of the pages for reviewers. The account's votes stay with it."""
        token = token_of(request, self.settings.web.secure_cookies)
        with self.database.write() as session:
            if own := request.scope[OWN]:
                end_session(session, own)
            if token:
                end_account_session(session, key_of(token))
        renew(request, new_session())
        request.app.state.voters.forget()
        reply = RedirectResponse(HERE, 303, headers=PRIVATE)
        remove_token(request, reply, self.settings.web.secure_cookies)
        return reply

    def _browser(self, request: Request, session: str) -> Browser:
        own: str | None = request.scope[OWN]
        voter = voter_of(request.cookies.get(COOKIE)) if own else None
        return Browser(own, voter, voter_of(session) or "", address_of(request.scope))

    def _signed_in(self, request: Request, who: SignedInVoter, place: str) -> HTMLResponse:
        """A page that goes on by itself: cookies for this site alone are not sent in the provider's redirect."""
        reply = self._html("signed_in.html", place=place, role=ROLE_NAMES[who.role] if who.token else "")
        if who.token:
            set_token(request, reply, who.token, self.settings.web.secure_cookies)
        return reply

    def _account(self, request: Request) -> LinkedAccount | None:
        voter = voter_of(request.cookies.get(COOKIE))
        if voter is None:
            return None
        with self.database.read() as session:
            return linked_account(session, voter)

    def _page(
        self,
        place: str,
        problem: TranslatableError | None = None,
        status: int = 200,
        account: LinkedAccount | None = None,
    ) -> HTMLResponse:
        return self._html(
            "sign_in.html",
            status,
            place=place,
            provider=self.provider.name,
            is_required=self.settings.sign_in.required == "vote",
            problem=text_of(problem) if problem else "",
            account=account,
            role=ROLE_NAMES[Role(account.role)] if account else "",
        )

    def _html(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        page = self.templates.get_template(template).render(here=HERE, **values)
        return HTMLResponse(page, status, headers=PRIVATE)
