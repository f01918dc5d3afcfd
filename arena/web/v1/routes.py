"""The routes of `/api/v1/…`: those of each group, the OpenAPI document, and the answer to any other address."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from arena import __version__
from arena.web.v1 import (
    arena_routes,
    battle_routes,
    board_routes,
    embedded_routes,
    image_routes,
    ledger_routes,
    me_routes,
    record_routes,
    trust_routes,
)
from arena.web.v1.context import Served
from arena.web.v1.problems import ProblemRoute

PREFIX = "/api/v1"
router = APIRouter(prefix=PREFIX, route_class=ProblemRoute)
for group in (board_routes, record_routes, ledger_routes, trust_routes, embedded_routes):
    router.include_router(group.router)
router.include_router(arena_routes.router)
router.include_router(battle_routes.router)
router.include_router(battle_routes.sessions)
router.include_router(image_routes.router)
router.include_router(me_routes.router)


@router.get("/openapi.json", include_in_schema=False)
def openapi(served: Served) -> JSONResponse:
    title = f"{served.settings.web.title} v1"
    return JSONResponse(get_openapi(title=title, version=__version__, routes=router.routes))


@router.get("/{rest:path}", include_in_schema=False)
def unknown(rest: str) -> Response:
    raise HTTPException(404, f"{PREFIX}/{rest} not found. See {PREFIX}/openapi.json.")
