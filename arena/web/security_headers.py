"""Security headers of every reply: what a page may load and run."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No remote resource is loaded: an image in a completion must not report a voter's address.
POLICY = (
    "default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'{hosts}; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:{hosts}; worker-src 'self' blob:; frame-src 'self'{hosts}; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
PRIVATE = ("/admin", "/review")  # what only accounts see: in no cache, and in no frame of any page
STRICT = POLICY.format(scripts="'self'", hosts="")


def is_private(path: str) -> bool:
    """Whether an address is one of those that only accounts see.

    >>> is_private("/admin/audit"), is_private("/administration")
    (True, False)
    """
    return path.startswith(tuple(f"{place}/" for place in PRIVATE)) or path in PRIVATE


def gradio_policy(nonce: str, hosts: Sequence[str] = ()) -> str:
    """The policy of the battle page: inline scripts with this nonce, and eval, by which `gr.HTML` compiles its templates.

    `hosts` are the origins of the third party whose challenge the operator has configured.
    """
    others = "".join(f" {host}" for host in hosts)
    return POLICY.format(scripts=f"'self' 'nonce-{nonce}' 'unsafe-eval'{others}", hosts=others)


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
                if is_private(scope["path"]):
                    headers["cache-control"] = "no-store"
                    headers["content-security-policy"] = STRICT.replace(
                        "frame-ancestors 'self'", "frame-ancestors 'none'"
                    )
                headers.setdefault("content-security-policy", STRICT)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
            await send(message)

        await self.app(scope, receive, send_protected)
