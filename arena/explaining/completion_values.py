"""A model's own answer as a value over the words of its prompt: which of them it hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from arena.config import AnyModel
from arena.engine import ReplyCache
from arena.errors import ConfigError
from arena.explaining.judge_values import Memory, Seen, kept, rendered
from arena.serving import model_clients
from interp.masks import Value
from interp.prompt import Prompt
from judges import Pair

if TYPE_CHECKING:
    from interp.whitebox.causal_lm import CausalLM
    from interp.whitebox.target import Target


@dataclass(frozen=True)
class Answer:
    """The answer of one side, as a value over the words of the prompt: how much likelier the prompt makes it."""

    side: str
    text: str
    prompt: Prompt
    value: Value
    target: Target
    notes: tuple[str, ...] = ()


def read_answer(
    judge: AnyModel, pair: Pair, side: str, lm: CausalLM, reply_cache: ReplyCache, seen: Seen
) -> Answer:
    """The answer of side "a" or "b" as a model reads it whose weights are here.

    The value is log p(answer | the words that are kept) less the same without any. Raises `ConfigError`,
    `InterpError`.
    """
    wrote, text, earlier = (
        (pair.model_a, pair.completion_a, pair.earlier_a)
        if side == "a"
        else (pair.model_b, pair.completion_b, pair.earlier_b)
    )
    if not text.strip():
        raise ConfigError(f"answer {side.upper()} of {wrote} is empty: there is nothing to attribute")
    messages = _conversation(pair, earlier)
    contents = [("prompt" if one is messages[-1] else "earlier", one["content"].strip()) for one in messages]
    prompt = Prompt.found(rendered(lm, messages), contents)
    target = lm.answer(prompt, text)
    identity = {"model": model_clients.identity(judge), "dtype": lm.dtype, "explained": f"log p({text})"}
    value = kept(target.masked(), prompt, Memory(identity, judge.name, reply_cache, seen))
    without = float(value(np.zeros((1, len(prompt.words)), dtype=bool))[0])
    notes = (
        () if wrote == judge.name else (f"{wrote} wrote this answer; {judge.name} says how likely it finds it",)
    )
    return Answer(side, text, prompt, lambda masks: value(masks) - without, target, notes)


def _conversation(pair: Pair, earlier: Sequence[str]) -> list[dict[str, str]]:
    """What the model was told, with its own earlier answers between."""
    said = iter(earlier)
    messages: list[dict[str, str]] = []
    for message in pair.messages:
        if messages and messages[-1]["role"] == message["role"] == "user":
            messages.append({"role": "assistant", "content": next(said, "")})
        messages.append({"role": str(message["role"]), "content": str(message["content"])})
    return messages
