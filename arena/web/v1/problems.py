"""Errors as problem documents (RFC 9457): what is wrong, and what to request instead."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from arena.errors import ConfigError
from arena.rules.messages import gettext_noop
from arena.web.locales import gettext as _
from arena.web.locales import text_of

MEDIA = "application/problem+json"
HEAD = "arena.head"  # in the scope of a HEAD request
SHOWN = 80  # characters of an invalid value
KINDS = {  # of Pydantic's errors, with Pydantic's own texts in English
    "bool_parsing": gettext_noop("Input should be a valid boolean, unable to interpret input"),
    "greater_than_equal": gettext_noop("Input should be greater than or equal to {ge}"),
    "int_parsing": gettext_noop("Input should be a valid integer, unable to parse string as an integer"),
    "less_than_equal": gettext_noop("Input should be less than or equal to {le}"),
    "missing": gettext_noop("Field required"),
    "string_too_long": gettext_noop("String should have at most {max_length} characters"),
    "string_type": gettext_noop("Input should be a valid string"),
}


def problem(
    status: int,
    detail: str,
    request: Request,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """The problem document of a status; `code` is a stable word for programs, `more` are further members."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.scope["path"],
        **({"code": code} if code else {}),
        **(more or {}),
    }
    return JSONResponse(body, status, headers, media_type=MEDIA)


def described(error: RequestValidationError) -> str:
    """Every invalid parameter with its place, what is wrong and the start of its value."""
    return "; ".join(map(_description, error.errors()))


class ProblemRoute(APIRoute):
    """A route whose errors are problem documents; an error of the program stays a 500 with its traceback.

    HEAD is handled as GET; the server removes the body.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(_as_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().handle(_as_get(scope), receive, send)

    def invalid(self, error: RequestValidationError, request: Request) -> Response:
        """The reply to parameters or a body that are not valid."""
        return problem(422, described(error), request)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except ConfigError as error:
                return problem(422, text_of(error), request)
            except RequestValidationError as error:
                return self.invalid(error, request)
            except HTTPException as error:
                if (
                    error.status_code == HTTPStatus.NOT_ACCEPTABLE
                ):  # no other Accept would help while the store is out
                    await run_in_threadpool(request.app.state.v1.database.check)
                return problem(error.status_code, str(error.detail), request)

        return handled


def _as_get(scope: Scope) -> Scope:
    return {**scope, "method": "GET", HEAD: True} if scope.get("method") == "HEAD" else scope


def _description(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"][1:]) or "request"
    given = repr(error.get("input"))
    known = KINDS.get(error["type"])
    context = error.get("ctx", {})
    own = context.get("error")  # of a check of ours, in the reader's language
    problem = _(known, **context) if known else str(own or error["msg"])
    given = given if len(given) <= SHOWN else f"{given[:SHOWN]}…"
    return _("{parameter}: {problem} (got {value})", parameter=place, problem=problem, value=given)
