"""The document of the battle page: Gradio's index page with our parts in it, and a nonce for its own scripts.

Our parts work before Gradio's shell has loaded: its scripts and styles are put aside in a template, which adopt.js
adds when the page is ready. Gradio's components then take the live parts in. Gradio's styles are put in a cascade
layer, in which they lose against ours: its reset of buttons and fields would change our parts.
"""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.web.compression import compressible
from arena.web.security_headers import gradio_policy

PREVIEW = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')  # pictures of other hosts
MANIFEST = re.compile(r'<link\s+rel="manifest"[^>]*>\s*')
SHELL = re.compile(r'<script\s[^>]*\bsrc="\./assets/[^>]*></script>|<link\s[^>]*\bhref="\./assets/[^>]*>')
SCRIPT = re.compile(r"<script\b.*?</script>\s*", re.DOTALL)
FRAMES = "iframeResizer.contentWindow"  # a script for pages inside frames of other sites, which this one is not
HTML_TYPE, CSS_TYPE = "text/html; charset=utf-8", "text/css; charset=utf-8"
HTML, BODY = re.compile(r'<html\s+lang="\w+"'), re.compile(r"<body\b[^>]*>")


@dataclass(frozen=True)
class Parts:
    """What this page adds to Gradio's document."""

    head: str
    body: str
    language: str = "en"
    direction: str = "ltr"


def document(index: str, parts: Parts, nonce: str) -> str:
    """Gradio's index page with our parts. Raises ValueError if it is not the page that this code knows."""
    shell = SHELL.findall(index)
    if not shell or "</head>" not in index or not BODY.search(index):
        raise ValueError(
            "The index page of this Gradio release is unknown. Install the release in constraints.txt."
        )
    text = MANIFEST.sub("", PREVIEW.sub("", SHELL.sub("", index)))
    text = SCRIPT.sub(lambda script: "" if FRAMES in script[0] else script[0], text)
    text = text.replace("<script", f'<script nonce="{nonce}"')  # in its JSON, Gradio writes < as \u003c
    text = HTML.sub(f'<html lang="{parts.language}" dir="{parts.direction}"', text, count=1)
    aside = f'<template id="gradio-shell">{"".join(shell)}</template>'
    text = BODY.sub(lambda _: f'<body class="battle-page">{parts.body}{aside}', text, count=1)
    head = parts.head.replace("<script>", f'<script nonce="{nonce}">')
    return text.replace("</head>", f"{head}</head>", 1)  # last: its styles may name other tags


class BattleDocument:
    """ASGI middleware of Gradio's application that replaces its index page, and layers its styles."""

    def __init__(self, app: ASGIApp, parts: Callable[[Request], Parts], hosts: Sequence[str] = ()) -> None:
        self.app = app
        self.parts = parts
        self.hosts = hosts  # of a third party's challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] == "/"
        if scope["type"] != "http" or not (is_page or scope["path"].endswith(".css")):
            await self.app(scope, receive, send)
            return
        reply = _Recorder()
        await self.app(_uncompressed(scope), receive, reply.receive)
        if reply.status != 200 or scope["method"] != "GET":
            await reply.replay(send)
        elif is_page:
            await self._page(scope, reply.body.decode("utf-8"))(scope, receive, send)
        else:
            await _styles(scope, reply)(scope, receive, send)

    def _page(self, scope: Scope, index: str) -> Response:
        nonce = secrets.token_urlsafe(16)
        body = document(index, self.parts(Request(scope)), nonce).encode()
        headers = {"content-security-policy": gradio_policy(nonce, self.hosts), "cache-control": "no-store"}
        return compressible(Headers(scope=scope), body, gzip.compress(body, 6), HTML_TYPE, headers)


def _styles(scope: Scope, reply: _Recorder) -> Response:
    """The styles in a layer, with the caching of the original."""
    kept = {
        name: reply.headers[name] for name in ("cache-control", "etag", "last-modified") if name in reply.headers
    }
    return compressible(Headers(scope=scope), *_layered(reply.body), CSS_TYPE, kept)


@lru_cache(maxsize=256)
def _layered(styles: bytes) -> tuple[bytes, bytes]:
    """The styles in the layer `gradio`, plain and compressed."""
    layered = b"@layer gradio{" + styles + b"}"
    return layered, gzip.compress(layered, 9, mtime=0)


def _uncompressed(scope: Scope) -> Scope:
    """The request, from a client that takes no compressed reply."""
    changed = {**scope, "headers": list(scope["headers"])}
    del MutableHeaders(scope=changed)["accept-encoding"]
    return changed


class _Recorder:
    """Keeps a reply instead of sending it."""

    def __init__(self) -> None:
        self.status, self.body = 0, b""
        self.messages: list[Message] = []

    @property
    def headers(self) -> Headers:
        return Headers(raw=self.messages[0]["headers"])

    async def receive(self, message: Message) -> None:
        self.messages.append(message)
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    async def replay(self, send: Send) -> None:
        for message in self.messages:
            await send(message)
