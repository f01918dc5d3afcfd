"""`/explain/ID`: the stored explanations of a battle, and the start of a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from markupsafe import Markup

from arena.config import Settings
from arena.errors import ConfigError
from arena.explaining.explain import all_stored
from arena.explaining.notes import phrase_of
from arena.explaining.request import ABOUT, VERDICT, ExplainConfig, find_battle, method_names, offered_models
from arena.leaderboards.model_profile import wilson
from arena.store import Database
from arena.store.explanations import BattleTexts, StoredExplanation, agreement_with_people
from arena.store.shared_battles import may_read
from arena.web.explain_jobs import Busy, ExplainJobs, NotTheStarter
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.own_page import from_own_page
from arena.web.pages.battles import NOT_READABLE
from arena.web.rendering import templates
from arena.web.session import COOKIE, voter_of
from interp import BLACK_BOX, HEAD_MEASURES, OUTCOMES, WHITE_BOX, BadDocument, Explanation, fragment, style

LONGEST = 160  # characters of the prompt in the heading
SIDE_BY_SIDE = 2
METHOD_SUMMARIES = {name: method.summary for name, method in BLACK_BOX.items()} | {
    name: method.summary for name, method in WHITE_BOX.items()
}


def routes(settings: Settings, database: Database, jobs: ExplainJobs) -> APIRouter:
    """The page, with `show=1,2` for two stored explanations side by side; start, cancel and progress of a job."""
    router = APIRouter(prefix="/explain", include_in_schema=False)
    pages = Pages(settings, database, jobs, templates(settings.web.title))
    router.add_api_route("/{name}", pages.show)
    own = [Depends(from_own_page(settings.web.public_url))]
    router.add_api_route("/{name}", pages.start, methods=["POST"], dependencies=own)
    router.add_api_route("/{name}/cancel", pages.cancel, methods=["POST"], dependencies=own)
    router.add_api_route("/{name}/state", pages.state)
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    settings: Settings
    database: Database
    jobs: ExplainJobs
    templates: Environment

    def show(self, name: str, request: Request, show: str = "") -> HTMLResponse:
        return self._page(self._battle(name, request), request, show)

    def _page(self, battle: BattleTexts, request: Request, show: str = "", refused: str = "") -> HTMLResponse:
        """The page; with a reason why a new explanation did not start it is a conflict."""
        stored = all_stored(self.database, battle)
        shown = _shown(stored, show)
        models, voter = offered_models(self.settings), voter_of(request.cookies.get(COOKIE))
        job, running = self.jobs.job(battle.public_id), self.jobs.running()
        page = self.templates.get_template("explain.html").render(
            here="",
            battle=battle,
            prompt=_heading(battle),
            outcomes=OUTCOMES,
            judges=self._judges([*models, *(row.judge for row in shown)]),
            refused=refused,
            job=job,
            own=job is not None and job.starter == voter,
            running=running if running is not job else None,
            models=models,
            methods=METHOD_SUMMARIES,
            stored=[_row(row) for row in stored],
            shown=[row.id for row in shown],
            explanation=_explanation(shown) if shown else "",
            style=style(),
        )
        return HTMLResponse(page, 409 if refused else 200)

    def _judges(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """How often each of these judges agrees with people here; votes of 0 where they share no battle."""
        with self.database.read() as session:
            counts = {name: agreement_with_people(session, name) for name in dict.fromkeys(names)}
        return {
            name: {"same": same, "votes": votes, "interval": wilson(same / votes, votes) if votes else None}
            for name, (same, votes) in counts.items()
        }

    def start(
        self,
        name: str,
        request: Request,
        judge: Annotated[str, Form()],
        method: Annotated[str, Form()],
        about: Annotated[str, Form()] = VERDICT,
        heads: Annotated[str, Form()] = HEAD_MEASURES[0],
    ) -> Response:
        battle = self._battle(name, request)
        if not self.settings.web.explain:
            raise HTTPException(403, _("New explanations are disabled here. Read the stored ones instead."))
        if judge not in offered_models(self.settings) or method not in method_names():
            raise HTTPException(
                422,
                _(
                    "Judge {judge!r} with method {method!r} is not offered on this page.",
                    judge=judge,
                    method=method,
                ),
            )
        if about not in ABOUT or heads not in HEAD_MEASURES:
            raise HTTPException(
                422,
                _("About {about!r} with heads {heads!r} is not offered on this page.", about=about, heads=heads),
            )
        config = ExplainConfig(battle.public_id, judge, (method,), about, heads, recompute=True)
        try:
            self.jobs.begin(config, voter_of(request.cookies.get(COOKIE)))
        except Busy as problem:
            return self._page(battle, request, refused=text_of(problem))
        return _back(name)

    def cancel(self, name: str, request: Request) -> RedirectResponse:
        battle = self._battle(name, request)
        try:
            self.jobs.cancel(battle.public_id, voter_of(request.cookies.get(COOKIE)))
        except NotTheStarter as problem:
            raise HTTPException(403, text_of(problem)) from problem
        return _back(name)

    def state(self, name: str, request: Request) -> dict[str, Any]:
        job = self.jobs.job(self._battle(name, request).public_id)
        texts = {"stage": _(job.stage), "error": _(job.error) if job.error else None} if job else {}
        return {**job.to_dict(), **texts} if job else {"running": False}

    def _battle(self, name: str, request: Request) -> BattleTexts:
        """The battle of a public id, which is published with each vote: only for those who may read its texts."""
        voter = voter_of(request.cookies.get(COOKIE))
        with self.database.read() as session:
            if not may_read(session, name, voter, judged=self.settings.web.show_judged):
                raise HTTPException(404, _(NOT_READABLE))
        try:
            return find_battle(self.database, name)
        except ConfigError as problem:
            raise HTTPException(404, str(problem)) from problem


def _back(name: str) -> RedirectResponse:
    """The page again, by GET."""
    return RedirectResponse(f"/explain/{quote(name)}", 303)


def _heading(battle: BattleTexts) -> str:
    prompt = str(battle.pair.messages[-1]["content"])
    return prompt if len(prompt) <= LONGEST else prompt[:LONGEST] + "…"


def _shown(stored: Sequence[StoredExplanation], show: str) -> list[StoredExplanation]:
    """The explanations of `show`, else the newest."""
    numbers = [part.strip() for part in show.split(",")]
    chosen = [row for number in numbers for row in stored if str(row.id) == number][:SIDE_BY_SIDE]
    return chosen or list(stored[:1])


def _row(row: StoredExplanation) -> dict[str, Any]:
    made = f"{row.created_at:%Y-%m-%d %H:%M} UTC"
    return {"id": row.id, "name": _name(row), "method": row.method, "made": made}


def _name(row: StoredExplanation) -> str:
    answer = row.document.get("answer")
    if answer:
        return _("Completion {side} scored by {judge}", side=answer["side"].upper(), judge=row.judge)
    return _("Judged by {judge}", judge=row.judge)


def _explanation(shown: Sequence[StoredExplanation]) -> Markup:
    try:
        documents = [Explanation.from_dict(row.document) for row in shown]
    except BadDocument as problem:
        return Markup('<p class="notice danger" role="alert">{}</p>').format(problem)
    return fragment(documents, "; ".join(dict.fromkeys(map(_name, shown))), tag="h2", translate=_translated)


def _translated(text: str) -> str:
    """A text of an explanation, or one of its notes, in the reader's language."""
    return _(phrase_of(text))
