"""`/how-it-works`, `/privacy`, `/terms`: what the operator tells visitors, in Markdown.

A text that an operator has saved on `/admin/terms` wins over one in a file of `web.pages_dir`, and that one over the text
that Arena ships; of the operator's own texts, the one in the reader's language wins over one in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup

from arena.web.locales import current_language
from arena.web.site_texts import Saved, SiteTexts

PAGES = ("how-it-works", "privacy", "terms")
DEFAULT_LANGUAGE = "en"
NOTHING_SAVED: Mapping[str, Saved] = MappingProxyType({})
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class VisitorText:
    """The Markdown of a page as visitors get it. `saved` is its version if an operator saved it, else it is of `file`."""

    text: str
    saved: Saved | None = None
    language: str | None = None  # in which it was saved
    file: Path | Traversable | None = None


def routes(templates: Environment, folder: Path | None, texts: SiteTexts | None = None) -> APIRouter:
    """The three pages. A file in `folder` (setting `web.pages_dir`) replaces the one that Arena ships."""
    router = APIRouter(include_in_schema=False)
    for name in PAGES:
        router.add_api_route(f"/{name}", _handler(templates, folder, name, texts), response_class=HTMLResponse)
    return router


def _handler(
    templates: Environment, folder: Path | None, name: str, texts: SiteTexts | None
) -> Callable[[], HTMLResponse]:
    def page() -> HTMLResponse:
        found = visitor_text(name, current_language().code, folder, texts.page(name) if texts else {})
        shown = templates.get_template("information.html").render(
            here=f"/{name}", heading=heading(found.text), text=rendered(found.text), saved=found.saved
        )
        return HTMLResponse(shown)

    return page


def visitor_text(
    name: str, language: str, folder: Path | None, saved: Mapping[str, Saved] = NOTHING_SAVED
) -> VisitorText:
    """The text of a page: the operator's in this language, or in any; else the shipped one. `saved` is by language.

    An operator's privacy notice in another language is still the valid one, so it precedes every shipped text.
    """
    short = language.partition("-")[0]
    if language in saved:
        return VisitorText(saved[language].text, saved[language], language)
    in_language = folder / short / f"{name}.md" if folder else None
    if in_language is None or not in_language.is_file():
        for other in (DEFAULT_LANGUAGE, *sorted(saved)):
            if other in saved:
                return VisitorText(saved[other].text, saved[other], other)
    file = _file(name, short, folder)
    return VisitorText(file.read_text(encoding="utf-8"), file=file)


def _file(name: str, language: str, folder: Path | None) -> Path | Traversable:
    own = _candidates(folder, name, language) if folder else iter(())
    return next(file for file in (*own, *_shipped(name, language)) if file.is_file())


def _candidates(folder: Path, name: str, language: str) -> Iterator[Path]:
    yield folder / language / f"{name}.md"
    yield folder / f"{name}.md"
    yield folder / DEFAULT_LANGUAGE / f"{name}.md"
    yield from sorted(folder.glob(f"*/{name}.md"))


def _shipped(name: str, language: str) -> Iterator[Traversable]:
    content = files("arena.web") / "content"
    yield content / language / f"{name}.md"
    yield content / DEFAULT_LANGUAGE / f"{name}.md"


def heading(text: str) -> str:
    """The first heading of a Markdown text, for the title of the page.

    >>> heading("# Privacy\\n\\nNothing is stored.")
    'Privacy'
    """
    first = next((line for line in text.splitlines() if line.startswith("# ")), "# ")
    return first.removeprefix("# ").strip()


@lru_cache(maxsize=64)  # texts change while the arena runs
def rendered(text: str) -> Markup:
    """The Markdown as HTML. HTML in the text is shown as text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  (the renderer escapes all HTML of the text)
