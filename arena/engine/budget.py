"""Cost of calls, and the limit on it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.endpoints import size_limits
from arena.endpoints.endpoint import Reply, Request

# UTF-8 bytes per token of ordinary text, low so that estimates are rather too high than too low: English has about
# 4, code and other scripts have fewer.
BYTES_PER_TOKEN = 3.0
DEFAULT_COMPLETION = 1024  # tokens, where a request sets no limit

# No tokenizer of bytes makes more tokens than bytes, and digits, rare letters and rare scripts come close to it.
# Two of three: no run of up to three of these characters, repeated, is more tokens than that for SmolLM2.
COMMON = b"acdehilmnoprstu "
TOKENS_PER_COMMON = 2 / 3
TEMPLATE = 48  # tokens that the template of a chat adds to a request: its marks, and a short system prompt
MESSAGE = 16  # tokens that it adds to each message
# Tokens of an image of at most 2048 x 2048 pixels. Qwen2-VL has the most of the usual models: one token for 28 x 28
# pixels and two marks (arXiv:2409.12191, section 2.1), which is 74 x 74 + 2. Claude has width x height / 750, scaled
# down to about 1,600; GPT-4o 85 + 170 for each of at most 8 tiles, 1,445.
IMAGE_TOKENS = 5_478
# Characters per token that no ordinary text exceeds: a server that reports fewer tokens than this reports nothing.
MOST_CHARACTERS_PER_TOKEN = 8
IMPLAUSIBLE = 10  # times the most of a call: a report above this is wrong; below it, a server has its own prompt


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    prompt: float
    completion: float

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


def estimated_tokens(body: Request) -> tuple[int, int]:
    """The expected prompt tokens and the most completion tokens of a request, without its tokenizer."""
    if "messages" not in body:  # a log-likelihood: nothing is written
        return round(len(_bytes(_scored(body))) / BYTES_PER_TOKEN) + 1, 1
    messages = body["messages"]
    size = len(_bytes(json.dumps(_without_images(messages), ensure_ascii=False)))
    return round(size / BYTES_PER_TOKEN) + 8 + IMAGE_TOKENS * image_count(messages), _completion_limit(
        body, DEFAULT_COMPLETION
    )


def most_tokens(body: Request) -> tuple[int, int]:
    """The most (prompt, completion) tokens of a request with any text and any tokenizer: what a budget reserves."""
    if "messages" not in body:
        return most_of_text(_scored(body)) + 1, 1
    messages = body["messages"]
    prompt = sum(MESSAGE + most_of_text(_content(message)) for message in messages)
    prompt += IMAGE_TOKENS * image_count(messages)
    nested = (value for name, value in body.items() if name != "messages" and isinstance(value, dict | list))
    schemas = sum(len(_bytes(json.dumps(value, ensure_ascii=False))) for value in nested)
    return TEMPLATE + prompt + schemas, _completion_limit(body, size_limits.TOKENS)


def most_of_text(text: str) -> int:
    """The most tokens of a text with any tokenizer of bytes."""
    data = _bytes(text)
    rare = len(data.translate(None, COMMON))
    return rare + math.ceil((len(data) - rare) * TOKENS_PER_COMMON)


def used_tokens(body: Request, reply: Reply) -> tuple[int, int]:
    """(prompt, completion) tokens of a reply as it reports them; the most where it reports none that is possible."""
    usage = reply.get("usage") or {}
    most = most_tokens(body)
    prompt = _content(body["messages"]) if "messages" in body else _scored(body)
    return (
        _used(usage.get("prompt_tokens"), prompt, most[0]),
        _used(usage.get("completion_tokens"), _written(reply), most[1]),
    )


def _used(reported: int | None, text: str, most: int) -> int:
    return plausible_tokens(reported, math.ceil(len(text) / MOST_CHARACTERS_PER_TOKEN), most, IMPLAUSIBLE * most)


def plausible_tokens(reported: int | None, least: int, unreported: int, most: int) -> int:
    """The tokens that a server reports, up to `most`; `unreported` without a report, or with one below `least`."""
    return unreported if reported is None or reported < least else min(int(reported), most)


def _completion_limit(body: Request, without: int) -> int:
    """The most completion tokens of all choices; `without` where the request sets no limit."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or without
    return (int(limit) if limit > 0 else without) * int(body.get("n") or 1)


def _scored(body: Request) -> str:
    """The text of a log-likelihood."""
    return "".join(str(body.get(name, "")) for name in ("context", "continuation", "text"))


def image_count(messages: Any) -> int:
    """The number of image parts in messages."""
    return sum(
        sum(map(_is_image, content))
        for message in messages
        if isinstance(content := message.get("content"), list | tuple)
    )


def _is_image(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "image_url"


def _without_images(messages: Any) -> Any:
    """The messages without the contents of images."""
    if not image_count(messages):
        return messages
    return [{**message, "content": _content(message.get("content"))} for message in messages]


def _content(value: Any) -> str:
    """All texts of a message, a list of them, or a part of one. An image has none."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        if _is_image(value):
            return ""
        return "".join(_content(inner) for inner in value.values())
    return "".join(map(_content, value)) if isinstance(value, list | tuple) else ""


def _written(reply: Reply) -> str:
    """The text of the first choice, as far as the reply has one."""
    choices = reply.get("choices")
    message = choices[0].get("message") if isinstance(choices, list) and choices else None
    return _content(message.get("content")) if isinstance(message, Mapping) else ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@dataclass
class Budget:
    """A limit in USD. A call begins only if the limit holds even if it and all running calls cost the most."""

    most: float | None = None
    spent: float = 0.0
    reserved: float = 0.0

    def reserve(self, amount: float) -> bool:
        """Whether a call that costs at most `amount` may begin."""
        if self.most is not None and self.spent + self.reserved + amount > self.most:
            return False
        self.reserved += amount
        return True

    def settle(self, reserved: float, cost: float) -> None:
        """Replace the reservation of a finished call by its cost."""
        self.reserved -= reserved
        self.spent += cost
