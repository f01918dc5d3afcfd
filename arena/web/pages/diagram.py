"""`/diagram`: the frame in which a Mermaid diagram of a text is drawn.

The source of a diagram is text of a model, and the library that draws it builds HTML. It therefore runs in a frame of
its own that has no origin, no cookies, no network and no forms; the page sends the source and receives a height.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)


def routes(environment: Environment) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/diagram")
    def diagram() -> HTMLResponse:
        page = environment.get_template("diagram.html").render()
        return HTMLResponse(page, headers={"content-security-policy": POLICY, "cache-control": "no-cache"})

    return router
