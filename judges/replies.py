"""Parsing of a judge's reply: an exact verdict, or `Unparsable` with the reason; never a tie or a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from judges.visible_text import has_visible_text


class Reason(StrEnum):
    """Why no verdict could be read."""

    EMPTY = "empty"  # the reply has no text
    NONE = "no verdict"  # text without the form that the protocol prescribes
    SEVERAL = "several verdicts"  # contradictory verdicts: one may be quoted from a completion
    TRUNCATED = "truncated"  # cut off before its end
    REFUSED = "refused"  # the judge declined to judge
    MISSING = "no reply"  # the call failed
    OUT_OF_RANGE = "out of range"  # the prescribed form with a value outside the protocol


@dataclass(frozen=True)
class Unparsable:
    """A reply without a readable verdict."""

    reason: Reason


def reply_text(reply: Mapping[str, Any]) -> str | Unparsable:
    """The text of a chat completion body after any thinking, or why it is unusable.

    `finish_reason` "length" is TRUNCATED; "content_filter", or a `refusal`, is REFUSED.
    """
    choice = reply["choices"][0]
    message = choice["message"]
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        return Unparsable(Reason.REFUSED)
    if choice.get("finish_reason") == "length":
        return Unparsable(Reason.TRUNCATED)
    return without_thinking(message.get("content") or "")


def without_thinking(text: str) -> str | Unparsable:
    """`text` without a leading `<think>…</think>`. Unclosed thinking is TRUNCATED, no text is EMPTY.

    Some servers drop the opening tag and keep the closing one. Only a leading block is thinking: a later tag
    may be quoted from a completion, and the text before it still counts.
    """
    words = text.strip()
    if not has_visible_text(words):
        return Unparsable(Reason.EMPTY)
    if words.startswith("<think>") or ("</think>" in words and "<think>" not in words):
        _, closed, words = words.partition("</think>")
        if not closed:
            return Unparsable(Reason.TRUNCATED)
    return words.strip() if has_visible_text(words) else Unparsable(Reason.EMPTY)


def only(values: Sequence[str]) -> str | Unparsable:
    """The only distinct value; a repeated value is one verdict, two values are SEVERAL."""
    if not values:
        return Unparsable(Reason.NONE)
    return values[0] if len(set(values)) == 1 else Unparsable(Reason.SEVERAL)


def exactly_one(pattern: re.Pattern[str], text: str | None) -> str | Unparsable:
    """The group of a pattern's only match; a second match is SEVERAL even if it is equal."""
    words = without_thinking(text or "")
    if isinstance(words, Unparsable):
        return words
    matches = pattern.findall(words)
    if len(matches) > 1:
        return Unparsable(Reason.SEVERAL)
    return only(matches)
