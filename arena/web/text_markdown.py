"""Prompts and completions as HTML that can neither run nor fetch anything, each rendered once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.rules_core import StateCore
from markupsafe import Markup

LOWER = 2  # levels by which the headings of a text are lowered below those of the page
# Cells of a text that its rows lack, which are rendered as empty ones: a line of one character takes as many cells as
# the table has columns, so that 20,000 characters became 65,000 cells.
MAX_ADDED_CELLS = 2_000
CACHED = 32_000_000  # characters of texts and their HTML


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + LOWER)}"


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for tables, without those that would add more than `MAX_ADDED_CELLS` to the text."""
    if not table(state, start, end, True):
        return False
    added = state.env.get("added_cells", 0) + _added_cells(state, start, end)
    if added > MAX_ADDED_CELLS:
        return False
    if silent:
        return True
    state.env["added_cells"] = added
    return bool(table(state, start, end, False))


def _added_cells(state: StateBlock, start: int, end: int) -> int:
    """The number of cells that the rows of a table lack, or more: all lines up to the next empty one are rows here."""
    if start + 2 >= end:
        return 0
    dashes = state.src[state.bMarks[start + 1] : state.eMarks[start + 1]].strip()
    blank = state.src.find("\n\n", first := state.bMarks[start + 2])
    body = state.src[first : blank if blank >= 0 else None].rstrip()
    rows = body.count("\n") + 1 if body else 0
    columns = dashes.strip("|").count("|") + 1
    return max(0, min(rows * dashes.count("|") - body.count("|"), rows * (columns - 1)))


def _renderer() -> MarkdownIt:
    # Raw HTML is shown as text, and images are not loaded: a remote one would report the address of each reader.
    one = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    one.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    one.core.ruler.push("lower_headings", _lower_headings)
    return one


class RenderedTexts:
    """The HTML of the texts that were read last, up to `size` characters. Thread-safe.

    Rendering takes processor time only: threads that render at once would not end earlier, and would hold up the
    event loop for longer.
    """

    def __init__(self, render: Callable[[str], str], size: int = CACHED) -> None:
        self._render, self._size = render, size
        self._lock, self._rendering = threading.Lock(), threading.Lock()
        self._texts: OrderedDict[str, str] = OrderedDict()
        self.characters = 0

    def html(self, text: str) -> str:
        if (known := self._known(text)) is not None:
            return known
        with self._rendering:
            if (known := self._known(text)) is not None:
                return known
            html = self._render(text)
            self._keep(text, html)
            return html

    def _known(self, text: str) -> str | None:
        with self._lock:
            if (known := self._texts.get(text)) is not None:
                self._texts.move_to_end(text)
            return known

    def _keep(self, text: str, html: str) -> None:
        with self._lock:
            self._texts[text] = html
            self.characters += len(text) + len(html)
            while self.characters > self._size:
                oldest, shown = self._texts.popitem(last=False)
                self.characters -= len(oldest) + len(shown)


_TEXTS = RenderedTexts(_renderer().render)


def markdown(text: str) -> Markup:
    """A prompt or completion as HTML."""
    return Markup(_TEXTS.html(text))  # noqa: S704  (the renderer escapes all HTML of the text)
