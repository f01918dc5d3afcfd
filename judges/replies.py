"""Parsing of a judge's reply: an exact verdict, or `Unparsable` with the reason; never a tie or a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from judges.thinking import end_of_thinking
from judges.visible_text import has_visible_text


class Reason(StrEnum):
    """Why no verdict could be read."""

    EMPTY = "empty"  # the reply has no text
    NONE = "no verdict"  # text without the form that the protocol prescribes
    SEVERAL = "several verdicts"  # contradictory verdicts: one may be quoted from a completion
    TRUNCATED = "truncated"  # cut off before its end
    REFUSED = "refused"  # the judge declined to judge
    MISSING = "no reply"  # the call failed
    NOT_ASKED = "not asked"  # the budget, the deadline or the user ended the run before
    OUT_OF_RANGE = "out of range"  # the prescribed form with a value outside the protocol


# finish reasons of a reply that was cut off at a token limit, as servers spell them
CUT_OFF = {
    "length",
    "max_tokens",
    "max_output_tokens",
    "max_length",
    "model_length",
    "model_context_window_exceeded",
}
FILTERED = {"content_filter", "refusal", "safety"}
END_MARK = re.compile(
    r"(?:<\|[a-z_]{1,24}\|>|</s>|<end_of_turn>)$"
)  # a special token that a server left at the end
SHOWN_PARTS = (None, "text", "output_text")  # types of the parts of a message that are its text


@dataclass(frozen=True)
class Unparsable:
    """A reply without a readable verdict."""

    reason: Reason


def first_choice(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first choice of a chat completion body, or an empty one, whatever the shape of the body."""
    choices = reply.get("choices")
    first = choices[0] if isinstance(choices, list | tuple) and choices else None
    return first if isinstance(first, Mapping) else {}


def content_of(reply: Mapping[str, Any]) -> str:
    """The text of the first choice: a string, or its text parts joined. Parts of thinking are excluded."""
    message = first_choice(reply).get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    parts = content if isinstance(content, list | tuple) else [content]
    return "".join(map(_shown, parts))


def _shown(part: object) -> str:
    if isinstance(part, Mapping):
        part = part.get("text") if part.get("type") in SHOWN_PARTS else ""
    return part if isinstance(part, str) else ""


def is_refusal(reply: Mapping[str, Any]) -> bool:
    """Whether the judge, or the server's filter, declined: a `refusal`, a part of this type, or `finish_reason`."""
    choice = first_choice(reply)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        return _finish(choice) in FILTERED
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else []
    refused = any(isinstance(part, Mapping) and part.get("type") == "refusal" for part in parts)
    return bool(message.get("refusal")) or refused or _finish(choice) in FILTERED


def is_cut_off(reply: Mapping[str, Any]) -> bool:
    """Whether the reply ended at a token limit."""
    return _finish(first_choice(reply)) in CUT_OFF


def _finish(choice: Mapping[str, Any]) -> str:
    return str(choice.get("finish_reason") or "").casefold()


def reply_text(reply: Mapping[str, Any]) -> str | Unparsable:
    """The text of a chat completion body after any thinking, or why it is unusable.

    A `finish_reason` such as "length" is TRUNCATED; "content_filter", or a `refusal`, is REFUSED.
    """
    if is_refusal(reply):
        return Unparsable(Reason.REFUSED)
    if is_cut_off(reply):
        return Unparsable(Reason.TRUNCATED)
    return without_thinking(content_of(reply))


def without_thinking(text: str) -> str | Unparsable:
    """`text` without leading thinking (`judges.thinking`). Unclosed thinking is TRUNCATED, no text is EMPTY."""
    if not has_visible_text(text):
        return Unparsable(Reason.EMPTY)
    end = end_of_thinking(text)
    if end is None:
        return Unparsable(Reason.TRUNCATED)
    words = END_MARK.sub("", text[end:].strip()).strip()
    return words if has_visible_text(words) else Unparsable(Reason.EMPTY)


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
