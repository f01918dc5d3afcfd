"""Who may enter: a session with a role; and for a change, a form of this arena with the session's CSRF token."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from arena.accounts.sessions import SignedIn, signed_in
from arena.rules.messages import gettext_noop
from arena.rules.roles import Actor, Role
from arena.web.admin.cookie import token_of
from arena.web.client_address import address_of
from arena.web.locales import gettext as _
from arena.web.own_page import from_own_page

if TYPE_CHECKING:
    from arena.web.admin.frame import Frame

LOGIN, HOME = "/admin/login", "/admin"
CSRF = "csrf"  # the field of a form
SAFE = ("GET", "HEAD")
PLACE = re.compile(r"/(?:admin|review)(?:/[\w.~-]+)*(?:\?[\w.~=&%+:-]*)?", re.ASCII)  # where a sign-in may lead
TOO_LOW = gettext_noop("Your account may not do this. Ask an operator for another role.")
FALSE_FORM = gettext_noop("The form is too old, or another site has sent it. Reload the page and send it again.")


@dataclass(frozen=True)
class Visit:
    """A request of somebody who is signed in."""

    who: SignedIn
    address: str
    here: str  # the path of the request

    @property
    def name(self) -> str:
        return self.who.name

    @property
    def role(self) -> Role:
        return self.who.role

    @property
    def actor(self) -> Actor:
        """Who the audit trail names."""
        return self.who.actor(self.address)


@cache
def guard(role: Role) -> Callable[[Request], Awaitable[Visit]]:
    """A dependency: the visit of an account with this role or a higher one.

    Without a session a reader is sent to the sign-in, and a change is refused. Raises `HTTPException`.
    """

    async def dependency(request: Request) -> Visit:
        frame: Frame = request.app.state.admin
        who = await run_in_threadpool(_signed_in, frame, request)
        if who is None:
            raise _sign_in_first(request)
        if not who.role.includes(role):
            raise HTTPException(403, _(TOO_LOW))
        if request.method not in SAFE:
            from_own_page(frame.settings.web.public_url)(request)
            await check_token(request, who.csrf)
        return Visit(who, address_of(request.scope), request.url.path)

    return dependency


def _signed_in(frame: Frame, request: Request) -> SignedIn | None:
    if not frame.is_open():
        raise HTTPException(404)
    token = token_of(request, frame.settings.web.secure_cookies)
    return signed_in(frame.database, token, frame.settings.admin) if token else None


async def check_token(request: Request, expected: str) -> None:
    """Raises `HTTPException` (403) for a form without this CSRF token."""
    given = (await request.form()).getlist(CSRF)
    if (
        len(given) != 1
        or not isinstance(given[0], str)
        or not hmac.compare_digest(given[0].encode(), expected.encode())
    ):
        raise HTTPException(403, _(FALSE_FORM))


def token_before_login(cookie: str) -> str:
    """The CSRF token of the sign-in form, for a browser whose cookie belongs to no session yet."""
    return hashlib.sha256(f"arena sign-in form {cookie}".encode()).hexdigest()


def safe_place(given: str) -> str:
    """Where a sign-in leads: a page for accounts, never another site.

    >>> safe_place("/admin/audit?actor=ann"), safe_place("//evil.example"), safe_place("/admin/../x")
    ('/admin/audit?actor=ann', '/admin', '/admin')
    """
    path = given.partition("?")[0]
    is_own = PLACE.fullmatch(given) and not {".", ".."} & set(path.split("/"))
    return given if is_own else HOME


def _sign_in_first(request: Request) -> HTTPException:
    if request.method not in SAFE:
        return HTTPException(403, _("Your session has ended. Sign in again, then repeat what you did."))
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return HTTPException(303, headers={"location": f"{LOGIN}?next={quote(safe_place(here), safe='')}"})


Operator = Annotated[Visit, Depends(guard(Role.OPERATOR))]
Reviewer = Annotated[Visit, Depends(guard(Role.REVIEWER))]
