"""A run as one HTML file that needs nothing else: styles and script are inside, and nothing is loaded."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from arena.errors import ConfigError
from arena.web.assets import inline
from arena.web.markdown import markdown, prompt_markdown
from arena.web.run_pages.document import Mark, RunDocument, ShownSample, shortened

STYLES = ("tokens.css", "components.css", "text.css", "conversation.css", "reading.css", "run.css")
FEW = 100  # samples that are elements from the start; more of them, which a browser would build for seconds, when opened
MOST = 2_000  # samples in one file, about 20 MB: a phone opens no larger page
FONT = re.compile(r"@font-face\s*{[^}]*}")
PROBLEMS = ("disagreement", "unparsed", "failed", "wrong")


def environment() -> Environment:
    """The templates of pages about runs."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(markdown=markdown, prompt_markdown=prompt_markdown, shortened=shortened, data=data)
    pages.globals.update(few=FEW, styles=styles(), script=inline("run.js"), policy=policy())
    return pages


def data(text: str) -> Markup:
    """HTML as a JSON string in a script element, which is read when it is needed.

    >>> data("<p>a</p>")
    Markup('"<p>a<\\\\/p>"')
    """
    quoted = json.dumps(str(text), ensure_ascii=False)
    return Markup(quoted.replace("</", "<\\/").replace("<!--", "\\u003c!--"))  # noqa: S704 - nothing here ends the element


@cache
def styles() -> Markup:
    """The styles of all pages about runs, without the font that would be loaded."""
    return Markup(FONT.sub("", inline(*STYLES)))  # noqa: S704 - our own files


@cache
def policy() -> str:
    """A content security policy under which nothing is loaded and no script runs but our own."""
    digest = base64.b64encode(hashlib.sha256(inline("run.js").encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; base-uri 'none'"


def html(document: RunDocument) -> str:
    """The document as one page."""
    return environment().get_template("report.html").render(document=_limited(document))


def check_report_path(path: Path, option: str = "--report") -> None:
    """Nothing if a report can be written there, before any call is paid for. Raises `ConfigError`."""
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else f"cannot be written: there is no folder {path.parent}"
        raise ConfigError(f"{option} {path}: {what}. Name a file in a folder that exists.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"{option} {path}: cannot be written. Name a file in a folder that you may write to.")


def write_report(path: Path, document: RunDocument, option: str = "--report") -> None:
    """Write the document to a file, whole or not at all. Raises `ConfigError`."""
    write_page(path, html(document), option)


def write_page(path: Path, page: str, option: str = "--report") -> None:
    """Write a page to a file, whole or not at all. Raises `ConfigError`."""
    text = page.encode("utf-8", "replace")
    try:
        descriptor, name = tempfile.mkstemp(prefix=".report-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as problem:
        raise ConfigError(
            f"{option} {path}: cannot be written ({problem.strerror}). Name another file."
        ) from problem


def _limited(document: RunDocument) -> RunDocument:
    """The document with up to `MOST` samples: those with a problem first, if not all fit."""
    if len(document.samples) <= MOST:
        return document
    chosen = set(sorted(range(len(document.samples)), key=lambda number: _place(document.samples, number))[:MOST])
    note = (
        f"This file has {MOST:,} of {len(document.samples):,} samples: those with a problem, and the first of the others. "
        "The numbers are those of all samples."
    )
    samples = [sample for number, sample in enumerate(document.samples) if number in chosen]
    return replace(document, samples=samples, notices=[*document.notices, Mark(note, "warning")])


def _place(samples: Sequence[ShownSample], number: int) -> tuple[bool, int]:
    return not samples[number].tags.intersection(PROBLEMS), number
