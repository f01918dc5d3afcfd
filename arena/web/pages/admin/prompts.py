"""`/admin/prompts`: the prompts that the battle page suggests in each language, their changes, and every version of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

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
Number = Annotated[int, Form(ge=0, le=1_000_000_000)]
Reason = Annotated[str, Form(max_length=1_000)]


class Edit(BaseModel):
    """A form that changes the prompts of a language; `seen` is the version that it was made for."""

    language: Annotated[str, Field(max_length=40)]
    category: Annotated[str, Field(max_length=40)]
    seen: Annotated[int, Field(ge=0, le=1_000_000_000)]
    reason: Annotated[str, Field(max_length=1_000)] = ""


class NewPrompt(Edit):
    """A prompt to add."""

    text: Annotated[str, Field(max_length=2 * edits.LONGEST)] = ""


class Placed(Edit):
    """A form about the prompt at a place of its category."""

    place: Annotated[int, Field(ge=0, le=1_000_000_000)]


class OtherText(NewPrompt, Placed):
    """Another text for a prompt."""


class Moved(Placed):
    """A prompt to move by one place."""

    to: Literal["up", "down"]


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

    def add(self, visit: Operator, form: Annotated[NewPrompt, Form()]) -> RedirectResponse:
        details = {"text": form.text.strip()}
        return self._save(visit, "add", form, details, lambda now: edits.add(now, form.category, form.text))

    def change(self, visit: Operator, form: Annotated[OtherText, Form()]) -> RedirectResponse:
        def edit(now: Prompts, category: str, place: int) -> Prompts:
            return edits.change(now, category, place, form.text)

        return self._edit(visit, "change", form, {"text": form.text.strip()}, edit)

    def retire(self, visit: Operator, form: Annotated[Placed, Form()]) -> RedirectResponse:
        return self._edit(visit, "retire", form, {}, edits.retire)

    def move(self, visit: Operator, form: Annotated[Moved, Form()]) -> RedirectResponse:
        edit = partial(edits.move, up=form.to == "up")
        return self._edit(visit, "move", form, {"to": form.to}, edit)

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

    def _edit(
        self,
        visit: Visit,
        action: str,
        form: Placed,
        details: dict[str, Any],
        edit: Callable[[Prompts, str, int], Prompts],
    ) -> RedirectResponse:
        """Change the prompt at a place; the audit entry has its text before."""

        def noted(now: Prompts) -> Prompts:
            details["before"] = edits.text_at(now, form.category, form.place)
            return edit(now, form.category, form.place)

        return self._save(visit, action, form, details, noted)

    def _save(
        self, visit: Visit, action: str, form: Edit, details: dict[str, Any], edit: Callable[[Prompts], Prompts]
    ) -> RedirectResponse:
        """Apply a change to the newest version and save the result, with its audit entry."""
        language, reason, target = form.language, form.reason, f"{form.language} {form.category}"
        with self.frame.action(visit, f"prompt.{action}", target, reason=reason, details=details) as session:
            _check(language)
            rows = stored.versions(session, stored.PROMPTS, language, 1)
            text = edits.as_json(edit(_prompts(rows[0] if rows else None, language)))
            row = stored.save(
                session,
                stored.PROMPTS,
                language,
                text,
                seen=form.seen,
                action=action,
                reason=reason,
                by=visit.name,
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
