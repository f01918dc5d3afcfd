"""Prompts of chat messages whose segments stand where the template put them, whatever the texts are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.explaining.refusals import ExplanationRefused
from interp import Prompt

if TYPE_CHECKING:
    from interp import CausalLM

PART = "\n\n\x1e\n"  # between messages; no text contains a record separator
MARK = re.compile("\ue000(\\d+)\ue001")  # stands for the content of a message; private use, so in no template

Message = Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """A segment of content in the text of a message."""

    segment: str
    message: int
    start: int
    end: int


def place(segment: str, message: int, text: str, start: int, end: int) -> Place:
    """The place of `text[start:end]` without the spaces around it, which a chat template may remove."""
    value = text[start:end]
    start += len(value) - len(value.lstrip())
    return Place(segment, message, start, start + len(value.strip()))


def joined_prompt(messages: Sequence[Message], places: Sequence[Place]) -> Prompt:
    """The texts of the messages with `PART` between them."""
    offsets, position = [], 0
    for number, message in enumerate(messages):
        offsets.append((number, position))
        position += len(message["content"]) + len(PART)
    return _prompt(PART.join(message["content"] for message in messages), offsets, places)


def chat_prompt(lm: CausalLM, messages: Sequence[Message], places: Sequence[Place]) -> Prompt:
    """The messages in the chat template of a model. Raises `ExplanationRefused` for a template that changes the texts.

    The template is rendered twice, with the texts and with a mark for each: what stands between the marks is template.
    """
    text = chat_text(lm, messages)
    marked = chat_text(
        lm, [{**message, "content": f"\ue000{number}\ue001"} for number, message in enumerate(messages)]
    )
    offsets = _offsets(text, MARK.split(marked), [message["content"] for message in messages])
    if offsets is None:
        raise ExplanationRefused(
            "{model}: its chat template changes the texts that it is given, so their words cannot be told from the "
            "template. Set chat_template, a Jinja template, in its settings.",
            model=lm.name,
        )
    return _prompt(text, offsets, places)


def chat_text(lm: CausalLM, messages: Sequence[Message]) -> str:
    """The messages in the chat template of a model. Raises `ExplanationRefused` for a model without one."""
    if not lm.tokenizer.chat_template:
        raise ExplanationRefused(
            "{model} has no chat template. Set chat_template, a Jinja template, in its settings.", model=lm.name
        )
    messages = [dict(message) for message in messages]
    text: str = lm.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


def _offsets(text: str, parts: Sequence[str], contents: Sequence[str]) -> list[tuple[int, int]] | None:
    """(message, where its text would begin if nothing was removed before it); None where the text is another one.

    `parts` are the template before the first text, the number of a message, the template behind it, and so on.
    """
    offsets, position = [], len(parts[0])
    if not text.startswith(parts[0]):
        return None
    for number, behind in zip(map(int, parts[1::2]), parts[2::2], strict=True):
        for begun, content in _trimmed(contents[number]):
            if text.startswith(content + behind, position):
                offsets.append((number, position - begun))
                position += len(content) + len(behind)
                break
        else:
            return None
    return offsets if position == len(text) else None


def _trimmed(content: str) -> Iterator[tuple[int, str]]:
    """The content as it is and without spaces at its ends, with the number of characters removed at its beginning."""
    begun = len(content) - len(content.lstrip())
    yield 0, content
    yield begun, content.strip()
    yield 0, content.rstrip()
    yield begun, content.lstrip()


def _prompt(text: str, offsets: Iterable[tuple[int, int]], places: Sequence[Place]) -> Prompt:
    segments = [
        (place.segment, offset + place.start, offset + place.end)
        for number, offset in offsets
        for place in places
        if place.message == number and place.end > place.start
    ]
    return Prompt(text, tuple(sorted(segments, key=lambda segment: segment[1])))
