"""`/how-it-works`, `/privacy`, `/terms`: what the operator tells visitors, from Markdown files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup

from arena.web.locales import current_language

PAGES = ("how-it-works", "privacy", "terms")
DEFAULT_LANGUAGE = "en"
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def routes(templates: Environment, folder: Path | None) -> APIRouter:
    """The three pages. A file in `folder` (setting `web.pages_dir`) replaces the one that Arena ships."""
    router = APIRouter(include_in_schema=False)
    for name in PAGES:
        router.add_api_route(f"/{name}", _handler(templates, folder, name), response_class=HTMLResponse)
    return router


def _handler(templates: Environment, folder: Path | None, name: str) -> Callable[[], HTMLResponse]:
    def page() -> HTMLResponse:
        text = find_text(name, current_language().code.partition("-")[0], folder)
        shown = templates.get_template("information.html").render(
            here=f"/{name}", heading=heading(text), text=rendered(text)
        )
        return HTMLResponse(shown)

    return page


def find_text(name: str, language: str, folder: Path | None) -> str:
    """The Markdown of a page: the operator's in this language, or in any; else the shipped one.

    An operator's privacy notice in another language is still the valid one, so it precedes every shipped text.
    """
    return find_file(name, language, folder).read_text(encoding="utf-8")


def find_file(name: str, language: str, folder: Path | None) -> Path | Traversable:
    """The file of `find_text`."""
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


@cache
def rendered(text: str) -> Markup:
    """The Markdown as HTML. HTML in the text is shown as text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  (the renderer escapes all HTML of the text)
