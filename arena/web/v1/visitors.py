"""Who sends a request: a voter by cookie or bearer token, and from which page.

A request that changes something with the cookie must come from a page of this arena: browsers send the cookie with
requests of other sites, too. A bearer token needs no such check, because no browser adds one by itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from arena.rules.messages import gettext_noop
from arena.serving.availability import Visitor
from arena.web.client_address import address_of
from arena.web.session import COOKIE, OWN, CookieSigner, voter_of
from arena.web.v1.battle_problems import BattleProblem

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
ORIGIN = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?", re.IGNORECASE)
PORTS = {"http": 80, "https": 443}

NO_SESSION = gettext_noop(
    "The request has no session of this arena. Allow cookies and reload the page, or send the header "
    "Authorization: Bearer with a token of POST /api/v1/sessions."
)
FALSE_TOKEN = gettext_noop("The bearer token is not one of this arena. Get a token with POST /api/v1/sessions.")
OTHER_ORIGIN = gettext_noop(
    "The request comes from a page of another site, or does not say from which. "
    "Send it from a page of this arena, or with a bearer token of POST /api/v1/sessions."
)


def visitor_of(request: Request, signer: CookieSigner) -> Visitor:
    """The voter of the bearer token, else of the cookie. Raises `BattleProblem`."""
    given = request.headers.getlist("authorization")
    if given:
        token = BEARER.fullmatch(given[0].strip()) if len(given) == 1 else None
        session = signer.session(token[1]) if token else None
        voter = voter_of(session)
        if voter is None:
            raise BattleProblem("no_session", FALSE_TOKEN)
    else:
        voter = voter_of(request.cookies.get(COOKIE))  # the middleware has checked its signature
        if voter is None:
            raise BattleProblem("no_session", NO_SESSION)
    return Visitor(voter, address_of(request.scope))


def check_origin(request: Request, public_url: str | None = None) -> None:
    """Raises `BattleProblem` for a change that may come from a page of another site."""
    headers = request.headers
    if "authorization" in headers:
        return  # `visitor_of` reads no cookie then
    origins = headers.getlist("origin")
    if origins:
        own = len(origins) == 1 and (_is_own(origins[0], request) or _same(origins[0], public_url))
    else:
        own = headers.getlist("sec-fetch-site") == ["same-origin"]
    if not own:
        raise BattleProblem("origin", OTHER_ORIGIN)


def _is_own(origin: str, request: Request) -> bool:
    """Whether host and port are those of the request, which `KnownHosts` has checked.

    A proxy that ends TLS and is not in `web.trusted_proxies` makes https look like http here; the reverse is a page
    that was not encrypted.
    """
    match = ORIGIN.fullmatch(origin)
    host = ORIGIN.fullmatch(f"http://{request.headers.get('host', '')}")
    if match is None or host is None:
        return False
    scheme = match[1].lower()
    if request.url.scheme == "https" and scheme != "https":
        return False
    default = PORTS[scheme]
    return (match[2].lower(), int(match[3] or default)) == (host[2].lower(), int(host[3] or default))


def _same(origin: str, public_url: str | None) -> bool:
    """Whether an origin is that of `web.public_url`."""
    if public_url is None:
        return False
    public, given = urlsplit(public_url), ORIGIN.fullmatch(origin)
    if given is None:
        return False
    scheme = given[1].lower()
    return (scheme, given[2].lower(), int(given[3] or PORTS[scheme])) == (
        public.scheme.lower(),
        (public.hostname or "").lower(),
        public.port or PORTS.get(public.scheme.lower(), 0),
    )


def own_of(request: Request, signer: CookieSigner) -> str:
    """The hash of the session of a request that `visitor_of` has accepted, whoever its voter is."""
    given = request.headers.get("authorization")
    if given is None:
        return str(request.scope[OWN])
    token = BEARER.fullmatch(given.strip())
    return voter_of(signer.session(token[1]) if token else None) or ""


async def _visitor(request: Request) -> Visitor:
    visitor = visitor_of(request, request.app.state.battle_api.signer)
    if "authorization" not in request.headers:
        return visitor  # the middleware knows to whom the session of a cookie belongs
    voter = await request.app.state.voters(visitor.voter)
    if voter is None:
        raise BattleProblem("no_session", FALSE_TOKEN)
    return replace(visitor, voter=voter)


Asking = Annotated[Visitor, Depends(_visitor)]
