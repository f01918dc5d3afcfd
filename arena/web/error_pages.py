"""Refusals as a person reads them: a small page for whoever asks for HTML, JSON as ever for everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

NOWHERE = "There is no such page. The pages above lead to everything there is."


def tell_people(app: FastAPI, environment: Environment) -> None:
    """Let `app` answer its refusals with a page where the client accepts one."""

    async def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if "text/html" not in request.headers.get("accept", ""):
            return await http_exception_handler(request, error)
        return error_page(environment, error.status_code, str(error.detail), error.headers)

    app.add_exception_handler(HTTPException, told)


def missing(environment: Environment, problem: str) -> HTMLResponse:
    """The answer where there is nothing to read."""
    return error_page(environment, HTTPStatus.NOT_FOUND, problem)


def error_page(
    environment: Environment, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page: what it is called, and what the refusal said."""
    name = HTTPStatus(status).phrase.capitalize()
    said = NOWHERE if detail == HTTPStatus(status).phrase and status == HTTPStatus.NOT_FOUND else detail
    page = environment.get_template("missing.html").render(here="", name=name, problem=said)
    return HTMLResponse(page, status, headers=headers)
