"""`/trust`: how far the votes can be relied on, for readers. Each figure has its address in the API."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from arena.rules.messages import gettext_noop
from arena.rules.signed_heads import head_of
from arena.store.ledger import last_seal
from arena.store.schema.battles import now
from arena.trust.figures import Document
from arena.trust.sampling_rates import disclosed_variants, sampling_rates
from arena.web.v1.context import Context
from arena.web.v1.trust_routes import REST, figures_of

HERE = "/trust"
CHANGES, MODELS = 20, 30  # rows on the page; the API has all
# what each figure of control battles says, and where "no bias" or "no noise" is on its scale
CONTROLS = {
    "left_share": (gettext_noop("The left side won, where one model met itself (a tie is half a win)"), 0.5),
    "decisive_share": (gettext_noop("A winner was named, where one model met itself"), 0.0),
    "reversed_share": (
        gettext_noop("Another vote on the same two texts, with sides exchanged, preferred the other text"),
        0.0,
    ),
    "reversed_by_the_same_voter_share": (gettext_noop("The same, by the same voter"), 0.0),
    "undecided_share": (gettext_noop("The first vote on two texts named a winner, the second did not"), 0.0),
}

# votes that are for no board, whatever their state: their name and why
APART = {
    "control": (
        gettext_noop("on control battles"),
        gettext_noop("They measure voters and the page, and count on no board."),
    ),
    "private": (
        gettext_noop("on private models"),
        gettext_noop("They count on no board, also after the release of a model."),
    ),
}


@dataclass(frozen=True)
class Bar:
    """A share from 0 to 1 with its interval and the value that it would have without bias or noise."""

    says: str
    value: float
    lower: float | None
    upper: float | None
    votes: int
    voters: int
    neutral: float


def routes(served: Context, templates: Environment) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE)
    def trust() -> HTMLResponse:
        return HTMLResponse(templates.get_template("trust.html").render(here=HERE, **_values(served)))

    return router


def _values(served: Context) -> dict[str, Any]:
    controls = figures_of(served, "controls")["figures"]
    attack = figures_of(served, "attack-cost")
    with served.database.read() as session:
        head, private = last_seal(session), [asdict(row) for row in disclosed_variants(session)]
    return {
        "votes": figures_of(served, "votes"),
        "apart": APART,
        "bars": _bars(controls),
        "position": next(row for row in controls if row["figure"] == "position_logits"),
        "rule": figures_of(served, "filter"),
        "attack": attack,
        "costs": _cheapest(attack["models"])[:MODELS],
        "sampling": served.cache.get(
            "trust sampling", lambda session: sampling_rates(session, served.settings.sampling, now()), rest=REST
        ),
        "private": private,
        "head": head_of(head, served.signer) if head else None,
        "most_changes": CHANGES,
        "most_models": MODELS,
    }


def _bars(rows: list[Document]) -> list[Bar]:
    bars = []
    for row in rows:
        if row["figure"] in CONTROLS and row["value"] is not None:
            says, neutral = CONTROLS[row["figure"]]
            bars.append(Bar(says, row["value"], row["lower"], row["upper"], row["votes"], row["voters"], neutral))
    return bars


def _cheapest(rows: list[Document]) -> list[Document]:
    """For each model and direction the attack with the fewest votes, by place."""
    best: dict[tuple[str, str], Document] = {}
    for row in rows:
        key = row["model"], row["direction"]
        if row["votes"] is not None and (key not in best or row["votes"] < best[key]["votes"]):
            best[key] = row
    return sorted(best.values(), key=lambda row: (row["place"], row["direction"] != "up"))
