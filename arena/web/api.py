"""The JSON side of the web application."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, HTTPException

from arena.board_choice import NoSuchBoard
from arena.leaderboard import publish
from arena.serving import Serving
from arena.store import Database
from arena.store.tables import OVERALL


def routes(database: Database, serving: Serving) -> APIRouter:
    """`/healthz` for the operator and for open pages; `/api/v1/…` for readers."""
    router = APIRouter()
    boot = secrets.token_hex(8)  # changes with every start: an open page then knows to load again

    @router.get("/healthz")
    def health() -> dict[str, Any]:
        with database.read() as session:
            session.connection()
        ready = len(serving.drawable())
        return {"status": "ok", "boot": boot, "models_ready": ready, "models_waiting": len(serving.waiting())}

    @router.get("/api/v1/leaderboard")
    def leaderboard(
        source: str = "human", category: str = OVERALL, method: str = "bt", style: bool = False
    ) -> dict[str, Any]:
        try:
            with database.read() as session:
                return publish(session, source, category, method=method, style=style).to_dict()
        except NoSuchBoard as problem:
            raise HTTPException(422, str(problem)) from problem

    return router
