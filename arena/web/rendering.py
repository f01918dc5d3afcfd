"""Templates, and completions as HTML that can neither run nor fetch anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from arena import __version__
from arena.web.navigation import PAGES

# Raw HTML is shown as text, pictures are not made: one from elsewhere would report every reader's address.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def markdown(text: str) -> Markup:
    """A prompt or completion as HTML."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  (the renderer escapes all HTML of the text)


def model_link(name: str) -> str:
    return f"/models/{quote(name, safe='')}"


def templates(title: str) -> Environment:
    """The environment of all reading pages."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(title=title, pages=PAGES, version=__version__, model_link=model_link)
    environment.filters.update(markdown=markdown, signed=_signed, twice=_twice)
    return environment


def missing(environment: Environment, problem: str) -> HTMLResponse:
    """The answer where there is nothing to read."""
    return HTMLResponse(environment.get_template("missing.html").render(here="", problem=problem), 404)


def _signed(value: Any) -> str:
    return f"{value:+.0f}"


def _twice(values: list[str]) -> list[tuple[str, str]]:
    """Values that are their own names, for lists of choices."""
    return [(value, value) for value in values]
