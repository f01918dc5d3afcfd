r"""The HTML of a text that is still being written: finished blocks once, and the last block again.

CommonMark decides about blocks line by line: a block that another one follows does not change any more. A growing text
is therefore cut before its last block, and what lies before the cut is rendered once. The pieces together have the
structure of the whole text, with these exceptions, which the last call (`whole=True`) removes:

* a link whose reference is defined further below is text until then;
* a block that begins like a display (`$$`, `\[`) stays unfinished until its end is written, or is too far away;
* code is highlighted, and a diagram drawn, when its fence is closed.

The cost is linear in the text: the last block is rendered again when it has grown by a fiftieth (`GROWTH`), and words
that follow words, and lines of code, are appended as text.
"""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

from arena.web.markdown.open_blocks import OpenFence, OpenText
from arena.web.markdown.pieces import HTML, finished_length

GROWTH = 50


class Shown(NamedTuple):
    """What changed since the last call. The whole HTML is that of all `done`, then the last `tail`."""

    done: str  # HTML of the blocks that were finished
    tail: str  # HTML of the last block, in place of the last tail
    added: str = ""  # where not empty: the tail is the last one with this plain text at the end of its last text
    reset: bool = False  # True: what was finished before is void


class GrowingHtml:
    """Renders one text that grows at its end. A text that changed before its end is rendered anew (`reset`)."""

    def __init__(self) -> None:
        self._shown: tuple[str, bool] = ("", False)
        self._begin()

    def _begin(self) -> None:
        self._finished = ""  # the text that was finished
        self._done: list[str] = []  # its HTML
        self._env: dict[str, Any] = {}
        self._rendered = ""  # the rest, as far as it is shown
        self._unfinished = ""  # the whole lines at the beginning of the rest, of which no block is finished
        self._tail = ""
        self._open: OpenFence | OpenText | None = None

    def show(self, text: str, whole: bool = False) -> Shown:
        """What to show of the text. After its last call, `whole`, everything is finished and the tail is empty."""
        text = normalized(text)
        before, was_whole = self._shown
        if text == before and whole == was_whole:
            return Shown("", self._tail)
        self._shown = text, whole
        reset = (was_whole and text != before) or not text.startswith(self._finished)
        if reset or (was_whole and not whole):
            self._begin()
        rest = text[len(self._finished) :]
        shown = self._last(text, rest) if whole else self._next(rest)
        return shown._replace(reset=reset or shown.reset)

    def operations(self, text: str, whole: bool = False) -> list[tuple[str, str]]:
        """The same as the operations of a stream: `set`, `done`, `tail` and `text`."""
        tail, shown = self._tail, self.show(text, whole)
        if shown.added:
            return [("text", shown.added)]
        found = [("set" if shown.reset else "done", shown.done)] if shown.done or shown.reset else []
        if shown.tail != ("" if found else tail):
            found.append(("tail", shown.tail))
        return found

    def _last(self, text: str, rest: str) -> Shown:
        done = HTML.render(rest, self._env)
        if self._env.get("references") and "[" in self._finished:
            html = HTML.render(text, {})
            reset = html != "".join(self._done) + done
            done = html if reset else done
        else:
            reset = False
        self._finished, self._rendered, self._tail, self._open = text, "", "", None
        return Shown(done, "", reset=reset)

    def _next(self, rest: str) -> Shown:
        added = self._open.added(self._rendered, rest) if self._open else None
        if added is not None:
            self._rendered = rest
            self._tail = self._open.html if self._open else ""
            return Shown("", self._tail, added)
        more = len(rest) - len(self._rendered)
        if rest.startswith(self._rendered) and more < len(self._rendered) // GROWTH:
            return Shown("", self._tail)
        return self._render(rest)

    def _render(self, rest: str) -> Shown:
        lines = rest[: rest.rfind("\n") + 1]
        length = finished_length(rest, self._env) if lines != self._unfinished else 0
        self._unfinished = lines[length:]
        done = HTML.render(rest[:length], self._env) if length else ""
        if done:
            self._done.append(done)
        self._finished += rest[:length]
        self._rendered = rest[length:]
        if fence := OpenFence.at(self._rendered):
            self._open, self._tail = fence, fence.html
        else:
            env = {name: copy(value) for name, value in self._env.items()}
            tokens = HTML.parse(self._rendered, env)
            html = HTML.renderer.render(tokens, HTML.options, env)
            self._open = OpenText.after(self._rendered, tokens, html)
            self._tail = self._open.html if self._open else html
        return Shown(done, self._tail)


def normalized(text: str) -> str:
    """The text with the line ends and without the characters that Markdown replaces first."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
