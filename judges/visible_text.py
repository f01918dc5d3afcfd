"""Whether a reader sees anything of a text."""

from __future__ import annotations

import html
import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"})  # marks need a letter below them
# letters and symbols of Unicode that are drawn as nothing: Hangul fillers, the empty Braille pattern, a null note
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")


def has_visible_text(text: str) -> bool:
    """Whether the text has a character that is drawn, also after its HTML entities are resolved.

    >>> has_visible_text("\\u200b\\n\\u2060"), has_visible_text("&nbsp;"), has_visible_text("0")
    (False, False, True)
    """
    return any(map(_is_visible, unescaped(text) if "&" in text else text))


def unescaped(text: str) -> str:
    """The text with its HTML entities resolved."""
    try:
        return html.unescape(text)
    except ValueError:  # an entity with a number of thousands of digits, which no reader resolves
        return text


def _is_visible(character: str) -> bool:
    return character not in BLANK and unicodedata.category(character) not in UNSEEN
