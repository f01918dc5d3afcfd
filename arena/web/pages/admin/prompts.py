"""`/admin/prompts`: the prompts that the battle page suggests in each language, their changes, and every version of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from arena.rules import prompt_edits as edits
from arena.rules.messages import Phrase, gettext_noop
from arena.rules.prompt_edits import Prompts
from arena.rules.suggested_prompts import suggested_prompts
from arena.store import site_texts as stored
from arena.store.schema.site_texts import SiteText
from arena.web.admin import Frame, Operator, Visit
from arena.web.locales import languages

HERE = "/admin/prompts"
SAVED = gettext_noop("Version {number} of the prompts is shown from now on.")
ACTIONS = {
    "add": gettext_noop("added"),
    "change": gettext_noop("changed"),
    "retire": gettext_noop("retired"),
    "move": gettext_noop("moved"),
    "restore": gettext_noop("restored"),
    "save": gettext_noop("saved"),
}
Word = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=2 * edits.LONGEST)]
Number = Annotated[int, Form(ge=0, le=1_000_000_000)]
Reason = Annotated[str, Form(max_length=1_000)]


@dataclass(frozen=True)
class Section:
    """A language of the page."""

    code: str
    name: str
    prompts: Prompts
    number: int  # of the newest version, 0 without any
    own: bool  # an operator has saved these
    versions: list[tuple[SiteText, Prompts | None]]


def routes(frame: Frame) -> APIRouter:
    """The page and its forms."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(HERE, pages.show)
    for name in ("add", "change", "retire", "move", "restore"):
        router.add_api_route(f"{HERE}/{name}", getattr(pages, name), methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers. `seen` is the version that the form was made for."""

    frame: Frame

    def show(self, visit: Operator) -> HTMLResponse:
        sections = []
        with self.frame.database.read() as session:
            for language in languages().values():
                rows = stored.versions(session, stored.PROMPTS, language.code)
                own = bool(rows) and rows[0].text is not None
                sections.append(
                    Section(
                        language.code,
                        language.name,
                        _prompts(rows[0] if rows else None, language.code),
                        rows[0].number if rows else 0,
                        own,
                        [(row, None if row.text is None else edits.from_json(row.text)) for row in rows],
                    )
                )
        return self.frame.page(
            "admin_prompts.html",
            visit,
            sections=sections,
            categories=edits.CATEGORIES,
            longest=edits.LONGEST,
            actions=ACTIONS,
        )

    def add(
        self, visit: Operator, language: Word, category: Word, seen: Number, text: Text = "", reason: Reason = ""
    ) -> RedirectResponse:
        new = {"text": text.strip()}
        return self._save(
            visit, "add", language, category, seen, reason, new, lambda now: edits.add(now, category, text)
        )

    def change(
        self,
        visit: Operator,
        language: Word,
        category: Word,
        place: Number,
        seen: Number,
        text: Text = "",
        reason: Reason = "",
    ) -> RedirectResponse:
        details = {"text": text.strip()}

        def edit(now: Prompts) -> Prompts:
            details["before"] = edits.text_at(now, category, place)
            return edits.change(now, category, place, text)

        return self._save(visit, "change", language, category, seen, reason, details, edit)

    def retire(
        self, visit: Operator, language: Word, category: Word, place: Number, seen: Number, reason: Reason = ""
    ) -> RedirectResponse:
        details: dict[str, Any] = {}

        def edit(now: Prompts) -> Prompts:
            details["before"] = edits.text_at(now, category, place)
            return edits.retire(now, category, place)

        return self._save(visit, "retire", language, category, seen, reason, details, edit)

    def move(
        self,
        visit: Operator,
        language: Word,
        category: Word,
        place: Number,
        seen: Number,
        to: Annotated[Literal["up", "down"], Form()],
    ) -> RedirectResponse:
        details: dict[str, Any] = {"to": to}

        def edit(now: Prompts) -> Prompts:
            details["text"] = edits.text_at(now, category, place)
            return edits.move(now, category, place, up=to == "up")

        return self._save(visit, "move", language, category, seen, "", details, edit)

    def restore(
        self, visit: Operator, language: Word, version: Number, seen: Number, reason: Reason = ""
    ) -> RedirectResponse:
        """Show an earlier version again; 0 are the prompts of this version of Arena."""
        details: dict[str, Any] = {"restored": version}
        with self.frame.action(visit, "prompt.restore", language, reason=reason, details=details) as session:
            _check(language)
            text = stored.version(session, stored.PROMPTS, language, version).text if version else None
            row = stored.save(
                session, stored.PROMPTS, language, text, seen=seen, action="restore", reason=reason, by=visit.name
            )
            details["version"] = row.number
        return self._back(visit, row.number, language)

    def _save(
        self,
        visit: Visit,
        action: str,
        language: str,
        category: str,
        seen: int,
        reason: str,
        details: dict[str, Any],
        edit: Callable[[Prompts], Prompts],
    ) -> RedirectResponse:
        """Apply a change to the newest version and save the result, with its audit entry."""
        with self.frame.action(
            visit, f"prompt.{action}", f"{language} {category}", reason=reason, details=details
        ) as session:
            _check(language)
            rows = stored.versions(session, stored.PROMPTS, language, 1)
            text = edits.as_json(edit(_prompts(rows[0] if rows else None, language)))
            row = stored.save(
                session, stored.PROMPTS, language, text, seen=seen, action=action, reason=reason, by=visit.name
            )
            details["version"] = row.number
        return self._back(visit, row.number, language)

    def _back(self, visit: Visit, number: int, language: str) -> RedirectResponse:
        self.frame.site_texts.read()
        return self.frame.back(visit, f"{HERE}#prompts-{language}", Phrase(SAVED, number=number))


def _prompts(row: SiteText | None, language: str) -> Prompts:
    return suggested_prompts(language) if row is None or row.text is None else edits.from_json(row.text)


def _check(language: str) -> None:
    if language not in {known.code for known in languages().values()}:
        raise edits.PromptsRefused("There is no language {language!r}. Choose one of the list.", language=language)
