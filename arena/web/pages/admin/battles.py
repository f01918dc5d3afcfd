"""`/admin/battles`: every battle with filters, and one battle with its texts, votes, reports, and whether readers see it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from arena.rules.funnel import STEP_NAMES, Step
from arena.rules.messages import Phrase, gettext_noop
from arena.rules.vote_states import HELD, SENTENCES, VoteState
from arena.store.funnel import PAGE, BattleFilter, listed_battles, votes_of_battle
from arena.store.held_votes import vote_states
from arena.store.hidden_battles import hidden_among, hide, show
from arena.store.models import model_names
from arena.store.reports import reports_of
from arena.store.stored_battles import find_battle
from arena.web.addresses import Parameters, filtered
from arena.web.admin import Frame, Operator, Reviewer, Visit
from arena.web.error_pages import missing

HERE = "/admin/battles"
LONGEST_REASON = 1_000  # characters
NO_BATTLE = gettext_noop("There is no battle with this address. Go back to the list of battles.")
STATES = (VoteState.ACCEPTED, *HELD)
Reason = Annotated[str, Form(min_length=1, max_length=LONGEST_REASON)]


class BattleParameters(Parameters):
    """The filters of the list."""

    day: date | None = None
    model: str = ""
    step: Step | None = None
    shared: bool = False
    hidden: bool = False
    reported: bool = False
    hour: datetime | None = None
    since: datetime | None = None
    reason: str = ""
    state: str = ""
    failure: str = ""
    voter: str = ""
    before: Annotated[int | None, Field(ge=1)] = None

    @property
    def conditions(self) -> BattleFilter:
        """The search; an hour without a zone is one of UTC."""
        hours = {name: _hour(getattr(self, name)) for name in ("hour", "since")}
        return BattleFilter(**{**self.model_dump(), **hours})


def _hour(given: datetime | None) -> datetime | None:
    if given is None:
        return None
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).replace(minute=0, second=0, microsecond=0)


def battles_link(**wanted: Any) -> str:
    """The address of the list with these filters.

    >>> battles_link(day=date(2026, 11, 28), step=Step.FAILED, model="")
    '/admin/battles?day=2026-11-28&step=failed'
    """
    return filtered(HERE, **wanted)


def routes(frame: Frame) -> APIRouter:
    """The list, a battle, and what hides it."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(HERE, pages.list)
    router.add_api_route(f"{HERE}/{{public_id}}", pages.battle)
    router.add_api_route(f"{HERE}/{{public_id}}/hide", pages.hide, methods=["POST"])
    router.add_api_route(f"{HERE}/{{public_id}}/show", pages.show, methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame

    def list(self, request: Request, visit: Reviewer) -> HTMLResponse:
        wanted = BattleParameters.of(request).conditions
        with self.frame.database.read() as session:
            rows = listed_battles(session, wanted, PAGE + 1)
            models = model_names(session)
        older = battles_link(**{**asdict(wanted), "before": rows[PAGE - 1].id}) if len(rows) > PAGE else ""
        return self.frame.page(
            "admin_battles.html",
            visit,
            wanted=wanted,
            rows=rows[:PAGE],
            models=models,
            steps=STEP_NAMES,
            states=STATES,
            newest=battles_link(**{**asdict(wanted), "before": None}) if wanted.before else "",
            older=older,
        )

    def battle(self, public_id: str, visit: Reviewer) -> HTMLResponse:
        with self.frame.database.read() as session:
            battle = find_battle(session, public_id=public_id)
            if battle is None:
                return missing(self.frame.templates, NO_BATTLE)
            votes = votes_of_battle(session, battle.id)
            values = {
                "votes": votes,
                "states": vote_states(session, [vote.id or 0 for vote in votes]),
                "reports": reports_of(session, battle.id),
                "hidden": hidden_among(session, [battle.id]).get(battle.id),
            }
        return self.frame.page("admin_battle.html", visit, battle=battle, reasons=SENTENCES, **values)

    def hide(self, public_id: str, visit: Operator, reason: Reason) -> RedirectResponse:
        with self.frame.action(visit, "battle.hide", public_id, reason=reason) as session:
            hide(session, public_id, reason, visit.name)
        return self._back(
            visit, Phrase("The battle {battle} is hidden from readers.", battle=public_id), public_id
        )

    def show(self, public_id: str, visit: Operator, reason: Reason) -> RedirectResponse:
        with self.frame.action(visit, "battle.show", public_id, reason=reason) as session:
            show(session, public_id)
        return self._back(visit, Phrase("Readers see the battle {battle} again.", battle=public_id), public_id)

    def _back(self, visit: Visit, message: str, public_id: str) -> RedirectResponse:
        return self.frame.back(visit, f"{HERE}/{public_id}", message)
