"""`/review`: the battle that a reviewer has to decide, without names of models and earlier votes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from arena.reviews.desk import Desk
from arena.rules.messages import gettext_noop
from arena.rules.name_aliases import Family, extended, shipped_families
from arena.rules.name_masking import NameMasker
from arena.rules.reviews import SKIPS, UNDO_WITHIN
from arena.store.review_queue import remaining
from arena.store.reviews import reviewers
from arena.store.schema.battles import now
from arena.web.admin import Frame, Reviewer, Visit
from arena.web.admin.own_voters import own_voters

HERE = "/review"
CHOICES = (  # as on the battle page: the winner, its text, the key with Alt, and the plain key
    ("model_a", gettext_noop("A is better"), "J", "a"),
    ("tie", gettext_noop("Tie"), "K", "t"),
    ("both_bad", gettext_noop("Both are bad"), "N", "x"),
    ("model_b", gettext_noop("B is better"), "L", "b"),
)
Number = Annotated[int, Form(ge=1, le=2**53)]


def routes(frame: Frame) -> APIRouter:
    """The page and its forms."""
    router = APIRouter()
    pages = Pages(frame, _desk(frame))
    router.add_api_route(HERE, pages.show)
    router.add_api_route(f"{HERE}/decide", pages.decide, methods=["POST"])
    router.add_api_route(f"{HERE}/skip", pages.skip, methods=["POST"])
    router.add_api_route(f"{HERE}/undo", pages.undo, methods=["POST"])
    return router


def _desk(frame: Frame) -> Desk:
    """The desk, which hides the names of all models, also of those that are served no longer."""
    settings, served = frame.settings, frame.serving.names_to_hide()
    aliases = [Family(**alias.model_dump()) for alias in settings.battles.name_aliases]

    @lru_cache(maxsize=2)  # compiling takes half a second; the names change with a new model
    def compiled(names: frozenset[str]) -> NameMasker:
        return NameMasker(names, extended(shipped_families(), aliases))

    def masker(names: Collection[str]) -> NameMasker:
        return compiled(frozenset(names) | served)

    return Desk(frame.database, settings.reviews.hours, settings.reviews.unshared, masker)


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame
    desk: Desk

    def show(self, request: Request, visit: Reviewer) -> HTMLResponse:
        account = visit.who.account_id
        with self.frame.database.read() as session:
            own = own_voters(request, session, account)
            mine = next((row for row in reviewers(session) if row.account == account), None)
        task = self.desk.next(account, own)
        with self.frame.database.read() as session:
            left = remaining(session, account, own, unshared=self.desk.unshared) + (task is not None)
        return self.frame.page(
            "review.html",
            visit,
            task=task,
            left=left,
            done=mine.reviews if mine else 0,
            can_undo=mine is not None and mine.last_at is not None and now() - mine.last_at < UNDO_WITHIN,
            choices=CHOICES,
            skips=SKIPS,
        )

    def decide(self, visit: Reviewer, assignment: Number, winner: Annotated[str, Form()] = "") -> RedirectResponse:
        with self.frame.refusals(visit):
            self.desk.decide(visit.who.account_id, assignment, winner)
        return self._next(visit)

    def skip(self, visit: Reviewer, assignment: Number, reason: Annotated[str, Form()] = "") -> RedirectResponse:
        with self.frame.refusals(visit):
            self.desk.skip(visit.who.account_id, assignment, reason)
        return self._next(visit)

    def undo(self, visit: Reviewer) -> RedirectResponse:
        with self.frame.refusals(visit):
            self.desk.undo(visit.who.account_id)
        return self._next(visit)

    def _next(self, visit: Visit) -> RedirectResponse:
        return self.frame.back(visit, HERE)
