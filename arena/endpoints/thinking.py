"""A model's thinking, apart from its text: in the shapes that servers send, and at the beginning of a streamed text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from arena.endpoints.endpoint import Finish, Thinking
from judges.thinking import FINAL, HARMONY, MARKS

OPENINGS = (*(opening for opening, _ in MARKS), *HARMONY)
LONGEST_FINAL = 120  # characters of the mark between harmony's channels
INSIDE = ("text", "thinking", "reasoning", "content", "summary")  # keys of the objects that hold a thought
DEPTH = 4


def thought(value: Any, depth: int = 0) -> str:
    """The text of a thought: a text, an object with one, or a list of them. Other values have none."""
    if isinstance(value, str):
        return value
    if depth == DEPTH:
        return ""
    if isinstance(value, list):
        return "".join(thought(inner, depth + 1) for inner in value)
    if isinstance(value, Mapping):
        return next((text for key in INSIDE if (text := thought(value.get(key), depth + 1))), "")
    return ""


@dataclass
class ThinkingFilter:
    """The text of one streamed completion without its leading thinking (`judges.thinking`).

    Thinking whose opening mark is in the prompt cannot be told from text before it ends, and passes.
    """

    _held: str = ""  # could still be, or is, thinking
    _searched: int = 0  # characters of `_held` in which its end is not
    _closing: str | None = None  # the mark that ends the present thinking; empty for harmony's channels
    _final: bool = False  # harmony's last channel has begun: no thought follows
    _thought: bool = False  # a thought came before: the spaces behind it are dropped
    _open: bool = False  # the text has begun: all passes

    def push(self, piece: str) -> str:
        """The text that this piece releases; often empty."""
        if self._open:
            return piece
        self._held += piece
        while not self._open and (self._closing is not None or self._begins()):
            if not self._ends():
                return ""
        return self._release() if self._open else ""

    @property
    def is_thinking(self) -> bool:
        """Whether the last piece was part of a thought that has not ended."""
        return self._closing is not None

    def rest(self) -> str:
        """What was held at the end of a stream and is no thinking, such as a lone "<"."""
        return "" if self._closing is not None else self._release()

    def _begins(self) -> bool:
        """Whether the held text begins with a thought; text that cannot opens the filter."""
        start = self._held.lstrip()
        if self._final:
            self._open = bool(start)
            return False
        if start.startswith(HARMONY):
            self._closing = ""
        else:
            self._closing = next((closing for opening, closing in MARKS if start.startswith(opening)), None)
        if self._closing is not None:
            return True
        self._open = bool(start) and not any(opening.startswith(start) for opening in OPENINGS)
        return False

    def _ends(self) -> bool:
        """Whether the present thought ends in the held text, which then begins after it."""
        if self._closing == "":
            found = FINAL.search(self._held, max(0, self._searched - LONGEST_FINAL))
            end = found.end() if found else -1
            self._final = found is not None
        else:
            closing = str(self._closing)
            at = self._held.find(closing, max(0, self._searched - len(closing)))
            end = at + len(closing) if at >= 0 else -1
        if end < 0:
            self._searched = len(self._held)
            return False
        self._held, self._searched, self._closing, self._thought = self._held[end:], 0, None, True
        return True

    def _release(self) -> str:
        text = self._held.lstrip() if self._thought else self._held
        self._held, self._open = "", True
        return text


async def thinking_apart(events: AsyncGenerator[str | Finish]) -> AsyncGenerator[str | Finish]:
    """The events of a stream, with the thinking at the beginning of its text as `Thinking`, as it arrives."""
    shown = ThinkingFilter()
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finish):
                if text := shown.rest():
                    yield text
                yield event
            elif isinstance(event, Thinking):
                yield event
            elif text := shown.push(event):
                yield text
            elif shown.is_thinking:
                yield Thinking(event)
