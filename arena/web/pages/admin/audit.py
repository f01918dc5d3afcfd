"""`/admin/audit`: who did what, when and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from arena.store.audit import AuditFilter, actions, entries
from arena.web.addresses import Parameters
from arena.web.admin import Frame, Operator

HERE = "/admin/audit"
PAGE = 100  # entries


class AuditParameters(Parameters):
    """The filters of the trail."""

    actor: str = ""
    action: str = ""
    target: str = ""
    day: date | None = None
    before: Annotated[int | None, Field(ge=1)] = None

    @property
    def conditions(self) -> AuditFilter:
        """The search."""
        start = None if self.day is None else datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        end = None if start is None else start + timedelta(days=1)
        return AuditFilter(self.actor.strip(), self.action, self.target.strip(), start, end, self.before)


def routes(frame: Frame) -> APIRouter:
    """The list of entries."""
    router = APIRouter()

    @router.get(HERE)
    def audit(request: Request, visit: Operator) -> HTMLResponse:
        given = AuditParameters.of(request)
        with frame.database.read() as session:
            rows = entries(session, given.conditions, PAGE + 1)
            known = actions(session)
        older = _link(given, rows[PAGE - 1].id) if len(rows) > PAGE else ""
        newest = _link(given, None) if given.before else ""
        return frame.page(
            "admin_audit.html", visit, given=given, rows=rows[:PAGE], actions=known, older=older, newest=newest
        )

    return router


def _link(given: AuditParameters, before: int | None) -> str:
    words = {**given.model_dump(mode="json"), "before": before}
    kept = {name: value for name, value in words.items() if value}
    return f"{HERE}?{urlencode(kept)}" if kept else HERE
