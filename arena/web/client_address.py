"""The address of a visitor. Forwarded headers are believed from the proxies of the settings, and from nobody else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

log = logging.getLogger(__name__)

UNKNOWN = "unknown"
SUBNET = 64  # bits of an IPv6 address that identify a customer; the rest is theirs to choose


class TrustedProxies:
    """ASGI middleware that sets client and scheme from a trusted proxy's headers, then removes such headers.

    Gradio reads `X-Forwarded-Host` and others from every client. After this middleware there are none.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[str] = ()) -> None:
        self.app = app
        self._warned = bool(proxies)
        self._with_client = ProxyHeadersMiddleware(self._without_forwarded, list(proxies))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._with_client(scope, receive, send)  # type: ignore[arg-type]

    async def _without_forwarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            kept = [(name, value) for name, value in scope["headers"] if not _is_forwarded(name)]
            if len(kept) < len(scope["headers"]):
                self._warn_once(scope)
            scope = {**scope, "headers": kept}
        await self.app(scope, receive, send)

    def _warn_once(self, scope: Scope) -> None:
        """Report a proxy that the settings do not name: all its visitors share the limits of one address."""
        if not self._warned:
            self._warned = True
            log.warning(
                "A request from %s has forwarded headers, which are ignored. If this is your proxy, name it in "
                "web.trusted_proxies; until then all its visitors share the limits of one address.",
                (scope.get("client") or (UNKNOWN,))[0],
            )


def address_of(scope: Scope) -> str:
    """The address of the client for counting: IPv6 as its /64 network, since one visitor has that many."""
    return counted_address((scope.get("client") or (None,))[0])


def counted_address(host: str | None) -> str:
    """The part of an address that identifies a visitor, or `unknown`."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return UNKNOWN
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    network = IPv6Address(int(address) >> (128 - SUBNET) << (128 - SUBNET))
    return f"{network}/{SUBNET}"


def _is_forwarded(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in (b"forwarded", b"x-real-ip", b"x-gradio-server")
