"""HTTP errors as a page for clients that accept HTML, and as JSON for all others."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

NO_SUCH_PAGE = "This page does not exist. Use the links above."


def add_error_pages(app: FastAPI, environment: Environment) -> None:
    """Make `app` answer HTTP errors with a page where the client accepts HTML."""

    async def handle(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if "text/html" not in request.headers.get("accept", ""):
            return await http_exception_handler(request, error)
        return error_page(environment, error.status_code, str(error.detail), error.headers)

    app.add_exception_handler(HTTPException, handle)


def missing(environment: Environment, problem: str) -> HTMLResponse:
    """The page for an address without content."""
    return error_page(environment, HTTPStatus.NOT_FOUND, problem)


def error_page(
    environment: Environment, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page with the name of the status and the detail of the error."""
    name = HTTPStatus(status).phrase.capitalize()
    problem = NO_SUCH_PAGE if detail == HTTPStatus(status).phrase and status == HTTPStatus.NOT_FOUND else detail
    page = environment.get_template("error.html").render(here="", name=name, problem=problem)
    return HTMLResponse(page, status, headers=headers)
