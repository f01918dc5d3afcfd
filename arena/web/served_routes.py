"""The routes that the pages use. Every other address is 404, for Gradio's own routes too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fastapi import Request
from jinja2 import Environment
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.web.error_pages import refusal

FILE = r"[\w-][\w.-]*"  # a file name without folders, and not hidden

# What the battle page loads from Gradio: address pattern -> methods. The configuration of its components is in the
# document, and a page without events polls nothing, so /config and /gradio_api stay closed. A new Gradio release needs
# no change here unless its page loads something new; the browser tests fail on the 404 then.
GRADIO: Mapping[str, tuple[str, ...]] = {
    "/": ("GET", "HEAD"),
    "/theme.css": ("GET",),
    f"/assets/{FILE}": ("GET",),  # scripts, styles and fonts
    "/favicon.ico": ("GET",),
    "/robots.txt": ("GET",),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class ServedRoutes:
    """ASGI middleware that serves the routes of `own`, without its mounts, and those of `GRADIO`.

    An address must match as it was sent and as it was decoded, so that `/%6ceaderboard` or `/assets/..%2fx` match
    nothing. `own` is read at each request: routes may be added later.
    """

    def __init__(self, app: ASGIApp, own: Sequence[BaseRoute], environment: Environment) -> None:
        self.app = app
        self.own = own
        self.environment = environment
        self.gradio = [(re.compile(pattern), methods) for pattern, methods in GRADIO.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and self._serves(scope, scope["method"])):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})  # no page uses one
        elif allowed := [method for method in METHODS if self._serves(scope, method)]:
            headers = {"allow": ", ".join(allowed)}
            reply = refusal(self.environment, Request(scope), 405, "Method Not Allowed", headers)
            await reply(scope, receive, send)
        else:
            await refusal(self.environment, Request(scope), 404, "Not Found")(scope, receive, send)

    def _serves(self, scope: Scope, method: str) -> bool:
        path, sent = scope["path"], scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        if any(pattern.fullmatch(path) for pattern, methods in self.gradio if method in methods):
            return bool(path == sent)
        return all(self._is_own({**scope, "method": method, "path": form}) for form in {path, sent})

    def _is_own(self, scope: Scope) -> bool:
        routes = (route for route in self.own if not isinstance(route, Mount))
        return any(route.matches(scope)[0] is Match.FULL for route in routes)
