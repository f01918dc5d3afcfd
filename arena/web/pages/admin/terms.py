"""`/admin/terms`: the texts that visitors read about this arena: which one is shown and from where, edits, and versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from arena.rules.messages import Phrase, gettext_noop
from arena.rules.prompt_edits import PromptsRefused, plain_text
from arena.store import site_texts as stored
from arena.web.admin import Frame, Operator, Visit
from arena.web.error_pages import missing
from arena.web.locales import languages, text_of
from arena.web.pages.information import PAGES, heading, rendered, visitor_text
from arena.web.site_texts import SiteTexts

HERE = "/admin/terms"
DIGITS = 16  # of the version: the beginning of the text's SHA-256
LONGEST = 100_000  # characters of a text
NO_TEXT = gettext_noop("There is no text with this address. Go back to the list of texts.")
SAVED = gettext_noop("Version {number} of this text is shown from now on.")
ACTIONS = {"save": gettext_noop("saved"), "restore": gettext_noop("restored")}
Text = Annotated[str, Form(max_length=2 * LONGEST)]
Reason = Annotated[str, Form(max_length=1_000)]
Number = Annotated[int, Form(ge=0, le=1_000_000_000)]


@dataclass(frozen=True)
class ShownText:
    """One text in one language. `own`: the operator has written it."""

    page: str
    language: str
    heading: str
    file: str  # empty for a saved one
    own: bool
    number: int  # of the saved version, 0 for a file
    version: str


def routes(frame: Frame) -> APIRouter:
    """The list, and the forms of one text."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(HERE, pages.list)
    router.add_api_route(f"{HERE}/{{page}}/{{language}}", pages.edit)
    for name in ("save", "preview", "restore"):
        router.add_api_route(f"{HERE}/{{page}}/{{language}}/{name}", getattr(pages, name), methods=["POST"])
    return router


def visitor_texts(folder: Path | None, texts: SiteTexts | None = None) -> Iterator[ShownText]:
    """Every page in every language, as visitors get it."""
    for page in PAGES:
        for language in languages().values():
            yield _shown(page, language.code, folder, texts)


def _shown(page: str, language: str, folder: Path | None, texts: SiteTexts | None) -> ShownText:
    found = visitor_text(page, language, folder, texts.page(page) if texts else {})
    digest = hashlib.sha256(found.text.encode()).hexdigest()[:DIGITS]
    if found.saved is not None:
        return ShownText(page, language, heading(found.text), "", True, found.saved.number, digest)
    own = folder is not None and str(found.file).startswith(str(folder))
    name = Path(str(found.file)).relative_to(folder) if own and folder else Path(str(found.file)).name
    return ShownText(page, language, heading(found.text), str(name), own, 0, digest)


@dataclass(frozen=True)
class Pages:
    """The handlers. `seen` is the version that the form was made for."""

    frame: Frame

    def list(self, visit: Operator) -> HTMLResponse:
        folder = self.frame.settings.web.pages_dir
        texts = list(visitor_texts(folder, self.frame.site_texts))
        return self.frame.page("admin_terms.html", visit, texts=texts, folder=folder)

    def edit(self, visit: Operator, page: str, language: str) -> Response:
        return self._page(visit, page, language)

    def preview(
        self, visit: Operator, page: str, language: str, text: Text = "", reason: Reason = "", seen: Number = 0
    ) -> Response:
        """Show the text as visitors would get it. Nothing is saved."""
        return self._page(visit, page, language, text=text, reason=reason, seen=seen)

    def save(
        self, visit: Operator, page: str, language: str, seen: Number, text: Text = "", reason: Reason = ""
    ) -> Response:
        """Add a version, which every server shows within two seconds."""
        if not _is_known(page, language):
            return missing(self.frame.templates, NO_TEXT)
        details: dict[str, Any] = {}
        with self.frame.action(
            visit, "text.save", f"{page} {language}", reason=reason, details=details
        ) as session:
            plain = _checked(text)
            row = stored.save(
                session, page, language, plain, seen=seen, action="save", reason=reason, by=visit.name
            )
            details |= {"version": row.number, "sha256": hashlib.sha256(plain.encode()).hexdigest()}
        return self._back(visit, page, language, row.number)

    def restore(
        self, visit: Operator, page: str, language: str, version: Number, seen: Number, reason: Reason = ""
    ) -> Response:
        """Show an earlier version again; 0 is the text of the files."""
        if not _is_known(page, language):
            return missing(self.frame.templates, NO_TEXT)
        details: dict[str, Any] = {"restored": version}
        with self.frame.action(
            visit, "text.restore", f"{page} {language}", reason=reason, details=details
        ) as session:
            text = stored.version(session, page, language, version).text if version else None
            row = stored.save(
                session, page, language, text, seen=seen, action="restore", reason=reason, by=visit.name
            )
            details["version"] = row.number
        return self._back(visit, page, language, row.number)

    def _page(
        self, visit: Visit, page: str, language: str, *, text: str | None = None, reason: str = "", seen: int = 0
    ) -> Response:
        """The form with the text of visitors, or with `text` and how it would look."""
        if not _is_known(page, language):
            return missing(self.frame.templates, NO_TEXT)
        folder, texts = self.frame.settings.web.pages_dir, self.frame.site_texts
        texts.read()
        with self.frame.database.read() as session:
            versions = stored.versions(session, page, language)
        last = versions[0].number if versions else 0
        problem, preview = "", None
        if text is not None:
            try:
                preview = rendered(_checked(text))
            except PromptsRefused as refused:
                problem = text_of(refused)
        return self.frame.page(
            "admin_text.html",
            visit,
            422 if problem else 200,
            shown=_shown(page, language, folder, texts),
            text=visitor_text(page, language, folder, texts.page(page)).text if text is None else text,
            reason_given=reason,
            preview=preview,
            problem=problem,
            seen=last if text is None else seen,
            own=bool(versions) and versions[0].text is not None,
            versions=versions,
            longest=LONGEST,
            actions=ACTIONS,
            place=f"{HERE}/{page}/{language}",
            text_language=languages()[language],
        )

    def _back(self, visit: Visit, page: str, language: str, number: int) -> RedirectResponse:
        self.frame.site_texts.read()
        return self.frame.back(visit, f"{HERE}/{page}/{language}", Phrase(SAVED, number=number))


def _is_known(page: str, language: str) -> bool:
    return page in PAGES and language in {known.code for known in languages().values()}


def _checked(text: str) -> str:
    """A text that can be shown. Raises `PromptsRefused`."""
    plain = plain_text(text)
    if not 0 < len(plain) <= LONGEST:
        raise PromptsRefused("A text has 1 to {most:,} characters. Change its length.", most=LONGEST)
    if not heading(plain):
        raise PromptsRefused(
            "The text has no heading. Begin a line with # and a space: it is the title of the page."
        )
    return plain
