"""`/healthz`: whether the arena runs, for the operator and for open pages."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter

from arena.serving.models import Serving
from arena.store import Database


def routes(database: Database, serving: Serving) -> APIRouter:
    """The number of ready models, without their names, and a token that changes with each start."""
    router = APIRouter()
    boot = secrets.token_hex(8)  # an open page whose token is older reloads itself

    @router.get("/healthz")
    def health() -> dict[str, Any]:
        with database.read() as session:
            session.connection()
        ready = len(serving.available_weights())
        return {"status": "ok", "boot": boot, "models_ready": ready, "models_waiting": len(serving.waiting())}

    return router
