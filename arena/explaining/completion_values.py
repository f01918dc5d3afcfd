"""A model's own answer as a value function over the words of its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from arena.config import AnyModel
from arena.engine import ReplyCache
from arena.errors import ConfigError
from arena.explaining.judge_values import Seen, ValueCache, cached_value, chat_text
from arena.serving import model_clients
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
        raise ConfigError(
            f"answer {side.upper()} of {author} is empty. Explain the other answer or another battle."
        )
    messages = _conversation(pair, earlier)
    contents = [
        ("prompt" if message is messages[-1] else "earlier", message["content"].strip()) for message in messages
    ]
    prompt = Prompt.from_text(chat_text(lm, messages), contents)
    target = lm.answer(prompt, text)
    identity = {"model": model_clients.identity(judge), "dtype": lm.dtype, "explained": f"log p({text})"}
    value = cached_value(target.masked(), prompt, ValueCache(identity, judge.name, reply_cache, seen))
    without = float(value(np.zeros((1, len(prompt.words)), dtype=bool))[0])
    notes = (
        () if author == judge.name else (f"{author} wrote this answer; its probability is that of {judge.name}",)
    )
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
