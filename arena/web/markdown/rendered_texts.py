"""Prompts and completions as HTML, each rendered once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from markupsafe import Markup

from arena.web.markdown.parser import parser

CACHED = 32_000_000  # characters of texts and their HTML


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


_COMPLETIONS = RenderedTexts(parser().render)
_PROMPTS = RenderedTexts(parser(typed=True).render, CACHED // 4)


def markdown(text: str) -> Markup:
    """A completion as HTML."""
    return Markup(_COMPLETIONS.html(text))  # noqa: S704  (the renderer escapes all HTML of the text)


def prompt_markdown(text: str) -> Markup:
    """A prompt as HTML, with the lines as they were typed."""
    return Markup(_PROMPTS.html(text))  # noqa: S704
