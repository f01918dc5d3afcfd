"""Checks of a voter's prompt: not empty, within the length limit, without control characters."""

from __future__ import annotations

import re

from arena.rules.refusals import Refusal
from judges.visible_text import has_visible_text

# C0 and C1 controls except tab and line feed (PostgreSQL refuses NUL), and direction overrides; the marks and
# isolates of right-to-left scripts are kept
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class PromptRejected(Refusal):
    """The prompt cannot be sent. The text is for the voter."""


def clean(text: str) -> str:
    """The text with Unix line endings, without control characters and lone surrogates, which UTF-8 cannot encode."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def checked_prompt(text: str, limit: int) -> str:
    """The cleaned prompt. Raises `PromptRejected`."""
    prompt = clean(text).strip()
    if not has_visible_text(prompt):
        raise PromptRejected("Type a prompt first.", code="prompt_empty")
    if len(prompt) > limit:
        raise PromptRejected(
            "This prompt has {characters:,} characters; at most {limit:,} are allowed. Shorten it.",
            code="prompt_too_long",
            characters=len(prompt),
            limit=limit,
        )
    return prompt
