"""`/battles`: the search over readable battles, and `/battles/ID`: one battle with its votes and their reasons."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

from arena.explaining.request import offered_models
from arena.rules.messages import gettext_noop
from arena.rules.pii import PIIRedactor
from arena.rules.votes import HUMAN, OVERALL
from arena.store.battle_search import RESULTS, BattleConditions, search
from arena.store.explanations import explanations_of
from arena.store.models import model_names
from arena.store.shared_battles import ReadableBattle, readable_battle
from arena.web.board_view import CachedBoards
from arena.web.error_pages import missing
from arena.web.locales import gettext as _
from arena.web.names import category_name
from arena.web.preview import Preview, PreviewCache
from arena.web.search_parameters import RESULT_NAMES, SearchParameters, search_link
from arena.web.v1.context import home

HERE = "/battles"
RESULTS_NAMED = RESULT_NAMES | {"disputed": gettext_noop("voters disagree")}
EXPLAIN = "/explain"
PREVIEW_CHARACTERS = 400  # of the prompt
NOT_READABLE = gettext_noop(
    "This battle does not exist or its voter has not shared it. Open /battles for the battles that are shared."
)


def routes(boards: CachedBoards, templates: Environment) -> APIRouter:
    """`/battles` and `/battles/ID`."""
    router = APIRouter(include_in_schema=False)
    judged = boards.settings.web.show_judged
    can_start = bool(offered_models(boards.settings))

    @router.get(HERE)
    def battles(request: Request) -> HTMLResponse:
        wanted = BattleParameters.of(request).conditions
        with boards.cache.database.read() as session:
            cards, has_next = search(session, wanted, judged=judged)
            models = model_names(session)
        page = templates.get_template("battles.html").render(
            here=HERE,
            wanted=wanted,
            cards=cards,
            models=models,
            newer=search_link(HERE, replace(wanted, page=wanted.page - 1)) if wanted.page > 1 else "",
            older=search_link(HERE, replace(wanted, page=wanted.page + 1)) if has_next else "",
            **_choices(boards),
        )
        return HTMLResponse(page)

    pictures = PreviewCache()

    @router.get(f"{HERE}/{{public_id}}/preview.png")
    def preview(public_id: str, request: Request) -> Response:
        with boards.cache.database.read() as session:
            record = readable_battle(session, public_id, judged=judged)
        if record is None:
            return missing(templates, NOT_READABLE)
        png = pictures.get(preview_of(record, boards.settings.web.title))
        headers = {"etag": f'"{hashlib.sha256(png).hexdigest()[:24]}"', "cache-control": "public, no-cache"}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(png, media_type="image/png", headers=headers)

    @router.get(f"{HERE}/{{public_id}}")
    def battle(public_id: str, request: Request) -> HTMLResponse:
        with boards.cache.database.read() as session:
            record = readable_battle(session, public_id, judged=judged)
            if record is None:
                return missing(templates, NOT_READABLE)
            explained = can_start or bool(explanations_of(session, record.battle.id))
        page = templates.get_template("battle.html").render(
            here=HERE,
            record=record,
            battle=record.battle,
            explain=f"{EXPLAIN}/{public_id}" if explained else "",
            preview=preview_of(record, boards.settings.web.title),
            address=f"{home(request)}{HERE}/{public_id}",
        )
        return HTMLResponse(page)

    return router


def preview_of(record: ReadableBattle, site: str) -> Preview:
    """The words of the preview of a battle; personal data in the prompt is redacted, since networks keep pictures."""
    names = (record.battle.model_a, record.battle.model_b)
    vote = next(iter(record.votes), None)
    winner = {"model_a": 0, "model_b": 1}.get(vote.winner) if vote else None
    prompt = PIIRedactor()(record.battle.turns[0].prompt[:PREVIEW_CHARACTERS]) if record.battle.turns else ""
    return Preview(site, prompt, names, _outcome(record, names[winner] if winner is not None else ""), winner)


def _outcome(record: ReadableBattle, winner: str) -> str:
    """The first vote in words."""
    if not record.votes:
        return _("No vote yet")
    by_person = record.votes[0].source == HUMAN
    if winner:
        words = _("A voter chose {model}", model=winner) if by_person else _("A judge chose {model}", model=winner)
    elif record.votes[0].winner == "tie":
        words = _("A voter saw a tie") if by_person else _("A judge saw a tie")
    else:
        words = _("A voter found both bad") if by_person else _("A judge found both bad")
    return words


def _choices(boards: CachedBoards) -> dict[str, Any]:
    """The options of the search form."""
    return {
        "categories": {name: category_name(name) for name in boards.categories("all") if name != OVERALL},
        "sources": {name: label for name, label in boards.sources().items() if name not in ("both", "all")},
        "results": {name: _(label) for name, label in RESULTS_NAMED.items()},
    }


class BattleParameters(SearchParameters):
    """The parameters of the search over readable battles."""

    category: str = ""
    source: str = ""

    @property
    def conditions(self) -> BattleConditions:
        """The search."""
        result = self.result(RESULTS)
        return BattleConditions(self.q, self.model, self.category, result, self.source, self.page)
