"""Errors as a page for clients that accept HTML, as a problem document for the API, and as JSON for all others."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from arena.errors import DatabaseUnavailable
from arena.leaderboards.query import NoSuchBoard
from arena.rules.messages import gettext_noop
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.outages import HEADERS, OUTAGES, TRY_AGAIN
from arena.web.v1.problems import described, problem

STATUS_NAMES = {
    400: gettext_noop("Bad request"),
    403: gettext_noop("Forbidden"),
    404: gettext_noop("Not found"),
    405: gettext_noop("Method not allowed"),
    408: gettext_noop("Request timeout"),
    409: gettext_noop("Conflict"),
    413: gettext_noop("Request too large"),
    414: gettext_noop("Address too long"),
    422: gettext_noop("Invalid parameters"),
    429: gettext_noop("Too many requests"),
    431: gettext_noop("Headers too large"),
    500: gettext_noop("Internal server error"),
    503: gettext_noop("Service unavailable"),
}
NO_SUCH_PAGE = gettext_noop("This page does not exist. Use the links above.")


def add_error_pages(app: FastAPI, environment: Environment) -> None:
    """Make `app` answer HTTP errors, invalid parameters (422), boards that do not exist (404) and outages of the
    database (503) with a page where the client accepts HTML.
    """

    async def handle(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if not _wants_html(request):
            return await http_exception_handler(request, error)
        return error_page(environment, error.status_code, str(error.detail), error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return refusal(environment, request, 422, described(error))

    async def no_board(request: Request, error: Exception) -> Response:
        assert isinstance(error, NoSuchBoard)
        return refusal(environment, request, 404, text_of(error))

    async def outage(request: Request, error: Exception) -> Response:
        assert isinstance(error, DatabaseUnavailable)
        OUTAGES.report(error)
        return refusal(environment, request, 503, f"{_(error.reason)} {_(TRY_AGAIN)}", HEADERS)

    app.add_exception_handler(HTTPException, handle)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(NoSuchBoard, no_board)
    app.add_exception_handler(DatabaseUnavailable, outage)


def refusal(
    environment: Environment, request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response to a request that cannot be served: the API's problem document, a page or JSON."""
    detail = _(detail)
    if request.scope["path"].startswith("/api/"):
        response = problem(status, detail, request)
    elif _wants_html(request):
        response = error_page(environment, status, detail)
    else:
        response = JSONResponse({"detail": detail}, status)
    response.headers.update(headers or {})
    if "content-length" in request.headers or "transfer-encoding" in request.headers:
        response.headers["connection"] = "close"  # its body is not read
    return response


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def missing(environment: Environment, problem: str) -> HTMLResponse:
    """The page for an address without content."""
    return error_page(environment, HTTPStatus.NOT_FOUND, _(problem))


def error_page(
    environment: Environment, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page with the name of the status and the detail of the error."""
    phrase = HTTPStatus(status).phrase
    name = _(STATUS_NAMES.get(status) or phrase.capitalize())
    is_plain = detail == phrase  # a library's own text
    problem = _(NO_SUCH_PAGE) if is_plain and status == HTTPStatus.NOT_FOUND else name if is_plain else detail
    page = environment.get_template("error.html").render(here="", name=name, problem=problem)
    return HTMLResponse(page, status, headers=headers)
