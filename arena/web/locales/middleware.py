"""The language of each request, and the headers that say so."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.web.locales.current import Choice, speaking
from arena.web.locales.negotiation import chosen, find

COOKIE = "arena_lang"
MAX_AGE = 365 * 24 * 3600  # seconds
PARAMETER = re.compile(r"(?:^|&)lang=([A-Za-z0-9_-]*)(?=&|$)")


class Languages:
    """ASGI middleware that sets the language of a request, and remembers the one of `?lang=` in a cookie.

    A reply whose texts were translated gets `Content-Language` and `Vary`. No cookie comes from the API: other sites
    embed its tables and badges.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        query = scope["query_string"].decode("latin-1")
        asked = PARAMETER.search(query)
        wanted = asked[1] if asked else ""
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        language = chosen(wanted, cookie, headers.get("accept-language", ""))
        rest = PARAMETER.sub("", query).removeprefix("&")
        choice = Choice(language, quote(scope["path"]), quote(rest, safe="=&%+,:;@!$'()*/?~-._"))
        remembered = bool(wanted and find(wanted)) and cookie != language.code

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply = MutableHeaders(scope=message)
                if choice.used:
                    reply.add_vary_header("Accept-Language, Cookie")
                    reply.setdefault("content-language", language.code)
                page = reply.get("content-type", "").startswith("text/html")
                if remembered and page and not scope["path"].startswith("/api/"):
                    reply.append("set-cookie", _cookie(language.code, scope.get("scheme") == "https"))
            await send(message)

        with speaking(choice):
            await self.app(scope, receive, send_marked)


def _cookie(code: str, https: bool) -> str:
    return f"{COOKIE}={code}; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax{'; Secure' if https else ''}"
