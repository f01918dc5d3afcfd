"""`/admin`: how the arena is doing. Each number leads to the rows behind it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from arena.rules.funnel import DROPPED, STEP_NAMES, STEPS, Funnel, Step
from arena.rules.limits import Spending
from arena.rules.vote_states import sentence_of
from arena.serving.availability import State
from arena.serving.models import ServedModel
from arena.store.funnel import DayCounts, failures, votes_by_hour
from arena.store.operator_figures import figures
from arena.store.schema.battles import now
from arena.store.spending import spent
from arena.store.timings import Timing, timings
from arena.web.admin import Frame, Reviewer
from arena.web.admin.days import CountedDays
from arena.web.admin.hours import HEIGHT, HOURS, WIDTH, Chart, chart
from arena.web.pages.admin import figures as lists
from arena.web.pages.admin.battles import battles_link
from arena.web.pages.admin.figures import figure_link

OTHERS = (Step.RUNNING, Step.WAITING, Step.UNDOABLE)  # neither on the way to the end nor out of it


@dataclass(frozen=True)
class Endpoint:
    """A served model and how it answers; `failed` are the battles of today that failed, by kind."""

    name: str
    state: State
    rests: float  # seconds until it takes part again
    detail: str
    failures: int  # in a row
    failed: Mapping[str, int]
    timing: Timing | None


def routes(frame: Frame) -> APIRouter:
    """The overview."""
    router, days = APIRouter(), CountedDays(frame.database)
    router.include_router(lists.routes(frame))

    @router.get("/admin")
    def overview(visit: Reviewer) -> HTMLResponse:
        at = now()
        return frame.page(
            "admin_overview.html", visit, link=battles_link, figure_link=figure_link, **_values(frame, days, at)
        )

    return router


def _values(frame: Frame, days: CountedDays, at: datetime) -> dict[str, Any]:
    today = at.astimezone(UTC).date()
    counted = days.last(today)
    with frame.database.read() as session:
        votes = chart(votes_by_hour(session, at - timedelta(hours=HOURS)), at)
        failed = failures(session, datetime(today.year, today.month, today.day, tzinfo=UTC))
        measured, figured = timings(session), figures(session, at)
        used = spent(session, today.isoformat())
    limits = frame.settings.limits
    return {
        "spent": used,
        "figures": figured,
        **_funnel(counted, today),
        "votes": votes,
        "reasons": _reasons(votes),
        "shape": {"width": WIDTH, "height": HEIGHT},
        "budget": Spending(limits.tokens_per_day, limits.usd_per_day),
        "endpoints": [
            _endpoint(model, failed, measured)
            for model in dict.fromkeys(frame.serving.models.values())  # a released one has two names
        ],
        "jobs": frame.jobs,
        "at": at,
        "day_ago": at - lists.DAY,
        "age": at - figured.sealed_at if figured.sealed_at else None,
    }


def _funnel(counted: list[DayCounts], today: date) -> dict[str, Any]:
    by_model = defaultdict[str, Funnel](Funnel)
    for name, funnel in counted[0].by_model.items():
        by_model[name] += funnel
    return {
        "days": counted,
        "models": dict(sorted(by_model.items())),
        "today": today,
        "steps": STEPS,
        "dropped": DROPPED,
        "others": OTHERS,
        "names": STEP_NAMES,
    }


def _reasons(votes: Chart) -> list[tuple[str, str, str, int]]:
    """(state, reason, sentence, votes) of what holds votes of the last hours, the most frequent first."""
    return [
        (state, reason, sentence_of(state, reason), number) for (state, reason), number in votes.reasons.items()
    ]


def _endpoint(
    model: ServedModel, failed: Mapping[tuple[str, str], int], measured: Mapping[str, Timing]
) -> Endpoint:
    one = model.availability
    return Endpoint(
        name=model.name,
        state=one.state,
        rests=max(0.0, one.suspended_until - time.monotonic()),
        detail=one.detail,
        failures=one.failures.number,
        failed={kind: number for (name, kind), number in failed.items() if name == model.name},
        timing=measured.get(model.name),
    )
