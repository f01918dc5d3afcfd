"""`/admin/votes`: the votes that do not count, with filters, what changed them, and forms that hold and release them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from arena.rules.messages import Phrase, TranslatableError, gettext_noop
from arena.rules.vote_states import HELD, SENTENCES, QuarantineReason, VoteState, sentence_of
from arena.store.held_votes import (
    PAGE,
    HeldFilter,
    changes_newest_first,
    counts_by_state_and_reason,
    held,
    held_ids,
    stored_voter,
    unknown_votes,
    vote_ids_of,
)
from arena.store.models import model_names
from arena.store.quarantine import hold, release
from arena.web.addresses import Parameters, filtered
from arena.web.admin import Frame, Operator, Reviewer, Visit

HERE = "/admin/votes"
LONGEST_REASON = 1_000  # characters
FEW = 50  # ids in the audit trail
DONE = {
    VoteState.QUARANTINED: gettext_noop("Votes that no longer count: {number}."),
    VoteState.RELEASED: gettext_noop("Votes that count again: {number}."),
}
Reason = Annotated[str, Form(min_length=1, max_length=LONGEST_REASON)]
Ids = Annotated[list[int] | None, Form(max_length=10_000)]
Voter = Annotated[str, Form(max_length=120)]


class VotesRefused(TranslatableError):
    """Votes that cannot be chosen; nothing changed."""


class HeldParameters(Parameters):
    """The filters of the list."""

    state: str = ""
    reason: str = ""
    voter: str = ""
    model: str = ""
    day: date | None = None
    after: Annotated[int | None, Field(ge=1)] = None

    @property
    def conditions(self) -> HeldFilter:
        """The search."""
        return HeldFilter(
            self.state or None, self.reason or None, self.voter or None, self.model or None, self.day
        )


def votes_link(**wanted: Any) -> str:
    """The address of the list with these filters.

    >>> votes_link(state="pending", model=None)
    '/admin/votes?state=pending'
    """
    return filtered(HERE, **wanted)


def routes(frame: Frame) -> APIRouter:
    """The list, and what holds and releases votes."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(HERE, pages.list)
    router.add_api_route(f"{HERE}/quarantine", pages.quarantine, methods=["POST"])
    router.add_api_route(f"{HERE}/release", pages.release, methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame

    def list(self, request: Request, visit: Reviewer) -> HTMLResponse:
        given = HeldParameters.of(request)
        wanted = given.conditions
        with self.frame.database.read() as session:
            rows = held(session, wanted, given.after, PAGE + 1)
            values = {
                "counts": sorted(counts_by_state_and_reason(session, source=None).items()),
                "events": changes_newest_first(session, 20),
                "models": model_names(session),
                "known": bool(wanted.voter and stored_voter(session, wanted.voter)),
            }
        older = votes_link(**asdict(wanted), after=rows[PAGE - 1].vote) if len(rows) > PAGE else ""
        return self.frame.page(
            "admin_votes.html",
            visit,
            wanted=wanted,
            rows=rows[:PAGE],
            states=HELD,
            reasons=SENTENCES,
            sentence_of=sentence_of,
            votes_link=votes_link,
            newest=votes_link(**asdict(wanted)) if given.after else "",
            older=older,
            **values,
        )

    def quarantine(
        self,
        visit: Operator,
        reason: Reason,
        code: Annotated[QuarantineReason, Form()] = QuarantineReason.OPERATOR,
        vote: Ids = None,
        voter: Voter = "",
    ) -> RedirectResponse:
        details: dict[str, Any] = {"code": code}
        with self.frame.action(
            visit, "vote.quarantine", _target(vote, voter), reason=reason, details=details
        ) as session:
            if voter:
                ids: Sequence[int] = vote_ids_of(session, stored_voter(session, voter) or "")
            else:
                ids = vote or []
            if not ids or unknown_votes(session, ids):
                raise VotesRefused("No such votes are here. Check the numbers or the voter.")
            number = hold(session, ids, VoteState.QUARANTINED, code, detail=reason, by=visit.name, again=True)
            details |= {"votes": number, "first": list(ids[:FEW])}
        return self._back(visit, VoteState.QUARANTINED, number, voter)

    def release(self, visit: Operator, reason: Reason, vote: Ids = None, voter: Voter = "") -> RedirectResponse:
        details: dict[str, Any] = {}
        with self.frame.action(
            visit, "vote.release", _target(vote, voter), reason=reason, details=details
        ) as session:
            ids = (
                held_ids(session, HeldFilter(voter=stored_voter(session, voter) or voter)) if voter else vote or []
            )
            number = release(session, ids, reason, visit.name)
            if not number:
                raise VotesRefused("None of these votes is held. Choose votes in the table.")
            details |= {"votes": number, "first": list(ids[:FEW])}
        return self._back(visit, VoteState.RELEASED, number, voter)

    def _back(self, visit: Visit, done: VoteState, number: int, voter: str) -> RedirectResponse:
        text = (
            "Votes that count again: {number}." if done == "released" else "Votes that no longer count: {number}."
        )
        return self.frame.back(visit, votes_link(voter=voter), Phrase(text, number=number))


def _target(votes: Sequence[int] | None, voter: str) -> str:
    """What the audit trail names: the voter, or the only vote."""
    if voter:
        return f"voter {voter}"
    return f"vote {votes[0]}" if votes and len(votes) == 1 else f"{len(votes or ())} votes"
