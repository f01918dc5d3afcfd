"""The cookie of an account's session, apart from the voter's.

Over https its name starts with `__Host-`, which browsers take from no other host, no subdomain and no unencrypted page.
`SameSite=Strict` keeps it out of every request that another site starts.
"""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

NAME, SECURE_NAME = "arena_account", "__Host-arena_account"
SHAPE_LENGTH = 43  # characters of `secrets.token_urlsafe(32)`


def token_of(request: Request, secure: bool) -> str | None:
    """The token in the cookie of a request."""
    token = request.cookies.get(_name(request, secure))
    return token if token and len(token) == SHAPE_LENGTH else None


def set_token(request: Request, response: Response, token: str, secure: bool) -> None:
    """Let a reply set the cookie; it ends with the browser's session, and the server ends it earlier."""
    https_only = is_secure(request, secure)
    response.set_cookie(
        _name(request, secure), token, path="/", httponly=True, samesite="strict", secure=https_only
    )


def remove_token(request: Request, response: Response, secure: bool) -> None:
    """Let a reply remove the cookie."""
    https_only = is_secure(request, secure)
    response.delete_cookie(_name(request, secure), path="/", httponly=True, samesite="strict", secure=https_only)


def _name(request: Request, secure: bool) -> str:
    return SECURE_NAME if is_secure(request, secure) else NAME


def is_secure(request: Request, secure: bool) -> bool:
    """Whether a cookie for this request is sent over https only."""
    return secure or request.url.scheme == "https"
