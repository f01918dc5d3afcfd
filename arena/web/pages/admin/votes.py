"""`/admin/votes`: the votes that do not count, with filters, what changed them, and forms that hold and release them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from arena.accounts.audit import recorded, target_of_votes
from arena.accounts.own_votes import ALL_OWN, releasable
from arena.rules.messages import Phrase, TranslatableError, gettext_noop
from arena.rules.vote_states import HELD, SENTENCES, QuarantineReason, VoteState, sentence_of
from arena.store import Session
from arena.store.held_votes import (
    EVERY_HELD,
    PAGE,
    HeldFilter,
    changes_newest_first,
    counts_by_state_and_reason,
    held,
    held_ids,
    number_and_newest,
    stored_voter,
    unknown_votes,
    vote_ids_of,
    votes_cast_by,
)
from arena.store.models import model_names
from arena.store.quarantine import hold, release
from arena.store.vote_parts import Change, in_parts
from arena.web.addresses import Parameters, filtered
from arena.web.admin import Frame, Operator, Reviewer, Visit
from arena.web.admin.own_voters import own_voters

HERE = "/admin/votes"
LONGEST_REASON = 1_000  # characters
DONE = {
    VoteState.QUARANTINED: gettext_noop("Votes that no longer count: {number}."),
    VoteState.RELEASED: gettext_noop("Votes that count again: {number}."),
}
SOME_OWN = gettext_noop(
    "Votes that count again: {number}. Votes of your own that stay held: {own}. Another operator has to release them."
)
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


class Matching(BaseModel):
    """The form that changes all votes that match a filter: the filter, and what the page said of them."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]
    number: Annotated[int, Field(ge=0)]  # of the votes that matched
    newest: Annotated[int, Field(ge=0, lt=2**31 - 1)]  # of them
    code: QuarantineReason = QuarantineReason.OPERATOR
    state: Annotated[str, Field(max_length=40)] = ""
    held_for: Annotated[str, Field(max_length=40)] = ""
    voter: Annotated[str, Field(max_length=120)] = ""
    model: Annotated[str, Field(max_length=1_000)] = ""
    day: date | None = None

    @property
    def conditions(self) -> HeldFilter:
        """The filter."""
        return HeldFilter(
            self.state or None, self.held_for or None, self.voter or None, self.model or None, self.day
        )


@dataclass(frozen=True)
class Act:
    """What a form changes, why, and where the reader goes from there."""

    ids: Sequence[int]
    reason: str
    back: str = ""
    voter: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


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
    router.add_api_route(f"{HERE}/quarantine-matching", pages.quarantine_matching, methods=["POST"])
    router.add_api_route(f"{HERE}/release-matching", pages.release_matching, methods=["POST"])
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
            own = own_voters(request, session, visit.who.account_id)
            values = {
                "counts": sorted(counts_by_state_and_reason(session, source=None).items()),
                "events": changes_newest_first(session, 20),
                "models": model_names(session),
                "known": bool(wanted.voter and stored_voter(session, wanted.voter)),
                "matching": None if wanted == EVERY_HELD else _matching(session, wanted),
                "own": set(votes_cast_by(session, [row.vote for row in rows], own)),
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
        with self.frame.refusals(visit):
            if not known:
                raise VotesRefused("No such votes are here. Check the numbers or the voter.")
        return self._hold(visit, Act(ids, reason, voter=voter), code)

    def quarantine_matching(self, visit: Operator, form: Annotated[Matching, Form()]) -> RedirectResponse:
        """Quarantine the pending votes that match a filter."""
        act = self._matched(visit, form, replace(form.conditions, state=VoteState.PENDING))
        return self._hold(visit, act, form.code)

    def release(
        self, request: Request, visit: Operator, reason: Reason, vote: Ids = None, voter: Voter = ""
    ) -> RedirectResponse:
        with self.frame.database.read() as session:
            ids = held_ids(session, HeldFilter(voter=_stored(session, voter))) if voter else vote or []
        return self._release(request, visit, Act(ids, reason, voter=voter))

    def release_matching(
        self, request: Request, visit: Operator, form: Annotated[Matching, Form()]
    ) -> RedirectResponse:
        """Release the held votes that match a filter."""
        return self._release(request, visit, self._matched(visit, form, form.conditions))

    def _matched(self, visit: Visit, form: Matching, wanted: HeldFilter) -> Act:
        """The votes that match, of those that were there when the page was shown: never more than it said."""
        with self.frame.refusals(visit), self.frame.database.read() as session:
            if form.conditions == EVERY_HELD:
                raise VotesRefused("No filter is set. Choose a state, reason, model, day or voter first.")
            ids = held_ids(session, wanted, form.newest + 1)
            if len(ids) > form.number:
                raise VotesRefused(
                    "{number} votes match now, and {shown} did when the page was shown. Look at the list again.",
                    number=len(ids),
                    shown=form.number,
                )
        given = {name: value for name, value in asdict(form.conditions).items() if value is not None}
        return Act(ids, form.reason, votes_link(**given), details={"filter": given})

    def _hold(self, visit: Visit, act: Act, code: QuarantineReason) -> RedirectResponse:
        def change(session: Session, part: Sequence[int]) -> int:
            return hold(session, part, VoteState.QUARANTINED, code, detail=act.reason, by=visit.name, again=True)

        return self._changed(
            visit, VoteState.QUARANTINED, change, replace(act, details={**act.details, "code": code})
        )

    def _release(self, request: Request, visit: Visit, act: Act) -> RedirectResponse:
        """Release the votes of others. Who decides never releases their own, and the attempt is in the audit trail."""
        with self.frame.database.read() as session:
            own = own_voters(request, session, visit.who.account_id)
            chosen = releasable(session, act.ids, own)
        if chosen.own:
            with self.frame.database.write() as session:
                chosen.record_refusal(session, visit.actor, act.reason)
        with self.frame.refusals(visit):
            if chosen.own and not chosen.others:
                raise VotesRefused(ALL_OWN)

        def change(session: Session, part: Sequence[int]) -> int:
            return release(session, part, act.reason, visit.name)

        return self._changed(
            visit, VoteState.RELEASED, change, replace(act, ids=chosen.others), own=len(chosen.own)
        )

    def _changed(self, visit: Visit, state: VoteState, change: Change, act: Act, own: int = 0) -> RedirectResponse:
        """Change the votes in parts, each with its audit entry, so that voters need not wait for many."""
        action = "vote.release" if state is VoteState.RELEASED else "vote.quarantine"
        target = target_of_votes(act.ids, act.voter)
        entries = recorded(change, visit.actor, action, target, reason=act.reason, details=act.details)
        with self.frame.refusals(visit):
            number = in_parts(self.frame.database, sorted(set(act.ids)), entries)
            if not number:
                raise VotesRefused(UNCHANGED[state])
        message = Phrase(SOME_OWN if own else DONE[state], number=number, own=own)
        return self.frame.back(visit, act.back or votes_link(voter=act.voter), message)


def _stored(session: Session, voter: str) -> str:
    """The voter as stored, whom a form may also name by the pseudonym of an export."""
    return stored_voter(session, voter) or voter


def _matching(session: Session, wanted: HeldFilter) -> dict[str, int]:
    """How many votes match a filter, how many of them are pending, and the newest one."""
    number, newest = number_and_newest(session, wanted)
    pending = number if wanted.state == VoteState.PENDING else 0
    if wanted.state is None:
        pending, _ = number_and_newest(session, replace(wanted, state=VoteState.PENDING))
    return {"number": number, "newest": newest, "pending": pending}
