"""Routes of `/trust`: each figure that the arena publishes about its votes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response

from arena.store import Session
from arena.trust import figures
from arena.trust.figures import Document
from arena.web.v1 import examples
from arena.web.v1.context import Context, Media, Served
from arena.web.v1.problems import ProblemRoute
from arena.web.v1.replies import Page, reply

REST = 50.0  # these figures read every vote: at most 2 % of a core
router = APIRouter(route_class=ProblemRoute, prefix="/trust")


FIGURES: Mapping[str, Callable[[Session, str], Document]] = {  # by address; the text is the version of the filter
    "votes": lambda session, _version: figures.vote_figures(session),
    "controls": figures.control_figures,
    "filter": figures.filter_figures,
    "attack-cost": lambda session, _version: figures.attack_figures(session),
}


@router.get("/votes", responses=examples.described(examples.TRUST_VOTES))
def votes(request: Request, media: Media, served: Served) -> Response:
    """People's votes for boards by state and reason, with their shares; `apart` are the votes on control battles and private
    models, which count on no board; and the appeals by decision.
    """
    return _reply(request, media, served, "votes", "states")


@router.get("/controls", responses=examples.described(examples.TRUST_CONTROLS))
def controls(request: Request, media: Media, served: Served) -> Response:
    """Position bias and noise of people's votes from control battles, with 95 % intervals by voter."""
    return _reply(request, media, served, "controls", "figures")


@router.get("/filter", responses=examples.described(examples.TRUST_FILTER))
def filter_in_force(request: Request, media: Media, served: Served) -> Response:
    """The filter that decides which votes count, all its versions, and the log of votes held, released and set aside."""
    return _reply(request, media, served, "filter", "changes")


@router.get("/attack-cost", responses=examples.described(examples.TRUST_ATTACK_COST))
def attack_cost(request: Request, media: Media, served: Served) -> Response:
    """What it costs, by the newest measurement, to move each model by one place, and the least cost of each day."""
    return _reply(request, media, served, "attack-cost", "models")


def figures_of(served: Context, name: str) -> Document:
    """The figures of an address, computed at most once while they rest."""
    version = served.settings.ledger.filter
    return served.cache.get(("trust", name, version), lambda session: FIGURES[name](session, version), rest=REST)


def _reply(request: Request, media: str, served: Context, name: str, rows: str) -> Response:
    about = dict(figures_of(served, name))
    return reply(request, media, repr(about), lambda: Page(about.pop(rows), rows, about))
