"""`/admin/figures/…`: the rows behind the single figures of the overview, each list with the total of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from arena.rules.messages import gettext_noop
from arena.rules.vote_states import HELD
from arena.store.figure_rows import (
    PAGE,
    held_voters,
    seal_rows,
    sign_ins,
    spending_days,
    unsealed,
    unsealed_sources,
)
from arena.store.schema.battles import now
from arena.web.addresses import Parameters, filtered
from arena.web.admin import Frame, Reviewer, Visit
from arena.web.locales import number
from arena.web.names import source_name, vote_state_name, winner_name
from arena.web.pages.admin.battles import battles_link
from arena.web.pages.admin.votes import votes_link

HERE = "/admin/figures"
DAY = timedelta(days=1)
Before = Annotated[int | None, Field(ge=1)]


class Page(Parameters):
    """Which page of a list: rows before this one."""

    before: Before = None


class VoterParameters(Page):
    """Of voters with held votes."""

    state: str = ""


class SignInParameters(Page):
    """Of attempts to sign in; without `since` of the last 24 hours."""

    since: datetime | None = None
    account: str = ""


class UnsealedParameters(Page):
    """Of votes that are not sealed."""

    source: str = ""


class SpendingParameters(Parameters):
    """Of days."""

    day: date | None = None
    before: date | None = None


@dataclass(frozen=True)
class Cell:
    """A value of a row, and where it leads."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Listing:
    """What the template shows. The last values of `rows` name the rows, for the next page."""

    title: str
    lead: str
    columns: Sequence[str]
    total: int
    rows: Sequence[tuple[Any, Sequence[Cell]]]  # where the next page begins, and the cells


def figure_link(name: str, **wanted: Any) -> str:
    """The address of a list with these filters.

    >>> figure_link("voters", state="pending", before=None)
    '/admin/figures/voters?state=pending'
    """
    return filtered(f"{HERE}/{name}", **wanted)


