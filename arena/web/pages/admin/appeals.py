"""`/admin/appeals`: what voters say against the state of their votes, and a reviewer's decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from arena.rules.messages import TranslatableError, gettext_noop
from arena.rules.vote_states import sentence_of
from arena.store.appeals import PAGE, DecidedAlready, Decision, appeals, decide
from arena.web.admin import Frame, Reviewer
from arena.web.admin.own_voters import own_voters

HERE = "/admin/appeals"
LONGEST_REASON = 1_000  # characters
DONE = {
    Decision.RELEASE: gettext_noop("The vote counts again, and its voter sees the decision."),
    Decision.KEEP: gettext_noop("The vote stays as it is, and its voter sees the decision."),
}


class AppealRefused(TranslatableError):
    """The appeal cannot be decided; nothing changed."""


def routes(frame: Frame) -> APIRouter:
    """The list, and the decision."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(HERE, pages.list)
    router.add_api_route(f"{HERE}/decide", pages.decide, methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame

    def list(
        self,
        visit: Reviewer,
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        decided: Annotated[bool, Query()] = False,
    ) -> HTMLResponse:
        with self.frame.database.read() as session:
            rows = appeals(session, undecided=not decided, after=after, limit=PAGE + 1)
        more = f"{HERE}?after={rows[PAGE - 1].id}{'&decided=true' if decided else ''}" if len(rows) > PAGE else ""
        return self.frame.page(
            "admin_appeals.html", visit, rows=rows[:PAGE], decided=decided, more=more, sentence_of=sentence_of
        )

    def decide(
        self,
        request: Request,
        visit: Reviewer,
        appeal: Annotated[int, Form(ge=1, le=2**31 - 1)],
        decision: Annotated[Decision, Form()],
        reason: Annotated[str, Form(min_length=1, max_length=LONGEST_REASON)],
    ) -> RedirectResponse:
        with self.frame.action(visit, f"appeal.{decision}", f"appeal {appeal}", reason=reason) as session:
            try:
                decided = decide(session, appeal, decision, reason, visit.name)
            except DecidedAlready:
                raise AppealRefused("This appeal has been decided already. Reload the page to see how.") from None
            if decided.held.voter in own_voters(request, session, visit.who.account_id):
                raise AppealRefused("This appeal is about a vote of yours. Another reviewer has to decide it.")
        return self.frame.back(visit, HERE, DONE[decision])
