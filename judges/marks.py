"""Marks that close a judge's reply, such as [[A]] or [[7]], in the spellings that mean the same.

Full-width letters and brackets of a Chinese keyboard, HTML entities and Markdown's escapes are the plain mark. A
mark that the text denies ("not [[A]]") is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from judges.replies import Reason, Unparsable, only, without_thinking
from judges.visible_text import unescaped

AROUND = r"[\s*_`\"']{0,6}"  # what judges write inside the brackets around the verdict
NUMBER = r"(\d{1,3}(?:\.\d{1,3})?)"
OF_TEN = r"(?: ?/ ?10(?:\.0)?| ?分)?"
BRACKETS = str.maketrans(
    {"≫": ">>", "≪": "<<", "【": "[", "】": "]", "〚": "[[", "〛": "]]", "⟦": "[[", "⟧": "]]"}
)
ESCAPED = re.compile(r"\\([\[\]])")
DENIED = re.compile(
    r"(?:\b(?:not|neither|nor|never)|n['’]t|不是|并非|而非|不选|不应该?是)"
    r"(?: (?:be|say|choose|pick|select|prefer|give|vote for|go with))?[\s*_:：\"']{0,6}\Z",
    re.IGNORECASE,
)
DENIED_AFTER = re.compile(
    r"[\s*_\"']{0,6}(?:(?:is|was|would be|seems)\s+(?:not|wrong|incorrect)\b|不是|不对|是错)", re.IGNORECASE
)
BEFORE = 32  # characters before a mark in which a denial is looked for


def plain_text(text: str) -> str:
    """The text with full-width signs, entities and escapes as the plain signs, without spaces around it."""
    text = unescaped(text) if "&" in text else text
    return ESCAPED.sub(r"\1", unicodedata.normalize("NFKC", text).translate(BRACKETS)).strip()


def marked(
    pattern: re.Pattern[str], reply: str | None, normal: Callable[[str], str] = str.upper
) -> str | Unparsable:
    """The only distinct group of the pattern's matches after any thinking; `normal` makes equal ones equal."""
    words = without_thinking(reply or "")
    if isinstance(words, Unparsable):
        return words
    text = plain_text(words)
    found = list(pattern.finditer(text))
    if any(_is_denied(text, mark) for mark in found):
        return Unparsable(Reason.NONE) if len(found) == 1 else Unparsable(Reason.SEVERAL)
    return only([normal(mark[1]) for mark in found])


def _is_denied(text: str, mark: re.Match[str]) -> bool:
    before = text[max(0, mark.start() - BEFORE) : mark.start()]
    return bool(DENIED.search(before) or DENIED_AFTER.match(text, mark.end()))