def routes(frame: Frame) -> APIRouter:
    """The five lists."""
    router, pages = APIRouter(), Pages(frame)
    for name in ("voters", "sign-ins", "unsealed", "seals", "spending"):
        router.add_api_route(f"{HERE}/{name}", getattr(pages, name.replace("-", "_")))
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame

    def voters(self, request: Request, visit: Reviewer) -> HTMLResponse:
        given = VoterParameters.of(request)
        with self.frame.database.read() as session:
            total, rows = held_voters(session, given.state, given.before, PAGE + 1)
        listing = Listing(
            gettext_noop("Voters with held votes"),
            gettext_noop("Voters, judges and imports of which at least one vote is held."),
            (gettext_noop("Voter"), gettext_noop("pending"), gettext_noop("quarantined")),
            total,
            [
                (
                    row.newest,
                    [
                        Cell(row.voter, votes_link(voter=row.voter)),
                        *(
                            Cell(number(held), votes_link(voter=row.voter, state=state) if held else "")
                            for state, held in (("pending", row.pending), ("quarantined", row.quarantined))
                        ),
                    ],
                )
                for row in rows
            ],
        )
        choices = [(state.value, vote_state_name(state.value)) for state in HELD]
        return self._page(visit, "voters", given, listing, choose=("state", gettext_noop("State"), choices))

    def sign_ins(self, request: Request, visit: Reviewer) -> HTMLResponse:
        given = SignInParameters.of(request)
        since = given.since or now() - DAY
        since = since if since.tzinfo else since.replace(tzinfo=UTC)
        with self.frame.database.read() as session:
            total, rows = sign_ins(session, since, given.account.strip(), given.before, PAGE + 1)
        listing = Listing(
            gettext_noop("Attempts to sign in"),
            gettext_noop(
                "Attempts with a password, right ones included, of the last 24 hours. Two kinds have no account here: "
                "names that no account has, which are not stored, and browsers that have signed in before."
            ),
            (gettext_noop("Time (UTC)"), gettext_noop("Account")),
            total,
            [(row.id, [_time(row.at), _account(row.account, since)]) for row in rows],
        )
        kept = given.model_copy(update={"since": since})
        return self._page(visit, "sign-ins", kept, listing, typed=("account", gettext_noop("Account")))

    def unsealed(self, request: Request, visit: Reviewer) -> HTMLResponse:
        given = UnsealedParameters.of(request)
        with self.frame.database.read() as session:
            total, rows = unsealed(session, given.source, given.before, PAGE + 1)
            sources = unsealed_sources(session)
        listing = Listing(
            gettext_noop("Votes not sealed yet"),
            gettext_noop(
                "The votes after the last seal, of people, judges and imports. Held ones are sealed, too."
            ),
            (
                gettext_noop("Vote"),
                gettext_noop("Time (UTC)"),
                gettext_noop("Source"),
                gettext_noop("Result"),
                gettext_noop("State"),
                gettext_noop("Voter"),
            ),
            total,
            [
                (
                    row.id,
                    [
                        Cell(str(row.id), f"/admin/battles/{quote(row.battle, safe='')}"),
                        _time(row.at),
                        Cell(source_name(row.source)),
                        Cell(winner_name(row.winner)),
                        Cell(vote_state_name(row.state)),
                        Cell(row.voter[:8], battles_link(voter=row.voter)),
                    ],
                )
                for row in rows
            ],
        )
        choices = [(source, source_name(source)) for source in sources]
        return self._page(visit, "unsealed", given, listing, choose=("source", gettext_noop("Source"), choices))

    def seals(self, request: Request, visit: Reviewer) -> HTMLResponse:
        given = Page.of(request)
        with self.frame.database.read() as session:
            total, rows = seal_rows(session, given.before, PAGE + 1)
        listing = Listing(
            gettext_noop("Seals"),
            gettext_noop(
                "Each seal has the votes after the seal before it, and its SHA-256 holds all seals before it."
            ),
            (
                gettext_noop("Seal"),
                gettext_noop("Time (UTC)"),
                gettext_noop("Votes"),
                gettext_noop("Numbers of the votes"),
                gettext_noop("Filter"),
                gettext_noop("SHA-256"),
            ),
            total,
            [
                (
                    row.number,
                    [
                        Cell(number(row.number)),
                        _time(row.sealed_at),
                        Cell(number(row.votes)),
                        Cell(f"{row.first_vote}–{row.last_vote}" if row.votes else "–"),
                        Cell(row.filter),
                        Cell(row.sha256),
                    ],
                )
                for row in rows
            ],
        )
        return self._page(visit, "seals", given, listing)

    def spending(self, request: Request, visit: Reviewer) -> HTMLResponse:
        given = SpendingParameters.of(request)
        day, before = (moment.isoformat() if moment else "" for moment in (given.day, given.before))
        with self.frame.database.read() as session:
            total, rows = spending_days(session, day, before, PAGE + 1)
        listing = Listing(
            gettext_noop("Spending by day"),
            gettext_noop(
                "What the turns of each day (UTC) have cost, also of failed and stopped ones. A turn that runs counts "
                "with the most that it may cost until it ends."
            ),
            (gettext_noop("Day"), gettext_noop("Tokens"), gettext_noop("USD")),
            total,
            [
                (
                    row.day,
                    [
                        Cell(row.day, battles_link(day=date.fromisoformat(row.day))),
                        Cell(number(row.tokens)),
                        Cell(number(row.usd, 2)),
                    ],
                )
                for row in rows
            ],
        )
        return self._page(visit, "spending", given, listing)

    def _page(self, visit: Visit, name: str, given: Parameters, listing: Listing, **filters: Any) -> HTMLResponse:
        words = given.model_dump()
        more, shown = len(listing.rows) > PAGE, listing.rows[:PAGE]
        return self.frame.page(
            "admin_figure.html",
            visit,
            listing=listing,
            rows=[cells for _, cells in shown],
            here_again=figure_link(name),
            given=words,
            hidden={"since": words["since"].isoformat()} if words.get("since") else {},
            older=figure_link(name, **{**words, "before": shown[-1][0]}) if more else "",
            newest=figure_link(name, **{**words, "before": None}) if words["before"] else "",
            **{"choose": None, "typed": None, **filters},
        )


def _time(at: datetime) -> Cell:
    return Cell(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}")


def _account(name: str | None, since: datetime) -> Cell:
    return Cell("–") if name is None else Cell(name, figure_link("sign-ins", account=name, since=since))
