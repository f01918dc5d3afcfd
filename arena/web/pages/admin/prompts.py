"""`/admin/prompts`: the prompts that the battle page suggests, in each language."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from arena.rules.suggested_prompts import suggested_prompts
from arena.web.admin import Frame, Operator
from arena.web.locales import languages

HERE = "/admin/prompts"


def routes(frame: Frame) -> APIRouter:
    """The list; the prompts are part of the version, so it changes nothing."""
    router = APIRouter()

    @router.get(HERE)
    def prompts(visit: Operator) -> HTMLResponse:
        shown = [(language, suggested_prompts(language.code)) for language in languages().values()]
        return frame.page("admin_prompts.html", visit, shown=shown)

    return router
