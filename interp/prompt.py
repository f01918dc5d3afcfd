"""The exact text that a model reads, with its named segments of content, words and sentences.

Text outside every segment is template: a chat format, instructions, labels. Methods with a baseline keep the
template unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from interp.errors import BadPrompt

# Scripts written without spaces: one character is a word of its own there.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"\s*(?:[{UNSPACED}]|[^\s{UNSPACED}]+)(?:\s+\Z)?")
SENTENCE = re.compile(r"""\s*\S.*?(?:[.!?…]+["')\]”’]*(?=\s)|[。！？]+|\n|\Z)(?:\s+\Z)?""", re.DOTALL)


@dataclass(frozen=True)
class Unit:
    """A stretch of the prompt: `prompt.text[start:end] == text`. `segment` is None in the template."""

    text: str
    start: int
    end: int
    segment: str | None = None


@dataclass(frozen=True)
class Prompt:
    """`text` as the model reads it. `segments` are (name, start, end), in order, without overlap.

    A name may occur more than once: a conversation has several segments of one side.
    """

    text: str
    segments: tuple[tuple[str, int, int], ...]

    def __post_init__(self) -> None:
        last = 0
        for name, start, end in self.segments:
            if not last <= start <= end <= len(self.text):
                raise BadPrompt(
                    f"segment {name!r} is ({start}, {end}) of a text of {len(self.text)} characters. Segments "
                    "stand in order and do not overlap."
                )
            last = end

    @classmethod
    def of(cls, *parts: tuple[str | None, str]) -> Prompt:
        """The prompt of (segment name or None for template, text) parts, joined without changes."""
        segments, position = [], 0
        for name, text in parts:
            if name is not None:
                segments.append((name, position, position + len(text)))
            position += len(text)
        return cls("".join(text for _, text in parts), tuple(segments))

    def segment_at(self, position: int) -> str | None:
        """The name of the segment that holds a character, None for template."""
        for name, start, end in self.segments:
            if start <= position < end:
                return name
        return None

    def names(self) -> tuple[str, ...]:
        """Names of segments, each once, in the order in which they stand."""
        return tuple(dict.fromkeys(name for name, _, _ in self.segments))

    @cached_property
    def words(self) -> tuple[Unit, ...]:
        """Words of all segments. Spaces belong to the word that follows them, so words cover a segment.

        They depend on the text of the segment alone: the same completion has the same words on either side.
        """
        return self._pieces(WORD)

    @cached_property
    def sentences(self) -> tuple[Unit, ...]:
        """Sentences and lines of all segments; each is a run of whole words."""
        return self._pieces(SENTENCE)

    def _pieces(self, pattern: re.Pattern[str]) -> tuple[Unit, ...]:
        return tuple(
            Unit(
                self.text[start + match.start() : start + match.end()],
                start + match.start(),
                start + match.end(),
                name,
            )
            for name, start, end in self.segments
            for match in pattern.finditer(self.text[start:end])
        )


def groups(units: Sequence[Unit], larger: Iterable[Unit]) -> list[list[int]]:
    """For each larger unit the indices of the units (tokens, say) that belong to it.

    A unit belongs where its first character that is no space lies, so a token across two words counts once.
    """
    wholes = list(larger)
    members: list[list[int]] = [[] for _ in wholes]
    at = 0
    for index, unit in enumerate(units):
        if not unit.text and unit.segment is None:
            continue  # a token that a tokenizer has added
        anchor = unit.start + len(unit.text) - len(unit.text.lstrip())
        anchor = min(anchor, max(unit.end - 1, unit.start))
        while at < len(wholes) and wholes[at].end <= anchor:
            at += 1
        if at < len(wholes) and wholes[at].start <= anchor:
            members[at].append(index)
    return members
