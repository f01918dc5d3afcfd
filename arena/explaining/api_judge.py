"""A judge behind an API as a value: a text with words left out is one request, its log-probabilities the answer.

f = log p(A) - log p(B)  of the verdict's one token, over the spellings of either letter
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from arena.config import AnyModel
from arena.engine import Budget, Call, CallResult, Engine, ReplyCache, Status
from arena.errors import ConfigError, WorkFailed
from arena.explaining.judge_values import AT_ONCE, Order, Reading, Seen, Texts, left, orders
from arena.serving import model_clients
from interp.blackbox.swapped_orders import SwappedOrders, matching_units
from interp.errors import InterpError
from interp.masks import Floats, Value
from interp.prompt import Prompt
from judges import Pair, Unparsable
from judges.replies import Reason
from judges.tokens import of_tokens

PART = "\n\n\x1e\n"  # between messages; a record separator is no text that anybody writes
CERTAIN = 1e-9  # of a letter that is not among the alternatives: a contrast of 20.7, beyond what any API tells


class JudgeFailed(WorkFailed):
    """Calls to the judge failed; those that did not are in the journal."""


@contextmanager
def calls(
    judge: AnyModel, pair: Pair, template: str | None, reply_cache: ReplyCache, budget: float | None, seen: Seen
) -> Iterator[Reading]:
    """The battle as a judge reads it that only answers. Raises `ConfigError`; its values `JudgeFailed`."""
    made = orders(judge, pair, template)
    target = model_clients.target(judge)
    engine = Engine({judge.name: target}, reply_cache, Budget(budget))
    with asyncio.Runner() as runner:  # one loop for all calls: the endpoint's connections belong to it
        try:
            prompts = [Prompt.found(_joined(one), one.contents) for one in made]
            texts = [_texts(runner, engine, judge.name, target.identity, one, seen) for one in made]
            first, second = (_value(*each) for each in zip(prompts, texts, strict=True))
            exchange = SwappedOrders(first, second, matching_units(prompts[0].words, prompts[1].words))
        except InterpError as problem:
            raise ConfigError(f"{judge.name}: {problem}") from problem
        try:
            yield Reading((prompts[0], prompts[1]), exchange, (texts[0], texts[1]))
        finally:
            runner.run(target.endpoint.close())


def _joined(order: Order) -> str:
    return PART.join(message["content"] for message in order.body["messages"])


def _value(prompt: Prompt, texts: Texts) -> Value:
    return lambda masks: texts([left(prompt, mask) for mask in masks])


def _texts(
    runner: asyncio.Runner, engine: Engine, name: str, identity: Mapping[str, Any], order: Order, seen: Seen
) -> Texts:
    """f of whole texts, each one call."""
    roles = [message["role"] for message in order.body["messages"]]

    def body(text: str) -> dict[str, Any]:
        parts = text.split(PART)
        messages = [{"role": role, "content": part} for role, part in zip(roles, parts, strict=True)]
        return {**order.body, "messages": messages}

    def value(texts: Sequence[str]) -> Floats:
        bodies = [body(text) for text in texts]
        asks = [Call(model_clients.key(identity, one), name, one, unreadable) for one in bodies]
        found: list[float] = []
        for start in range(0, len(asks), AT_ONCE):
            found += runner.run(_asked(engine, asks[start : start + AT_ONCE]))
            seen(len(asks[start : start + AT_ONCE]))
        return np.array(found)

    return value


async def _asked(engine: Engine, asks: Sequence[Call]) -> list[float]:
    answers: dict[int, CallResult] = {}
    async for answered in engine.run(asks):
        answers[answered.number] = answered
    failed = [one for one in answers.values() if one.status is not Status.OK]
    if failed:
        raise JudgeFailed(
            f"{len(failed)} of {len(asks)} calls of {asks[0].model} failed: {failed[0].status}: "
            f"{failed[0].detail or 'no detail'}; type the same command again: what was answered is kept"
        )
    return [contrast(answers[number].reply or {}) for number in range(len(asks))]


def unreadable(reply: Mapping[str, Any]) -> Unparsable | None:
    """A reply without log-probabilities of its first token, or without either letter among them."""
    content = (reply["choices"][0].get("logprobs") or {}).get("content")
    if not content:
        return Unparsable(Reason.EMPTY)
    found = of_tokens(content[0].get("top_logprobs") or content[:1])
    return found if isinstance(found, Unparsable) else None


def contrast(reply: Mapping[str, Any]) -> float:
    """log p(A) - log p(B); a letter that is not among the alternatives counts as `CERTAIN`."""
    content = reply["choices"][0]["logprobs"]["content"]
    preference = of_tokens(content[0].get("top_logprobs") or content[:1])
    assert isinstance(preference, float)
    p = min(max(preference, CERTAIN), 1 - CERTAIN)
    return math.log(p) - math.log(1 - p)
