"""Signs in a text that its author is a model: “as an AI”, “my developers”, 言語モデル, a table of name and developer.

Near such a sign every capitalised name of a model or of its maker is masked. The signs are much wider than the phrases of
`arena.rules.author_phrases`: a mistake masks an ordinary word until the vote, a miss tells who wrote the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

from arena.rules.author_vocabulary import (
    ANNOUNCED,
    ANNOUNCED_WITHOUT_SPACES,
    FILLERS,
    KEYS,
    KEYS_WITHOUT_SPACES,
    MADE,
    SPOKEN,
    SPOKEN_WITHOUT_SPACES,
)
from arena.rules.folded_text import SOFT, fold_word

REACH = 96  # folded characters after a name that can show that it is the author's
SPACE = rf"(?:[\s{SOFT}]{{1,3}})"
WORD, EDGE = r"(?<![^\W_])", r"(?![^\W_])"
GAP = rf"[\s{SOFT}\"'(:,、>|-]{{0,8}}"


def _alternatives(text: str) -> str:
    """Alternatives, one a line, in folded letters; a space stands for any space or markup."""
    lines = (fold_word(line.strip()) for line in text.strip().splitlines())
    return "|".join(re.sub(" +", lambda _: SPACE, line) for line in lines)


SPEAKS = re.compile(rf"{WORD}(?:{_alternatives(SPOKEN)}){EDGE}|{_alternatives(SPOKEN_WITHOUT_SPACES)}")

ANNOUNCES = re.compile(
    rf"(?:{WORD}(?:{_alternatives(ANNOUNCED)}){EDGE}"
    rf"(?:{SPACE}(?:{fold_word(FILLERS)}){EDGE}){{0,10}}|(?:{_alternatives(ANNOUNCED_WITHOUT_SPACES)})){GAP}"
)

KEY = (
    rf"(?:{WORD}(?:{_alternatives(KEYS).replace(SPACE, rf'[_ {SOFT}-]')}){EDGE}"
    rf"|(?:{_alternatives(KEYS_WITHOUT_SPACES)}))"
)
VALUE_OF_KEY = re.compile(rf"{KEY}[\"'\s{SOFT}]{{0,3}}(?:[:=|→?]|->|=>|-(?=\s)){GAP}")
CELL = re.compile(
    rf"{KEY}[\"' {SOFT}]{{0,3}}(?=[:=|→])|(?:(?<=[|,;\t\n])|(?<=[|,;\t] )|\A)[\"'{SOFT}]?{KEY}[\"']?(?=[ {SOFT}]?[|,;\t\n])"
)
POLICY = re.compile(
    rf"{SOFT}?(?:'s?)?{SPACE}(?:(?:usage|content|safety|ai|acceptable|use|own|strict|internal){SPACE}){{0,3}}"
    rf"(?:guidelines?|polic(?:y|ies)|terms|rules|principles|constitution)(?![a-z])"
)
VALUE_START = re.compile(
    rf"(?:\A|[\n.!?:=|→>]|->)[\s{SOFT}\"'(#>|.-]*(?:\d{{1,2}}[.)]\s)?"
    rf"(?:(?:just|simply|only|sure|yes|no|well)[\s,!]+)?[\s{SOFT}\"'(]*\Z"
)
SENTENCE_START = re.compile(rf"(?:\A|[\n。])[\s{SOFT}]*\Z")
PARAGRAPH_START = re.compile(rf"(?:\A|\n\s*\n)[\s{SOFT}\"'(]*\Z")
PARAGRAPH_END = re.compile(rf"[{SOFT}\"').!。, \t]*(?:\n[ \t]*\n|\n?\Z)")
PASSIVE = re.compile(r"によって(?:開発|訓練|作成|学習)され(?:まし)?た")
VALUE_END = re.compile(rf"[{SOFT}\"')\] ]*(?:[!。|}}:>]|\.(?=[\s\"')]|\Z)|\n|\Z)|[\"'](?:[,\s]|\Z)")
ANSWER = re.compile(rf"[?？][\s{SOFT}\"'(]*(?:a:[\s{SOFT}]*)?\Z")
PAIR = re.compile(
    rf"{SOFT}?(?:'s{SPACE}|[\s{SOFT}\"'(),/|:;=>-]{{1,10}}(?:\d[.)]\s[\s{SOFT}]?)?)"
    rf"(?:{MADE}{SPACE})?(?:(?:by|from|at|of|de|par|von|da|por|developer|company|maker|creator){SPACE}?:?{SPACE}?)?"
    rf"(?:the{SPACE})?[{SOFT}\"']{{0,2}}"
)
PAIR_LENGTH = 40


@dataclass
class AuthorSigns:
    """The signs of one folded text."""

    text: str

    @cached_property
    def _speaks(self) -> list[int]:
        return [match.end() for match in SPEAKS.finditer(self.text)]

    @cached_property
    def _cells(self) -> list[int]:
        return [match.end() for match in CELL.finditer(self.text)]

    @cached_property
    def _slots(self) -> list[tuple[int, int]]:
        slots = [*ANNOUNCES.finditer(self.text), *VALUE_OF_KEY.finditer(self.text)]
        return sorted((match.start(), match.end()) for match in slots)

    def before(self, start: int) -> bool:
        """Whether a sign, two keys of a record, or a phrase that announces a name stands before a name."""
        if bisect_right(self._speaks, start) > 0 or bisect_right(self._cells, start) > 1:
            return True
        index = bisect_left(self._slots, (start,))
        return any(begin < start <= end for begin, end in self._slots[max(0, index - 3) : index])

    def after(self, end: int) -> bool:
        """Whether a sign, or “'s guidelines”, stands after a name."""
        return bool(SPEAKS.search(self.text, end, end + REACH) or POLICY.match(self.text, end, end + REACH))

    def is_value(self, start: int, end: int) -> bool:
        """Whether the name is a sentence, a line, a cell or a value of its own."""
        before = VALUE_START.search(self.text, max(0, start - 24), start)
        return bool(before and VALUE_END.match(self.text, end, end + REACH))

    def is_paragraph(self, start: int, end: int) -> bool:
        """Whether the name is a paragraph of its own."""
        begins = PARAGRAPH_START.search(self.text, max(0, start - 16), start)
        return bool(begins and PARAGRAPH_END.match(self.text, end, end + REACH))

    def is_passive(self, start: int, end: int) -> bool:
        """Whether the name is the maker in a sentence without a subject: Googleによって開発されました。"""
        begins = SENTENCE_START.search(self.text, max(0, start - 8), start)
        return bool(begins and PASSIVE.match(self.text, end, end + REACH))

    def is_answer(self, start: int, end: int) -> bool:
        """Whether the name is the answer to a question: Who made you? Google."""
        return bool(
            ANSWER.search(self.text, max(0, start - 16), start) and VALUE_END.match(self.text, end, end + REACH)
        )
