"""`/livez`, `/readyz` and `/healthz`: the state of this server, for orchestrators, operators and open pages.

All are answered within `TIMEOUT`, also while the database is frozen, and never occupy more than one thread.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from arena.battles.battles import Battles
from arena.errors import DatabaseUnavailable
from arena.store import Database
from arena.web.outages import HEADERS, OUTAGES

TIMEOUT = 2.0  # seconds for the database
FRESH = 1.0  # seconds that a result is used: every open page polls
NO_ANSWER = "The database does not respond."
HEALTHY = {"cache-control": "no-store"}


class DatabaseProbe:
    """Checks the database in a thread of its own, one check at a time. One event loop."""

    def __init__(self, database: Database, timeout: float = TIMEOUT) -> None:
        self._database = database
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database-probe")
        self._check: asyncio.Future[str | None] | None = None
        self._ended = 0.0  # on the monotonic clock

    async def problem(self) -> str | None:
        """Why the database cannot be used, for anybody to read; None when it can."""
        if self._check is None or (self._check.done() and time.monotonic() - self._ended > FRESH):
            self._check = asyncio.get_running_loop().run_in_executor(self._thread, self._checked)
        try:
            return await asyncio.wait_for(asyncio.shield(self._check), self._timeout)
        except TimeoutError:
            return NO_ANSWER

    def _checked(self) -> str | None:
        try:
            self._database.check()
        except DatabaseUnavailable as outage:
            OUTAGES.report(outage)
            return outage.reason
        finally:
            self._ended = time.monotonic()
        return None


def routes(database: Database, battles: Battles) -> APIRouter:
    """The addresses. They give the number of started models without their names, and no address or path.

    Suspended models are counted: a visitor who sees the number change learns which model has just failed.
    """
    router = APIRouter()
    boot = secrets.token_hex(8)  # an open page whose token is older reloads itself
    probe = DatabaseProbe(database)

    def models() -> dict[str, int]:
        serving = battles.serving
        return {"models_ready": serving.started(), "models_waiting": len(serving.waiting())}

    @router.get("/livez")
    async def live() -> JSONResponse:
        """The process answers. The database is not considered: a restart would not repair it."""
        return JSONResponse({"status": "ok"}, headers=HEALTHY)

    @router.get("/readyz")
    async def ready() -> JSONResponse:
        """Whether a battle can begin and a vote can be counted on this server."""
        counts = models()
        database_problem = await probe.problem()
        reasons = [database_problem] if database_problem else []
        if obstacle := battles.why_no_battle():
            reasons.append(obstacle)
        if battles.closing:
            reasons.append("The server is about to stop.")
        status = "not ready" if reasons else "ready"
        return _reply({"status": status, "reasons": reasons, **counts, "draining": battles.closing}, not reasons)

    @router.get("/healthz")
    async def health() -> JSONResponse:
        """Whether the database can be used."""
        database_problem = await probe.problem()
        state: dict[str, Any] = {"status": "unavailable" if database_problem else "ok", "boot": boot, **models()}
        if database_problem:
            state["reason"] = database_problem
        return _reply(state, database_problem is None)

    return router


def _reply(state: dict[str, Any], good: bool) -> JSONResponse:
    return JSONResponse(state, 200 if good else 503, HEALTHY if good else HEADERS)
