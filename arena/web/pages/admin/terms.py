"""`/admin/terms`: the texts that visitors read about this arena, with the file and the version of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from arena.web.admin import Frame, Operator
from arena.web.locales import languages
from arena.web.pages.information import PAGES, find_file, heading

HERE = "/admin/terms"
DIGITS = 16  # of the version: the beginning of the text's SHA-256


@dataclass(frozen=True)
class VisitorText:
    """One text in one language. `own`: the operator has written it."""

    page: str
    language: str
    heading: str
    file: str
    own: bool
    version: str


def routes(frame: Frame) -> APIRouter:
    """The list; the texts are files, so it changes nothing."""
    router, folder = APIRouter(), frame.settings.web.pages_dir

    @router.get(HERE)
    def terms(visit: Operator) -> HTMLResponse:
        return frame.page("admin_terms.html", visit, texts=list(visitor_texts(folder)), folder=folder)

    return router


def visitor_texts(folder: Path | None) -> Iterator[VisitorText]:
    """Every page in every language, as visitors get it."""
    for page in PAGES:
        for language in languages().values():
            file = find_file(page, language.code.partition("-")[0], folder)
            text = file.read_text(encoding="utf-8")
            own = folder is not None and str(file).startswith(str(folder))
            shown = Path(str(file)).relative_to(folder) if own and folder else Path(str(file)).name
            digest = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
            yield VisitorText(page, language.code, heading(text), str(shown), own, digest)
