"""`/admin/votes`: the votes that do not count, with filters, what changed them, and forms that hold and release them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from arena.accounts.audit import recorded, target_of_votes
from arena.rules.messages import Phrase, TranslatableError, gettext_noop
from arena.rules.vote_states import HELD, SENTENCES, QuarantineReason, VoteState, sentence_of
from arena.store import Session
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
from arena.store.vote_parts import Change, in_parts
from arena.web.addresses import Parameters, filtered
from arena.web.admin import Frame, Operator, Reviewer, Visit

HERE = "/admin/votes"
LONGEST_REASON = 1_000  # characters
DONE = {
    VoteState.QUARANTINED: gettext_noop("Votes that no longer count: {number}."),
    VoteState.RELEASED: gettext_noop("Votes that count again: {number}."),
}
UNCHANGED = {
    VoteState.QUARANTINED: gettext_noop("All of these votes are quarantined already."),
    VoteState.RELEASED: gettext_noop("None of these votes is held. Choose votes in the table."),
}
Reason = Annotated[str, Form(min_length=1, max_length=LONGEST_REASON)]
Ids = Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]] | None, Form(max_length=10_000)]
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
        with self.frame.database.read() as session:
            wanted = replace(given.conditions, voter=_stored(session, given.voter) if given.voter else None)
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
        with self.frame.database.read() as session:
            ids = vote_ids_of(session, stored_voter(session, voter) or "") if voter else vote or []
            known = bool(ids) and not unknown_votes(session, ids)

        def change(session: Session, part: Sequence[int]) -> int:
            return hold(session, part, VoteState.QUARANTINED, code, detail=reason, by=visit.name, again=True)

        with self.frame.refusals(visit):
            if not known:
                raise VotesRefused("No such votes are here. Check the numbers or the voter.")
        return self._changed(visit, VoteState.QUARANTINED, change, ids, voter, reason, {"code": code})

    def release(self, visit: Operator, reason: Reason, vote: Ids = None, voter: Voter = "") -> RedirectResponse:
        with self.frame.database.read() as session:
            ids = held_ids(session, HeldFilter(voter=_stored(session, voter))) if voter else vote or []

        def change(session: Session, part: Sequence[int]) -> int:
            return release(session, part, reason, visit.name)

        return self._changed(visit, VoteState.RELEASED, change, ids, voter, reason)

    def _changed(
        self,
        visit: Visit,
        state: VoteState,
        change: Change,
        ids: Sequence[int],
        voter: str,
        reason: str,
        details: Mapping[str, Any] | None = None,
    ) -> RedirectResponse:
        """Change the votes in parts, each with its audit entry, so that voters need not wait for many."""
        action = "vote.release" if state is VoteState.RELEASED else "vote.quarantine"
        entries = recorded(
            change, visit.actor, action, target_of_votes(ids, voter), reason=reason, details=details
        )
        with self.frame.refusals(visit):
            number = in_parts(self.frame.database, sorted(set(ids)), entries)
            if not number:
                raise VotesRefused(UNCHANGED[state])
        return self.frame.back(visit, votes_link(voter=voter), Phrase(DONE[state], number=number))


def _stored(session: Session, voter: str) -> str:
    """The voter as stored, whom a form may also name by the pseudonym of an export."""
    return stored_voter(session, voter) or voter
