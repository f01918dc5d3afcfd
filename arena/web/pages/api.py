"""`/api/v1`: what the API offers, as a page to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from arena import __version__
from arena.rules.messages import gettext_noop
from arena.web.v1.context import home
from arena.web.v1.routes import router

HERE = "/api/v1"
SAMPLE_VALUES = {"model": "MODEL", "from": "2026-03-01", "to": "2026-04-01"}  # of required parameters
GROUPS = (
    (gettext_noop("Leaderboard"), ("/leaderboard", "/models", "/moved")),
    (
        gettext_noop("Records"),
        ("/votes", "/battles", "/prompts", "/seals", "/heads", "/receipts/{vote}/{leaf}", "/sampling"),
    ),
    (gettext_noop("For your own pages"), ("/badge.svg", "/table.html", "/feed.atom")),
)
LONGEST = 1_400  # characters of an example


@dataclass(frozen=True)
class Operation:
    """One method of one path, with an example of its reply."""

    method: str
    path: str
    summary: str
    parameters: tuple[tuple[str, bool, str], ...]
    example: str
    query: str

    @property
    def id(self) -> str:
        return f"{self.method}{self.path}".lower().translate(str.maketrans("/{}.", "----")).strip("-")


def routes(templates: Environment) -> APIRouter:
    """The page, at its address with and without a slash."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    @router.get(f"{HERE}/")
    def api(request: Request) -> HTMLResponse:
        page = templates.get_template("api.html")
        return HTMLResponse(page.render(here=HERE, groups=grouped(operations()), home=home(request)))

    return router


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the OpenAPI document, which is made once."""
    document = get_openapi(title="v1", version=__version__, routes=router.routes)
    return tuple(
        _operation(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    )


def grouped(every: Sequence[Operation]) -> list[tuple[str, list[Operation]]]:
    """The operations by subject; what no group names is about single battles, and comes first."""
    named = {HERE + path: title for title, paths in GROUPS for path in paths}
    groups = [(gettext_noop("Battles"), [one for one in every if one.path not in named])]
    groups += [(title, [one for one in every if named.get(one.path) == title]) for title, _ in GROUPS]
    return [(title, members) for title, members in groups if members]


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    parameters = [given for given in described.get("parameters", ()) if given["in"] == "query"]
    replies = described["responses"].items()
    content: dict[str, Any] = next((reply.get("content", {}) for code, reply in replies if code[0] == "2"), {})
    required = {given["name"]: SAMPLE_VALUES.get(given["name"], "…") for given in parameters if given["required"]}
    return Operation(
        method=method,
        path=path,
        summary=described.get("description") or described.get("summary", ""),
        parameters=tuple((given["name"], given["required"], _text_of(given)) for given in parameters),
        example=_example(content),
        query=f"?{urlencode(required)}" if required else "",
    )


def _text_of(parameter: dict[str, Any]) -> str:
    schema = parameter.get("schema", {})
    text, default = parameter.get("description", ""), schema.get("default")
    usual = "" if default in (None, "") else f"default {json.dumps(default)}"
    return "; ".join(part for part in (text, usual) if part)


def _example(content: dict[str, Any]) -> str:
    """The example of a JSON reply, as indented text."""
    example = content.get("application/json", {}).get("example")
    if example is None:
        return ""
    text = json.dumps(example, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit("\n", 1)[0] + "\n…"
