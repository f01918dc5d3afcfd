"""Why did it move? Who moved between two days, and one model's change in steps."""

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
from arena.leaderboards.rating_change import RatingChange, moved
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Session
from arena.store.ledger import earliest_vote_at
from arena.store.schema.battles import now
from arena.web.board_view import Boards
from arena.web.plots import steps

HERE = "/leaderboard/moved"
USUAL_DAYS = 7


@dataclass(frozen=True)
class MovedQuery:
    """What the reader asks: without a model, for all that moved. Its words are those of `/api/v1/moved`."""

    model: str = ""
    since: str = ""
    until: str = ""
    source: str = HUMAN
    category: str = OVERALL
    style: bool = False

    @classmethod
    def read(cls, words: dict[str, str]) -> MovedQuery:
        return cls(
            model=words.get("model", ""),
            since=words.get("from", ""),
            until=words.get("to", ""),
            source=words.get("source") or HUMAN,
            category=words.get("category") or OVERALL,
            style=words.get("style") in ("on", "true"),
        )

    def link(self, path: str = HERE, **changes: Any) -> str:
        """The address of this question."""
        asked = replace(self, **changes)
        words = {
            "model": asked.model, "from": asked.since, "to": asked.until,
            "source": "" if asked.source == HUMAN else asked.source,
            "category": "" if asked.category == OVERALL else asked.category,
            "style": "true" if asked.style else "",
        }  # fmt: skip
        said = {key: value for key, value in words.items() if value}
        return f"{path}?{urlencode(said)}" if said else path


def routes(boards: Boards, templates: Environment) -> APIRouter:
    """The page, the part of it that `/leaderboard` shows, and its picture."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def why(request: Request) -> HTMLResponse:
        asked = with_days(boards, MovedQuery.read(dict(request.query_params)))
        part = "x-part" in request.headers  # of `/leaderboard`, below a heading of its own
        template = "moved_part.html" if part else "moved.html"
        found: dict[str, Any] = {"table": [], "split": None, "problem": ""}
        try:
            found |= {"split": split(boards, asked)} if asked.model else {"table": moves(boards, asked)}
        except NoSuchBoard as problem:
            found["problem"] = str(problem)
        page = templates.get_template(template).render(
            here="/leaderboard", tag="h3" if part else "h2", asked=asked, **choices(boards), **found
        )
        return HTMLResponse(page, 404 if found["problem"] and not part else 200)

    @router.get(f"{HERE}.json")
    def picture(request: Request) -> Response:
        asked = with_days(boards, MovedQuery.read(dict(request.query_params)))
        try:
            one = split(boards, asked)
        except NoSuchBoard as problem:
            return JSONResponse({"notice": str(problem)})
        figure = steps.figure(one.ratings[0], one.steps, one.ratings[1])
        return Response(figure.to_json(), media_type="application/json")

    return router


def choices(boards: Boards) -> dict[str, Any]:
    """What the form offers."""
    return {
        "models": sorted(row.model for row in boards.published(BoardChoice("all")).board.rows if row.battles),
        "sources": {name: label for name, label in boards.sources().items() if name != BOTH},
        "categories": list(boards.categories("all")),
    }


def with_days(boards: Boards, asked: MovedQuery) -> MovedQuery:
    """With the last seven days, or as many as there are, where no days are given."""
    first = boards.cache.get("earliest vote", earliest_vote_at)
    today = now()
    until = asked.until or f"{today:%Y-%m-%d}"
    since = asked.since or _usual_start(until, first, today)
    return replace(asked, since=since, until=until)


def _usual_start(until: str, first: datetime | None, today: datetime) -> str:
    try:
        end = min(moment(until), today + timedelta(days=1))
    except NoSuchDay:
        end = today  # the day that cannot be read is told about when the board is asked for
    start = end - timedelta(days=USUAL_DAYS + 1)
    day = max(start, first) if first and first < end else start
    return f"{day.astimezone(UTC):%Y-%m-%d}"


def split(boards: Boards, asked: MovedQuery) -> RatingChange:
    """Raises `NoSuchBoard`."""
    days = moment(asked.since), moment(asked.until)
    version = boards.settings.ledger.filter

    def make(session: Session) -> RatingChange:
        return moved(
            session, asked.model, *days,
            source=asked.source, category=asked.category, style=asked.style, version=version,
        )  # fmt: skip

    return boards.cache.get(asked, make)


def moves(boards: Boards, asked: MovedQuery) -> list[Any]:
    """Raises `NoSuchBoard`."""
    if moment(asked.since) >= moment(asked.until):
        raise NoSuchDay(
            f"from {asked.since} is not before to {asked.until}; choose two days, the earlier one first"
        )
    choice = BoardChoice(asked.source, asked.category)
    first, second = (boards.published(choice, day).board for day in (asked.since, asked.until))
    return movers(first, second)
