"""Security headers of every reply: what a page may load and run."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No remote resource is loaded: an image in a completion must not report a voter's address.
POLICY = (
    "default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
STRICT = POLICY.format(scripts="'self'")


def gradio_policy(nonce: str) -> str:
    """The policy of the battle page: inline scripts with this nonce, and eval, by which `gr.HTML` compiles its templates."""
    return POLICY.format(scripts=f"'self' 'nonce-{nonce}' 'unsafe-eval'")


class SecurityHeaders:
    """ASGI middleware that adds the headers which a reply does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", STRICT)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
            await send(message)

        await self.app(scope, receive, send_protected)
