"""A judge behind an API as a value function: a text without some words is one request.

f = log p(A) - log p(B)  of the verdict's one token, over the spellings of either letter
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from arena.config import AnyModel
from arena.engine import Budget, Call, CallResult, Engine, ReplyCache, Status
from arena.explaining.judge_values import (
    AT_ONCE,
    Order,
    Seen,
    Texts,
    VerdictValue,
    orders,
    reworded_orders,
    without_words,
)
from arena.explaining.prompts import PART, joined_prompt
from arena.explaining.refusals import ExplanationRefused, JudgeFailed
from arena.rules.messages import Phrase
from arena.serving import model_clients
from interp import Floats, InterpError, Prompt, SwappedOrders, Value, matching_units
from judges import Pair, Unparsable
from judges.replies import Reason
from judges.tokens import alternatives, of_tokens, scored_tokens

CERTAIN = 1e-9  # of a letter that is not among the alternatives: a contrast of 20.7, beyond what any API reports


@contextmanager
def api_verdict_value(
    judge: AnyModel, pair: Pair, template: str | None, reply_cache: ReplyCache, budget: float | None, seen: Seen
) -> Iterator[VerdictValue]:
    """The verdict of a judge behind an API. Raises `ConfigError`; its values raise `JudgeFailed`."""
    both, reworded = orders(judge, pair, template), reworded_orders(judge, pair, template)
    client = model_clients.model_client(judge)
    engine = Engine({judge.name: client}, reply_cache, Budget(budget))
    with asyncio.Runner() as runner:  # one loop for all calls: the endpoint's connections belong to it
        try:
            prompts = [joined_prompt(order.messages, order.places) for order in both]
            texts = [_texts(runner, engine, judge.name, client.identity, order, seen) for order in both]
            first, second = (_value(*each) for each in zip(prompts, texts, strict=True))
            both_orders = SwappedOrders(first, second, matching_units(prompts[0].words, prompts[1].words))
        except InterpError as problem:
            raise ExplanationRefused("{model}: {problem}", model=judge.name, problem=str(problem)) from problem
        try:
            rewordings = tuple(
                partial(
                    _reworded,
                    [_texts(runner, engine, judge.name, client.identity, order, seen) for order in reworded_both],
                    reworded_both,
                )
                for reworded_both in reworded
            )
            yield VerdictValue((prompts[0], prompts[1]), both_orders, (texts[0], texts[1]), rewordings)
        finally:
            runner.run(client.endpoint.close())


def _reworded(texts: Sequence[Texts], both: tuple[Order, Order]) -> tuple[float, float]:
    """f of both orders of a reworded prompt."""
    first, second = (
        float(value([joined_prompt(order.messages, ()).text])[0]) for value, order in zip(texts, both, strict=True)
    )
    return first, second


def _value(prompt: Prompt, texts: Texts) -> Value:
    return lambda masks: texts([without_words(prompt, mask) for mask in masks])


def _texts(
    runner: asyncio.Runner, engine: Engine, name: str, identity: Mapping[str, Any], order: Order, seen: Seen
) -> Texts:
    """f of whole texts, one call each."""
    roles = [message["role"] for message in order.messages]

    def body(text: str) -> dict[str, Any]:
        parts = text.split(PART)
        messages = [{"role": role, "content": part} for role, part in zip(roles, parts, strict=True)]
        return {**order.body, "messages": messages}

    def value(texts: Sequence[str]) -> Floats:
        bodies = [body(text) for text in texts]
        calls = [Call(model_clients.key(identity, body), name, body, unreadable) for body in bodies]
        contrasts: list[float] = []
        for start in range(0, len(calls), AT_ONCE):
            batch = calls[start : start + AT_ONCE]
            contrasts += runner.run(_contrasts(engine, batch))
            seen(len(batch))
        return np.array(contrasts)

    return value


async def _contrasts(engine: Engine, calls: Sequence[Call]) -> list[float]:
    results: dict[int, CallResult] = {}
    async for result in engine.run(calls):
        results[result.number] = result
    failed = [result for result in results.values() if result.status is not Status.OK]
    if failed:
        raise JudgeFailed(
            "{failed} of {calls} calls of {model} failed: {status}: {detail}. "
            "Run it again to resume: finished calls are not repeated or billed again.",
            failed=len(failed),
            calls=len(calls),
            model=calls[0].model,
            status=failed[0].status,
            detail=failed[0].detail or Phrase("no detail"),
        )
    return [contrast(results[number].reply or {}) for number in range(len(calls))]


def unreadable(reply: Mapping[str, Any]) -> Unparsable | None:
    """The reason why a reply has no contrast: no log-probabilities, or neither letter among them."""
    content = scored_tokens(reply)
    if not content:
        return Unparsable(Reason.EMPTY)
    preference = of_tokens(alternatives(content[0]))
    return preference if isinstance(preference, Unparsable) else None


def contrast(reply: Mapping[str, Any]) -> float:
    """log p(A) - log p(B); a letter that is not among the alternatives counts as `CERTAIN`."""
    preference = of_tokens(alternatives(scored_tokens(reply)[0]))
    assert isinstance(preference, float)
    p = min(max(preference, CERTAIN), 1 - CERTAIN)
    return math.log(p) - math.log(1 - p)
