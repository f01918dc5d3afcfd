"""Shapes that no model server should send: what a hostile or broken one does."""

from __future__ import annotations

import json
import random
from typing import Any

CHUNK = {
    "id": "c1",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}
WHOLE = {
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
            "logprobs": {"content": [{"token": "Hi", "logprob": -0.1, "top_logprobs": []}]},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}

ODD_USAGES = ["many", [1], 5, {"prompt_tokens": -1}, {"completion_tokens": True}, {"prompt_tokens": 10**30},
              {"completion_tokens": 1.5}, {"prompt_tokens": "3"}, {"completion_tokens": 2**31},
              {"prompt_tokens": {}}]  # fmt: skip
ODD_REASONS = [{"type": "stop"}, ["stop"], 5, True, "x" * 41, "stop\n2026-11-27 forged line", "stop\u0000", "fín",
               "error", "Error", "abort", "timeout"]  # fmt: skip
ODD_CONTENTS = [5, {"text": "Hi"}, [5], [["Hi"]], [{"type": "text"}], [{"type": "text", "text": 5}], [{"text": "Hi"}],
                [None], True]  # fmt: skip
ODD_CHOICES = [{"0": {}}, ["Hi"], "Hi", 5, [[]], [None], True, {"delta": {}}]


def odd_objects(text_holder: str) -> list[dict[str, Any]]:
    """Objects of which none is a chat completion; `text_holder` is `delta` in a stream and `message` in a reply.

    A whole reply is read without its odd usage.
    """
    text = {text_holder: {"content": "Hi"}}
    usages = ODD_USAGES if text_holder == "delta" else []
    return [
        *({"choices": choices} for choices in ODD_CHOICES),
        *({"choices": [{text_holder: holder, "finish_reason": "stop"}]} for holder in ("Hi", 5, ["Hi"], True)),
        *({"choices": [{text_holder: {"content": content}, "finish_reason": "stop"}]} for content in ODD_CONTENTS),
        *({"choices": [{**text, "finish_reason": reason}]} for reason in ODD_REASONS),
        *({"choices": [{**text, "finish_reason": "stop"}], "usage": usage} for usage in usages),
        {"error": {"message": "out of memory"}},
        {"error": "out of memory"},
        {"error": [1, 2]},
        {"object": "error", "message": "out of memory", "code": 500},
    ]


NOT_JSON = [
    "hello", "[1]", "5", "null", '"text"', "{", '{"choices": [}', "[" * 100_000, '{"a":' * 100_000, "{}{}",
    '{"usage": NaN}', '{"usage": {"prompt_tokens": Infinity}}', '{"usage": -Infinity}',
    '{"usage": {"prompt_tokens": ' + "9" * 5000 + "}}", "<html><body>Sign in</body></html>", "\ufeff", "\x00",
]  # fmt: skip


def random_value(draw: random.Random, depth: int = 0) -> Any:
    """Any JSON value, numbers and texts at the edges more often than by chance."""
    kind = draw.randrange(10 if depth < 3 else 7)
    match kind:
        case 0:
            return None
        case 1:
            return draw.choice([True, False])
        case 2:
            return draw.choice([0, -1, 1, 2**31, 2**63, 10**40, draw.randrange(1000)])
        case 3:
            return draw.choice([0.0, -0.5, 1e308, float("nan"), float("inf"), float("-inf"), draw.random()])
        case 4 | 5:
            return draw.choice(
                ["", "stop", "error", "text", "\ud800", "\u0000", "\u200b", "Hi", "data: x\n\n", "é" * 50]
            )
        case 6:
            return draw.choice([[], {}])
        case 7 | 8:
            return [random_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    names = (
        "choices",
        "delta",
        "message",
        "content",
        "finish_reason",
        "usage",
        "error",
        "type",
        "text",
        "logprobs",
        "x",
    )
    return {draw.choice(names): random_value(draw, depth + 1) for _ in range(draw.randrange(4))}


def mutated(template: dict[str, Any], draw: random.Random) -> str:
    """The template as JSON with one to three places changed, sometimes cut or with changed characters."""
    value = json.loads(json.dumps(template))
    for _ in range(draw.randint(1, 3)):
        _change(value, draw)
    text = json.dumps(value, ensure_ascii=draw.random() < 0.5)
    if draw.random() < 0.15:
        at = draw.randrange(len(text) + 1)
        text = draw.choice([text[:at], text[:at] + draw.choice('{}[]",:\\\n\r\0é') + text[at:], text * 2])
    return text


def _change(value: Any, draw: random.Random) -> None:
    """Replace, remove or add one place, anywhere in the value."""
    while True:
        if isinstance(value, dict) and value:
            key: Any = draw.choice(list(value))
        elif isinstance(value, list) and value:
            key = draw.randrange(len(value))
        else:
            return
        if isinstance(value[key], (dict, list)) and value[key] and draw.random() < 0.7:
            value = value[key]
            continue
        if isinstance(value, dict) and draw.random() < 0.2:
            del value[key]
        else:
            value[key] = random_value(draw)
        return
