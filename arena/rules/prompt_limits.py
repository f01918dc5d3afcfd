"""Checks of a voter's prompt: not empty, within the length limit, without control characters."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls except tab and line feed (PostgreSQL refuses NUL), and direction overrides; the marks and
# isolates of right-to-left scripts are kept
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class PromptRejected(Exception):
    """The prompt cannot be sent. The text is for the voter."""


def clean(text: str) -> str:
    """The text with Unix line endings, without control characters and lone surrogates, which UTF-8 cannot encode."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def _visible(character: str) -> bool:
    """Whether a character is neither a space nor a format character such as a zero-width joiner."""
    return unicodedata.category(character) not in ("Cf", "Cc", "Zs", "Zl", "Zp")


def checked_prompt(text: str, limit: int) -> str:
    """The cleaned prompt. Raises `PromptRejected`."""
    prompt = clean(text).strip()
    if not any(map(_visible, prompt)):
        raise PromptRejected("Type a prompt first.")
    if len(prompt) > limit:
        raise PromptRejected(
            f"This prompt has {len(prompt):,} characters; at most {limit:,} are allowed. Shorten it."
        )
    return prompt
