"""`/review/agreement`: how far reviewers agree with each other, with the crowd and with judges; JSON at the same address
with `.json`. A reviewer sees their own figures and those of all together, an operator everybody's. Those of a reviewer are
of reviews that cannot be undone any more: another look at a battle must not know what the others chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse

from arena.reviews.agreement import ReviewAgreement, ReviewFigure, review_agreement
from arena.rules.messages import gettext_noop
from arena.rules.reviews import UNDO_WITHIN
from arena.rules.roles import Role
from arena.rules.votes import JUDGE
from arena.store.reviews import progress, reviewers, reviews_version
from arena.store.schema.battles import now
from arena.web.admin import Frame, Reviewer, Visit
from arena.web.locales import gettext as _

HERE = "/review/agreement"
COMPARED = {  # texts of whom reviewers are compared with; anybody else has a name
    "reviewers": gettext_noop("reviewers, with each other"),
    "other reviewers": gettext_noop("the other reviewers"),
    "crowd": gettext_noop("the voters"),
}
MEASURES = {
    "agreement": gettext_noop("Same choice"),
    "Cohen's kappa": gettext_noop("Cohen's kappa"),
    "Krippendorff's alpha": gettext_noop("Krippendorff's alpha"),
}


def routes(frame: Frame) -> APIRouter:
    """The page and its JSON."""
    router = APIRouter()

    def computed(visit: Visit) -> ReviewAgreement:
        until = None if visit.role.includes(Role.OPERATOR) else now() - UNDO_WITHIN
        with frame.database.read() as session:
            version = reviews_version(session, until)
        key = ("reviews", version, until is None)
        return frame.boards.cache.get(key, lambda session: review_agreement(session, until))

    @router.get(HERE)
    def show(visit: Reviewer) -> HTMLResponse:
        agreement = computed(visit)
        with frame.database.read() as session:
            queue = progress(session)
            people = sum(row.reviews > 0 for row in reviewers(session))
        groups = [(name, _rows(figures)) for name, figures in _groups(agreement, visit)]
        return frame.page(
            "review_agreement.html", visit, agreement=agreement, queue=queue, people=people, groups=groups
        )

    @router.get(f"{HERE}.json")
    def as_json(visit: Reviewer) -> JSONResponse:
        agreement = computed(visit)
        document = {
            "battles": agreement.battles,
            "all": [figure.to_dict() for figure in agreement.of(None)],
            "reviewers": [
                {"name": agreement.names[account], "figures": [one.to_dict() for one in agreement.of(account)]}
                for account in _shown(agreement, visit)
            ],
        }
        return JSONResponse(document, headers={"cache-control": "no-store"})

    return router


def _shown(agreement: ReviewAgreement, visit: Visit) -> list[int]:
    """The accounts whose figures this reader may see."""
    if visit.role.includes(Role.OPERATOR):
        return sorted(agreement.names, key=lambda account: agreement.names[account])
    return [account for account in agreement.names if account == visit.who.account_id]


def _groups(agreement: ReviewAgreement, visit: Visit) -> list[tuple[str, Sequence[ReviewFigure]]]:
    """All together, then each reviewer; of a reviewer's own figures without names of others."""
    groups: list[tuple[str, Sequence[ReviewFigure]]] = [(_("All reviewers"), agreement.of(None))]
    for account in _shown(agreement, visit):
        is_own = account == visit.who.account_id
        groups.append((_("You") if is_own else agreement.names[account], agreement.of(account)))
    return groups


def _rows(figures: Sequence[ReviewFigure]) -> list[dict[str, Any]]:
    return [
        {
            "measure": _(MEASURES[figure.measure]),
            "others": _(COMPARED[figure.others])
            if figure.others in COMPARED
            else figure.others.removeprefix(JUDGE),
            "is_judge": figure.others.startswith(JUDGE),
            **vars(figure.figure),
        }
        for figure in figures
    ]
