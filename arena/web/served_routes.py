"""The routes that the pages use. Every other address is 404, for Gradio's own routes too."""

from __future__ import annotations

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Gradio's routes that the pages do not use: uploads, calls outside the queue, proxies.
CLOSED = frozenset({"upload", "upload_progress", "call", "run", "api", "proxy"})


class ServedRoutes:
    """ASGI middleware that refuses the routes which no page uses."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _closed(scope["path"]):
            await PlainTextResponse("not found", 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _closed(path: str) -> bool:
    first = re.split("[/=]", path.partition("/gradio_api/")[2], maxsplit=1)[0]
    return first in CLOSED
