"""A category of a battle as a weighted sum of signs in its prompts, each a pattern that counts once.

Every pattern takes time in proportion to the text, whatever the text: a visitor writes it. No two parts of a pattern
that repeat without bound can match the same characters, and nothing that repeats starts at each of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INDENT = r"[^\S\n]*+"  # after ^, instead of \s*, which would cross all blank lines from each of them


@dataclass(frozen=True)
class Rule:
    """A category holds when the weights of the matching signs add up to one or more."""

    category: str
    signs: tuple[tuple[float, re.Pattern[str]], ...]

    def holds(self, text: str) -> bool:
        total = 0.0
        for weight, pattern in self.signs:
            if pattern.search(text):
                total += weight
            if total >= 1:
                return True
        return False


def sign(pattern: str) -> re.Pattern[str]:
    """A pattern without regard to letter case; ^ and $ are the ends of lines."""
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


# Letters of scripts without spaces may stand beside a word.
_BEFORE, _AFTER = r"(?<![^\W぀-ヿ㐀-鿿가-힣])", r"(?![^\W぀-ヿ㐀-鿿가-힣])"


def words(text: str) -> str:
    """The pattern of any of the words, apart by spaces: * is any ending, _ a space, and ideographs need no borders."""
    plain = [word for word in text.split() if word[0] < "⺀"]
    joined = [word for word in text.split() if word[0] >= "⺀"]
    inner = "|".join(
        re.escape(word).replace(r"\*", r"[^\W぀-ヿ㐀-鿿가-힣]*+").replace("_", r"\s") for word in plain
    )
    return "|".join(part for part in (rf"{_BEFORE}(?:{inner}){_AFTER}" if inner else "", "|".join(joined)) if part)
