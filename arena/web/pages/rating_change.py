"""`/leaderboard/moved`: rating changes between two days, and one model's change split into its causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

from arena.leaderboards.history import NoSuchDay, moment
from arena.leaderboards.movers import movers
from arena.leaderboards.query import BOTH, BoardChoice, NoSuchBoard
from arena.leaderboards.rating_change import RatingChange, split_change
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Session
from arena.store.ledger import earliest_vote_at, latest_vote_at
from arena.store.schema.battles import now
from arena.web.board_view import CachedBoards
from arena.web.locales import gettext as _
from arena.web.locales import text_of
from arena.web.plots import rating_change_waterfall
from arena.web.rendering import figure_json

HERE = "/leaderboard/moved"
USUAL_DAYS = 7


@dataclass(frozen=True)
class ChangeQuery:
    """The reader's choices; without a model, all models. The parameters are those of `/api/v1/moved`."""

    model: str = ""
    since: str = ""
    until: str = ""
    source: str = HUMAN
    category: str = OVERALL
    style: bool = False

    @classmethod
    def read(cls, words: dict[str, str]) -> ChangeQuery:
        return cls(
            model=words.get("model", ""),
            since=words.get("from", ""),
            until=words.get("to", ""),
            source=words.get("source") or HUMAN,
            category=words.get("category") or OVERALL,
            style=words.get("style") in ("on", "true"),
        )

    def link(self, path: str = HERE, **changes: Any) -> str:
        """The address of these choices."""
        change = replace(self, **changes)
        words = {
            "model": change.model, "from": change.since, "to": change.until,
            "source": "" if change.source == HUMAN else change.source,
            "category": "" if change.category == OVERALL else change.category,
            "style": "true" if change.style else "",
        }  # fmt: skip
        given = {key: value for key, value in words.items() if value}
        return f"{path}?{urlencode(given)}" if given else path


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """The page, which `/leaderboard` also loads as a part of its own, and its plot."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def rating_change(request: Request) -> HTMLResponse:
        query = ChangeQuery.read(dict(request.query_params))
        change = with_days(boards, query)
        is_first_day = not (query.since or query.until) and change.since == change.until
        is_part = "x-part" in request.headers  # of `/leaderboard`, below a heading of its own
        template = templates.get_template("rating_change_part.html" if is_part else "rating_change.html")
        values = _first_day(change.since) if is_first_day else _table_or_split(boards, change)
        page = template.render(
            here="/leaderboard", tag="h3" if is_part else "h2", change=change, **choices(boards), **values
        )
        return HTMLResponse(page, 404 if values["problem"] and not (is_part or is_first_day) else 200)

    @router.get(f"{HERE}.json")
    def waterfall(request: Request) -> Response:
        change = with_days(boards, ChangeQuery.read(dict(request.query_params)))
        try:
            parts = split(boards, change)
        except NoSuchBoard as problem:
            return JSONResponse({"notice": text_of(problem)})
        return figure_json(rating_change_waterfall.figure(parts.ratings[0], parts.steps, parts.ratings[1]))

    return router


def _first_day(day: str) -> dict[str, Any]:
    """What an arena shows whose votes are all of one day."""
    text = _("All votes are of one day, {day}. Rating changes are shown from the second day.", day=day)
    return {"table": [], "split": None, "problem": text}


def _table_or_split(boards: CachedBoards, change: ChangeQuery) -> dict[str, Any]:
    """The split of one model's change, or the table of all; or the problem."""
    values: dict[str, Any] = {"table": [], "split": None, "problem": ""}
    try:
        if change.model:
            values["split"] = split(boards, change)
        else:
            values["table"] = moves(boards, change)
    except NoSuchBoard as problem:
        values["problem"] = text_of(problem)
    return values


def choices(boards: CachedBoards) -> dict[str, Any]:
    """The options of the form."""
    return {
        "models": sorted(row.model for row in boards.published(BoardChoice("all")).board.rows if row.battles),
        "sources": {name: label for name, label in boards.sources().items() if name != BOTH},
        "categories": list(boards.categories("all")),
    }


def with_days(boards: CachedBoards, change: ChangeQuery) -> ChangeQuery:
    """The query with the last seven days of votes, or as many as the votes span, where no days are given."""
    first = boards.cache.get("earliest vote", earliest_vote_at)
    last = boards.cache.get("latest vote", latest_vote_at)
    today = now()
    until = change.until or f"{min(today, last) if last else today:%Y-%m-%d}"
    since = change.since or _usual_start(until, first, today)
    return replace(change, since=since, until=until)


def _usual_start(until: str, first: datetime | None, today: datetime) -> str:
    try:
        end = min(moment(until), today + timedelta(days=1))
    except NoSuchDay:
        end = today  # an invalid day is reported where the board is computed
    start = end - timedelta(days=USUAL_DAYS + 1)
    day = max(start, first) if first and first < end else start
    return f"{day.astimezone(UTC):%Y-%m-%d}"


def split(boards: CachedBoards, change: ChangeQuery) -> RatingChange:
    """The causes of one model's change. Raises `NoSuchBoard`."""
    days = moment(change.since), moment(change.until)
    version = boards.settings.ledger.filter

    def make(session: Session) -> RatingChange:
        return split_change(
            session, change.model, *days,
            source=change.source, category=change.category, style=change.style, version=version,
        )  # fmt: skip

    return boards.cache.get(change, make)


def moves(boards: CachedBoards, change: ChangeQuery) -> list[Any]:
    """All models by how far they moved. Raises `NoSuchBoard`."""
    if moment(change.since) >= moment(change.until):
        raise NoSuchDay(
            "From {since} is not before to {until}. Choose two days, the earlier one first.",
            since=change.since,
            until=change.until,
        )
    choice = BoardChoice(change.source, change.category)
    first, second = (boards.published(choice, day).board for day in (change.since, change.until))
    return movers(first, second)
