"""Forms that change something: they must come from a page of this arena."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import HTTPException, Request

from arena.web.locales import gettext as _
from arena.web.v1.battle_problems import BattleProblem
from arena.web.v1.visitors import check_origin


def from_own_page(public_url: str | None) -> Callable[[Request], None]:
    """A dependency that raises `HTTPException` (403) for a form that another site may have sent."""

    def check(request: Request) -> None:
        try:
            check_origin(request, public_url)
        except BattleProblem as problem:
            raise HTTPException(problem.status, _(problem.detail)) from problem

    return check
