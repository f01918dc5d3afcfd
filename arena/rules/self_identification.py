"""Where a text speaks of its own author: “I am …”, “我是由…开发的”, “développé par …”, in six languages and in records.

A name that is also an ordinary word (Gemma, Claude, Google) identifies the model only there. `arena.rules.author_phrases`
has the phrases, `arena.rules.author_slots` the expressions; both are for folded text (`arena.rules.folded_text`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum

from arena.rules.author_signs import REACH
from arena.rules.author_slots import (
    A_NOUN,
    AFTER_MAKER,
    AFTER_MODEL,
    ARTICLE,
    AS_AUTHOR,
    AUTHOR,
    AUTHORLESS,
    HEADER,
    MAKER_SLOTS,
    MAKER_WORD,
    ONLY_PUNCTUATION,
    PLACE,
    SENTENCE_END,
    SENTENCE_START,
    SLOTS,
    SPEAKING,
    TOPICAL,
)
from arena.rules.folded_text import SOFT

SENTENCE = 160  # characters from “I am” to the slot


class Slot(Enum):
    """What a phrase says about the name after it."""

    FULL = "a model or its maker"
    MODEL = "a model"
    ARTICLE = "a model, if a word such as model follows: I am a llama"
    AS = "a model, if the author follows: as Claude, I"
    TOPIC = "a model or its maker, if a verb or particle follows that says so: 私はGoogleで"


@dataclass
class SelfIdentification:
    """The slots and sentences of one folded text; the first `lead` characters stand before the block."""

    text: str
    lead: int = 0

    def __post_init__(self) -> None:
        self._slots = [(match.start(), match.end(), self._kind(match)) for match in SLOTS.finditer(self.text)]
        self._makers = [(match.start(), match.end()) for match in MAKER_SLOTS.finditer(self.text)]
        self._authors = [match.start() for match in AUTHOR.finditer(self.text)]
        self._ends = [match.start() for match in SENTENCE_END.finditer(self.text)]

    def before(self, start: int, organisation: bool, named: int) -> bool:
        """Whether the text before `start` says that a name there is the author's.

        `named` is where the last name of a model ends that is masked.
        """
        slot = self._slot(start)
        if slot in (Slot.FULL, Slot.MODEL):
            return not organisation or (slot is Slot.FULL and not self._is_a_place(start))
        index = bisect_left(self._makers, (start,)) - 1
        if index < 0 or start > self._makers[index][1] or ARTICLE.search(self.text, max(0, start - 8), start):
            return False
        return self._is_about_author(self._makers[index][0], named)

    def after(self, start: int, end: int, organisation: bool) -> bool:
        """Whether the text after a name, with the slot before it, says that it is the author's."""
        reach, slot = end + REACH, self._slot(start)
        if slot is Slot.TOPIC and TOPICAL.match(self.text, end, reach):
            return True
        if AFTER_MAKER.match(self.text, end, reach):
            return True
        if organisation:
            return False
        if slot is Slot.ARTICLE and (self.text[end - 1] == "s" or A_NOUN.match(self.text, end, reach)):
            return True
        if slot is Slot.AS and AS_AUTHOR.match(self.text, end, reach):
            return True
        return bool(AFTER_MODEL.match(self.text, end, reach)) or self._is_here(start, end)

    def is_same_sentence(self, start: int, end: int) -> bool:
        """Whether no sentence ends between the two places."""
        index = bisect_left(self._ends, start)
        return index == len(self._ends) or self._ends[index] >= end

    def begins_with_author(self, start: int) -> bool:
        """Whether “I am” stands before `start` in its sentence."""
        return self._is_about_author(start, -1)

    def is_alone(self, start: int, end: int) -> bool:
        """Whether the name is the whole text."""
        return bool(ONLY_PUNCTUATION.match(self.text, end)) and not self.text[self.lead : start].strip(
            f"{SOFT}\"'( \n"
        )

    def is_header(self, start: int, end: int) -> bool:
        """X: Hello, at the start of the text."""
        return bool(HEADER.match(self.text, end, end + REACH)) and not self.text[self.lead : start].strip(
            f"{SOFT}\"'(# \n"
        )

    def _is_here(self, start: int, end: int) -> bool:
        """X here, at the start of a sentence."""
        follows = SPEAKING.match(self.text, end, end + REACH)
        return bool(follows and SENTENCE_START.search(self.text, max(0, start - 40), start))

    def _slot(self, start: int) -> Slot | None:
        """The slot that a name at `start` is in; a name may be made of words that a phrase may have, too."""
        index = bisect_left(self._slots, (start,)) - 1
        if index < 0 or start > self._slots[index][1]:
            return None
        kind = self._slots[index][2]
        is_article = kind is not Slot.TOPIC and ARTICLE.search(self.text, max(0, start - 8), start)
        return Slot.ARTICLE if is_article else kind

    def _is_a_place(self, start: int) -> bool:
        """Whether the phrase says where the author is, not whose: I am at Google."""
        phrase = self.text[self._slots[bisect_left(self._slots, (start,)) - 1][0] : start]
        return bool(PLACE.search(phrase)) and not MAKER_WORD.search(phrase)

    def _kind(self, match: re.Match[str]) -> Slot:
        if match["topic"]:
            return Slot.TOPIC
        if match["plural"]:
            return Slot.ARTICLE
        if match[0].strip(f"{SOFT} \"'(") == "as":
            return Slot.AS
        return Slot.FULL if match["full"] else Slot.MODEL

    def _is_about_author(self, phrase: int, named: int) -> bool:
        """Whether “I am” or a masked name stands before the phrase in its sentence, or the phrase begins the text."""
        index = bisect_left(self._ends, phrase) - 1
        sentence = max(self._ends[index] if index >= 0 else -1, phrase - SENTENCE)
        author = bisect_left(self._authors, phrase) - 1
        if named > sentence or (author >= 0 and self._authors[author] > sentence):
            return True
        begins_block = sentence < self.lead and not self.text[sentence + 1 : self.lead].strip()
        before = self.text[self.lead : phrase].strip(f"{SOFT} \"'\n") if begins_block else "."
        return not before or bool(AUTHORLESS.fullmatch(f" {before}"))
