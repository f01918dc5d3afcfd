"""The address of a request, checked in one place before any route reads it: length, encoding, characters.

What an address may hold is decided here and in the query models of the pages (`Parameters`); a route below sees
only text that a database and a template can take.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.rules.messages import Phrase, gettext_noop
from arena.web.error_pages import refusal

LONGEST_PATH, LONGEST_QUERY, LONGEST_VALUE = 2_000, 8_000, 1_000  # bytes, bytes, characters
CALLBACK, LONGEST_CODE = (
    b"/sign-in/callback",
    4_000,
)  # characters of the code of a sign-in provider, which chooses it
MOST_PARAMETERS = 400  # checkboxes of an arena with hundreds of models


class Addresses:
    """ASGI middleware that refuses an address that no route can use, with 400, 414 or 422."""

    def __init__(self, app: ASGIApp, environment: Environment) -> None:
        self.app, self.environment = app, environment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = problem_of(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
            return
        status, detail = problem
        await refusal(self.environment, Request(scope), status, detail)(scope, receive, send)


def problem_of(scope: Scope) -> tuple[int, str] | None:
    """The status and text for an address that no route can use; None for a usable one."""
    path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        return 414, Phrase(
            "The address is too long. Use at most {path:,} bytes of path and {query:,} of parameters.",
            path=LONGEST_PATH,
            query=LONGEST_QUERY,
        )
    if not (_is_text(path) and _is_text(query)):
        return 400, gettext_noop(
            "The address is not UTF-8 text without NUL characters. Remove these characters from it."
        )
    try:
        given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return 422, Phrase("The address has too many parameters. Use at most {most}.", most=MOST_PARAMETERS)
    most = LONGEST_CODE if path == CALLBACK else LONGEST_VALUE
    too_long = next((name for name, value in given if max(len(name), len(value)) > most), None)
    if too_long is not None:
        return 422, Phrase(
            "The parameter {name!r} is too long. Use at most {most:,} characters.",
            name=too_long[:40],
            most=most,
        )
    return None


def _is_text(given: bytes) -> bool:
    """Whether percent-decoded bytes are UTF-8 without NUL, which PostgreSQL does not store."""
    plain = unquote_to_bytes(given)
    try:
        plain.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in plain


def filtered(path: str, **wanted: Any) -> str:
    """The address of a list with these filters; those that are empty, None or False are left away.

    >>> filtered("/list", day=date(2026, 11, 28), shared=True, model="", before=None)
    '/list?day=2026-11-28&shared=1'
    """
    words = {
        name: value.isoformat() if isinstance(value, date) else "1" if value is True else str(value)
        for name, value in wanted.items()
        if value not in (None, "") and value is not False
    }
    return f"{path}?{urlencode(words)}" if words else path


class Parameters(BaseModel):
    """A query model: the parameters of a page, checked. An empty parameter has its default; unknown ones are ignored,
    so that old links still open a page.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _given(cls, words: Any) -> Any:
        return {name: value for name, value in words.items() if value != ""} if isinstance(words, dict) else words

    @classmethod
    def of(cls, request: Request) -> Self:
        """The parameters of a request; the last of repeated ones counts. Raises `RequestValidationError`."""
        try:
            return cls.model_validate(dict(request.query_params))
        except ValidationError as problem:
            places = [{**error, "loc": ("query", *error["loc"])} for error in problem.errors()]
            raise RequestValidationError(places) from problem
