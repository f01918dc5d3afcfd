"""A model's own answer as a value function over the words of its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from arena.config import AnyModel
from arena.engine import ReplyCache
from arena.explaining.judge_values import Seen, ValueCache, cached_value
from arena.explaining.notes import OTHER_AUTHOR
from arena.explaining.prompts import chat_prompt, place
from arena.explaining.refusals import ExplanationRefused
from arena.serving import local_weights
from interp import Prompt, Value
from judges import Pair

if TYPE_CHECKING:
    from interp import CausalLM, Target


@dataclass(frozen=True)
class CompletionValue:
    """The answer of one side, and the gain in its log-probability as a function of the kept words of the prompt."""

    side: str
    text: str
    prompt: Prompt
    value: Value
    target: Target
    notes: tuple[str, ...] = ()


def completion_value(
    judge: AnyModel, pair: Pair, side: str, lm: CausalLM, reply_cache: ReplyCache, seen: Seen
) -> CompletionValue:
    """The answer of side "a" or "b" for a model with local weights.

    The value is log p(answer | the kept words) less the same without any word. Raises `ConfigError`,
    `InterpError`.
    """
    author, text, earlier = (
        (pair.model_a, pair.completion_a, pair.earlier_a)
        if side == "a"
        else (pair.model_b, pair.completion_b, pair.earlier_b)
    )
    if not text.strip():
        raise ExplanationRefused(
            "answer {side} of {author} is empty. Explain the other answer or another battle.",
            side=side.upper(),
            author=author,
        )
    messages = _conversation(pair, earlier)
    places = [
        place(
            "prompt" if message is messages[-1] else "earlier",
            number,
            message["content"],
            0,
            len(message["content"]),
        )
        for number, message in enumerate(messages)
    ]
    prompt = chat_prompt(lm, messages, places)
    target = lm.answer(prompt, text)
    identity = {"model": local_weights.identity(judge), "dtype": lm.dtype, "explained": f"log p({text})"}
    value = cached_value(target.masked(), prompt, ValueCache(identity, judge.name, reply_cache, seen))
    without = float(value(np.zeros((1, len(prompt.words)), dtype=bool))[0])
    notes = () if author == judge.name else (OTHER_AUTHOR.format(author=author, judge=judge.name),)
    return CompletionValue(side, text, prompt, lambda masks: value(masks) - without, target, notes)


def _conversation(pair: Pair, earlier: Sequence[str]) -> list[dict[str, str]]:
    """The messages of the prompt with the model's own earlier answers between them."""
    answers = iter(earlier)
    messages: list[dict[str, str]] = []
    for message in pair.messages:
        if messages and messages[-1]["role"] == message["role"] == "user":
            messages.append({"role": "assistant", "content": next(answers, "")})
        messages.append({"role": str(message["role"]), "content": str(message["content"])})
    return messages
