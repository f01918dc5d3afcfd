"""The JSON side of the web application."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter

from arena.config import Settings
from arena.leaderboards.cache import ResultCache
from arena.serving.models import Serving
from arena.web import v1


def routes(cache: ResultCache, serving: Serving, settings: Settings) -> APIRouter:
    """`/healthz` for the operator and for open pages; `/api/v1/…` for readers."""
    router = APIRouter()
    boot = secrets.token_hex(8)  # changes with every start: an open page then knows to load again

    @router.get("/healthz")
    def health() -> dict[str, Any]:
        with cache.database.read() as session:
            session.connection()
        ready = len(serving.drawable())
        return {"status": "ok", "boot": boot, "models_ready": ready, "models_waiting": len(serving.waiting())}

    router.include_router(v1.routes(cache, settings))
    return router
