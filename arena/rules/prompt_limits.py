"""What a voter may send: text with something in it, of bearable length, without control characters."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls but tab and line feed; a NUL would also be refused by PostgreSQL
# and the overrides that turn the words after them round; the marks and isolates of right-to-left scripts stay
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class PromptRejected(Exception):
    """The text is for the voter."""


def clean(text: str) -> str:
    """Unix line ends, no control characters, no lone surrogates (UTF-8 could not hold them)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def _visible(character: str) -> bool:
    """Neither a space nor a mark of format, such as a zero-width joiner."""
    return unicodedata.category(character) not in ("Cf", "Cc", "Zs", "Zl", "Zp")


def accept(text: str, most: int) -> str:
    """The cleaned prompt. Raises `PromptRejected`."""
    prompt = clean(text).strip()
    if not any(map(_visible, prompt)):
        raise PromptRejected("Type a prompt first.")
    if len(prompt) > most:
        raise PromptRejected(
            f"This prompt has {len(prompt):,} characters; at most {most:,} are allowed. Shorten it."
        )
    return prompt
