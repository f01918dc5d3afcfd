"""Routes of boards: the leaderboard, the models on it, and the steps of a rating change."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from arena.leaderboards.history import board_at, moment
from arena.leaderboards.query import BoardChoice
from arena.leaderboards.rating_change import split_change
from arena.rules.votes import HUMAN, OVERALL
from arena.web.v1 import examples, records
from arena.web.v1.context import Category, Context, Media, Served, Source
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import Page, reply

router = APIRouter(route_class=ProblemRoute)


@router.get("/leaderboard", responses=examples.described(examples.LEADERBOARD))
def leaderboard(
    request: Request,
    media: Media,
    served: Served,
    source: Source = HUMAN,
    category: Category = OVERALL,
    method: Annotated[str, Query(description="bt, davidson, davidson-strength, ability, fresh or elo")] = "bt",
    style: Annotated[bool, Query(description="control for length and formatting")] = False,
    at: Annotated[str | None, Query(description="end of a past day (UTC), such as 2026-03-01")] = None,
) -> Response:
    """Ratings with intervals and ranks, now or on a past day."""
    choice = BoardChoice(source, category, method, style)
    if at is not None and (style or method != "bt" or source == "both"):
        raise HTTPException(
            422, "at: past days have Bradley–Terry leaderboards only. Leave out method, style and source both."
        )
    return reply(request, media, served.cache.version(), lambda: _board(served, choice, at))


def _board(served: Context, choice: BoardChoice, at: str | None) -> Page:
    """The board of the votes so far, or of a past day."""
    if at is None:
        board: dict[str, Any] = dict(served.published(choice).to_dict())
    else:
        day, version = moment(at), served.settings.ledger.filter
        board = served.cache.get(
            ("past", choice, day),
            lambda session: board_at(session, day, choice.source, choice.category, version),
            exact=True,
        ).to_dict()
    return Page(board.pop("models"), "models", board)


@router.get("/models", responses=examples.described(examples.MODELS))
def models(request: Request, media: Media, served: Served) -> Response:
    """Every model with its place on the leaderboard of people, and its facts."""

    def make() -> Page:
        with served.database.read() as session:
            return records.models(session, served.published(BoardChoice()), served.settings.models)

    return reply(request, media, served.version(), make)


@router.get("/moved", responses=examples.described(examples.MOVED))
def why(
    request: Request,
    media: Media,
    served: Served,
    model: str,
    since: Annotated[str, Query(alias="from", description="such as 2026-03-01 (its end, UTC)")],
    until: Annotated[str, Query(alias="to", description="second day")],
    source: Source = HUMAN,
    category: Category = OVERALL,
    style: bool = False,
) -> Response:
    """A rating change as a sum of steps: new votes, new opponents, filters and style (CSV: the steps)."""

    def make() -> Page:
        return _change(served, model, (moment(since), moment(until)), source, category, style)

    return reply(request, media, served.cache.version(), make)


def _change(
    served: Context, model: str, days: tuple[datetime, datetime], source: str, category: str, style: bool
) -> Page:
    version = served.settings.ledger.filter
    change = served.cache.get(
        (model, days, source, category, style),
        lambda session: split_change(
            session, model, *days, source=source, category=category, style=style, version=version
        ),
        exact=True,
    ).to_dict()
    steps = {**change["steps"], "change": change["change"]}
    table = [{"step": name, "points": points} for name, points in steps.items()]
    return Page(change.pop("opponents"), "opponents", change, table=table)
