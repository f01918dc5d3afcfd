"""Requests to Gradio's queue: validated events, and streams only for sessions that have events."""

from __future__ import annotations

from collections import Counter

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.web.body_limit import replayed
from arena.web.client_address import address_of
from arena.web.event_bodies import BadEvent, EventBodies, UnknownEvent
from arena.web.queue_sessions import QueueSessions

JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"
RETRY = {"retry-after": "10"}  # seconds


class QueueRequests:
    """ASGI middleware of Gradio's application, inside `BodyLimit`."""

    def __init__(self, app: ASGIApp, bodies: EventBodies, sessions: QueueSessions, per_address: int) -> None:
        self.app = app
        self.bodies = bodies
        self.sessions = sessions
        self.per_address = per_address  # unfinished events; 0 is no limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in (JOIN, DATA):
            await self.app(scope, receive, send)
        elif repeated := _repeated(scope):  # Gradio would read another one of them
            detail = f"The parameter {repeated[:40]!r} is given more than once. Reload the page."
            await _refuse(400, detail)(scope, receive, send)
        elif scope["path"] == JOIN:
            await self._join(scope, receive, send)
        else:
            await self._stream(scope, receive, send)

    async def _join(self, scope: Scope, receive: Receive, send: Send) -> None:
        media = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            await _refuse(415, "The body is not application/json. Reload the page.")(scope, receive, send)
            return
        message = await receive()  # whole: see `BodyLimit`
        try:
            event = self.bodies.checked(message.get("body", b""))
        except BadEvent as problem:
            status = 404 if isinstance(problem, UnknownEvent) else 422
            await _refuse(status, str(problem))(scope, receive, send)
            return
        await self.sessions.join(event.session_hash)
        if event.session_hash not in self.sessions and self.sessions.is_full():
            await _refuse(503, "Too many pages are open. Try again in a moment.")(scope, receive, send)
            return
        address = address_of(scope)
        if reason := self.sessions.too_many_events(event.session_hash, address, self.per_address):
            await _refuse(429, reason)(scope, receive, send)
            return
        body = event.model_dump_json().encode()
        with self.sessions.joining(event.session_hash, address):
            await self.app(_with_length(scope, len(body)), replayed(body, receive), send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = QueryParams(scope["query_string"]).get("session_hash", "")
        if session not in self.sessions:
            await _refuse(404, "This session has no running event. Reload the page.")(scope, receive, send)
        elif self.sessions.is_read(session):
            await _refuse(429, "This session is streamed already. Close its other stream.")(scope, receive, send)
        else:
            with self.sessions.reading(session) as stream:
                await self.app(scope, receive, stream.watched(send))


def _refuse(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers=RETRY if status in (429, 503) else None)


def _repeated(scope: Scope) -> str | None:
    """A parameter of the address that is given more than once."""
    names = Counter(name for name, _ in QueryParams(scope["query_string"]).multi_items())
    return next((name for name, times in names.items() if times > 1), None)


def _with_length(scope: Scope, length: int) -> Scope:
    """The scope of a body that has been replaced."""
    changed = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=changed)
    del headers["transfer-encoding"]
    headers["content-length"] = str(length)
    return changed
