"""The names under which the arena is served, and redirects that stay on it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from fastapi import Request
from jinja2 import Environment
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.config import WebSettings
from arena.rules.messages import gettext_noop
from arena.web.error_pages import refusal

HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")
ELSEWHERE = "arena.elsewhere"  # in the scope of a request: redirects that leave the arena
UNKNOWN_HOST = gettext_noop(
    "This arena is not served under this name. The operator can add the name to web.allowed_hosts."
)


def served_hosts(settings: WebSettings) -> tuple[str, ...]:
    """The names of the settings, `localhost`, and the names of this machine. IP addresses are always served."""
    machine = socket.gethostname()
    local = ("localhost", "*.localhost", settings.host, machine, f"{machine.partition('.')[0]}.local")
    public = urlsplit(settings.public_url or "").hostname or ""
    return tuple(name for name in (*settings.allowed_hosts, *local, public) if name)


class KnownHosts:
    """ASGI middleware that refuses other hosts with 400, and makes every redirect relative but those of `leaving`.

    Without names, every well-formed host is accepted. Redirects are relative all the same: libraries build them from
    the `Host` header, which is the client's choice.
    """

    def __init__(self, app: ASGIApp, environment: Environment, names: Iterable[str] = ()) -> None:
        self.app, self.environment = app, environment
        self.names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not self._is_known(Headers(scope=scope).getlist("host")):
            await refusal(self.environment, Request(scope), 400, UNKNOWN_HOST)(scope, receive, send)
            return

        elsewhere: list[str] = []

        async def send_relative(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                location = headers.get("location")
                if location and location not in elsewhere:
                    headers["location"] = on_this_arena(location)
            await send(message)

        await self.app({**scope, ELSEWHERE: elsewhere}, receive, send_relative)

    def _is_known(self, hosts: list[str]) -> bool:
        """Whether there is no `Host` (HTTP/1.0), or one that is an IP address or one of the names."""
        if not hosts:
            return True
        match = HOST.fullmatch(hosts[0])
        if match is None or len(hosts) > 1:
            return False
        name = (match["v6"] or match["name"]).lower().rstrip(".")
        if not self.names or _is_ip(name) or name in self.names:
            return True
        return any(pattern.startswith("*.") and name.endswith(pattern[1:]) for pattern in self.names)


def leaving(request: Request, address: str) -> RedirectResponse:
    """A redirect to another site, whose address comes from the operator's settings and not from the request."""
    reply = RedirectResponse(address, 303)
    request.scope[ELSEWHERE].append(reply.headers["location"])
    return reply


def on_this_arena(location: str) -> str:
    """A redirect as path and query: its host is dropped, and so are slashes that would begin another host."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "/"
    if not parts.scheme and not parts.netloc and not location.startswith(("/", "\\")):
        return location
    return urlunsplit(("", "", "/" + parts.path.lstrip("/\\"), parts.query, parts.fragment))


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
