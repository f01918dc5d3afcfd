"""What a judge's reply says: read exactly, or `Unparsable` with the reason. Never a tie and never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why no verdict could be read."""

    EMPTY = "empty"  # the reply has no text
    NONE = "no verdict"  # text, but nothing in it has the agreed form
    SEVERAL = "several verdicts"  # verdicts that contradict each other: one may be the candidate's own words
    TRUNCATED = "truncated"  # cut off before its end
    REFUSED = "refused"  # the judge would not judge
    MISSING = "no reply"  # the call failed: there is nothing to read
    OUT_OF_RANGE = "out of range"  # the form is right and the value is not one of the protocol's


@dataclass(frozen=True)
class Unparsable:
    """A reply that no verdict was read from."""

    reason: Reason


def reply_text(reply: Mapping[str, Any]) -> str | Unparsable:
    """The words of a chat completion body after any thinking, or why they do not count.

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
    """`text` less a leading `<think>…</think>`. A thought that never ends is TRUNCATED, no text is EMPTY.

    Some servers drop the opening tag and keep the closing one. Only the start is thinking: a tag later in the
    text may be quoted from a completion, and what stands before it still counts.
    """
    words = text.strip()
    if not words:
        return Unparsable(Reason.EMPTY)
    if words.startswith("<think>") or ("</think>" in words and "<think>" not in words):
        _, closed, words = words.partition("</think>")
        if not closed:
            return Unparsable(Reason.TRUNCATED)
    return words.strip() or Unparsable(Reason.EMPTY)


def only(found: Sequence[str]) -> str | Unparsable:
    """The one value in `found`; the same value said twice is one verdict, two values are SEVERAL."""
    values = set(found)
    if not values:
        return Unparsable(Reason.NONE)
    return found[0] if len(values) == 1 else Unparsable(Reason.SEVERAL)


def exactly_one(pattern: re.Pattern[str], text: str | None) -> str | Unparsable:
    """The group of a pattern's only match; a second match is SEVERAL even if it says the same."""
    words = without_thinking(text or "")
    if isinstance(words, Unparsable):
        return words
    found = pattern.findall(words)
    if len(found) > 1:
        return Unparsable(Reason.SEVERAL)
    return only(found)
