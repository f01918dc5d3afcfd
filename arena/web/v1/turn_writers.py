"""Writes what a client lacks of a turn as events, as plain text or as HTML.

An id names what the client has: `TURN.ATTEMPT.A.B`, with the characters of both texts. A client that comes back with
it continues there, on any server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from arena.battles.turn_frames import Frame
from arena.rules.votes import Side
from arena.web.markdown.growing import GrowingHtml
from arena.web.v1.event_stream import event

ID = re.compile(r"([0-9]{1,4})\.([0-9]{1,6})\.([0-9]{1,8})\.([0-9]{1,8})")


class TurnWriter(Protocol):
    """Events for one client."""

    @property
    def id(self) -> str:
        """What the client has after the last event."""
        ...

    def write(self, frame: Frame, growing: bool) -> str:
        """The event for what is new, or an empty text. Texts that are `growing` may get longer."""
        ...


@dataclass
class Position:
    """What a client has of a turn."""

    turn: int = 0
    attempt: int = 0
    lengths: dict[Side, int] = field(default_factory=lambda: {"a": 0, "b": 0})

    @classmethod
    def parse(cls, event_id: str) -> Position | None:
        """The position of an event id, or `None` for one that is not well-formed."""
        match = ID.fullmatch(event_id)
        if match is None:
            return None
        turn, attempt, a, b = map(int, match.groups())
        return cls(turn, attempt, {"a": a, "b": b})

    def is_of(self, frame: Frame) -> bool:
        return (self.turn, self.attempt) == (frame.turn, frame.attempt)

    def __str__(self) -> str:
        return f"{self.turn}.{self.attempt}.{self.lengths['a']}.{self.lengths['b']}"


class TextWriter:
    """Writes `text` with what is to be appended, and `set` with whole texts where the client has other ones."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._texts: dict[Side, str] = {}  # as sent; of a client that has come back only the lengths are known

    @property
    def id(self) -> str:
        return str(self._position)

    def write(self, frame: Frame, growing: bool) -> str:
        position = self._position
        if not position.is_of(frame) or not self._continues(frame.texts, growing):
            return self._set(frame)
        more = {
            side: text[position.lengths[side] :]
            for side, text in frame.texts.items()
            if len(text) > position.lengths[side]
        }
        for side in more:
            self._note(side, frame.texts[side])
        return event("text", more, self.id) if more else ""

    def _continues(self, texts: Mapping[Side, str], growing: bool) -> bool:
        """Whether what the client has begins these texts.

        A growing text may be behind what another server has sent of it. It is not taken back.
        """
        for side, text in texts.items():
            known = self._texts.get(side)
            if known is not None and not text.startswith(known):
                return False
            if not growing and len(text) < self._position.lengths[side]:
                return False
        return True

    def _set(self, frame: Frame) -> str:
        self._position = Position(frame.turn, frame.attempt)
        for side, text in frame.texts.items():
            self._note(side, text)
        return event("set", dict(frame.texts), self.id)

    def _note(self, side: Side, text: str) -> None:
        self._texts[side], self._position.lengths[side] = text, len(text)


class HtmlWriter:
    """Writes `html` with the operations that change what the client shows; the first ones replace it."""

    def __init__(self) -> None:
        self._position = Position()
        self._sides: dict[Side, GrowingHtml] = {}

    @property
    def id(self) -> str:
        return str(self._position)

    def write(self, frame: Frame, growing: bool) -> str:
        if not self._position.is_of(frame):
            self._position, self._sides = Position(frame.turn, frame.attempt), {}
        changes = {side: self._operations(side, text, growing) for side, text in frame.texts.items()}
        self._position.lengths |= {side: len(text) for side, text in frame.texts.items()}
        news = {side: operations for side, operations in changes.items() if operations}
        return event("html", news, self.id) if news else ""

    def _operations(self, side: Side, text: str, growing: bool) -> list[tuple[str, str]]:
        if known := self._sides.get(side):
            return known.operations(text, whole=not growing)
        new = self._sides[side] = GrowingHtml()
        return [("set", ""), *new.operations(text, whole=not growing)]


def writer(html: bool, last_id: str | None, turn: int, attempt: int) -> TurnWriter:
    """The writer for a client that has received `last_id`, or nothing of this turn yet."""
    return HtmlWriter() if html else TextWriter(Position.parse(last_id or "") or Position(turn, attempt))
