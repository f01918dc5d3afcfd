"""A judge run in two passes: everything is asked and kept in the journal, then read from the journal.

What the second pass reads never depends on when or how often the first one was interrupted: the same journal
gives the same verdicts, bit for bit, without a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from arena.endpoints import Request
from arena.engine import Call, CallResult, Engine, ModelClient, Price, ReplyCache, estimated_tokens
from arena.judging.plan import Case
from arena.serving import model_clients
from judges import Unparsable


@dataclass(frozen=True)
class Forecast:
    """What a run would ask; tokens and cost are estimates from above, cost is None without a price."""

    cases: int
    requests: int
    in_journal: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    example: str  # one whole request, as messages


def calls(cases: Iterable[Case], asked: Mapping[str, ModelClient]) -> Iterator[Call]:
    """The requests of all cases, in order."""
    for case in cases:
        for number, (model, body) in enumerate(_bodies(case, asked)):
            check = partial(case.judge.unreadable, case.item, number)
            yield Call(model_clients.key(asked[model].identity, body), model, body, check)


def _bodies(case: Case, asked: Mapping[str, ModelClient]) -> Iterator[tuple[str, Request]]:
    """Each request of a case with the judge that it is for, whose own parameters count."""
    for body in case.judge.requests(case.item):
        model = str(body["model"])
        yield model, asked[model].asked_with(body)


async def run_calls(
    engine: Engine, cases: Iterable[Case], asked: Mapping[str, ModelClient], seen: Callable[[CallResult], None]
) -> None:
    """Ask what the journal does not know yet; `seen` hears of every request that is settled."""
    async for answered in engine.run(calls(cases, asked)):
        seen(answered)


def results(
    cases: Iterable[Case], asked: Mapping[str, ModelClient], reply_cache: ReplyCache
) -> Iterator[tuple[Case, Any | Unparsable]]:
    """Each case with its verdict or score, from the journal alone."""
    for case in cases:
        replies = [
            reply_cache.reply(model_clients.key(asked[model].identity, body))
            for model, body in _bodies(case, asked)
        ]
        yield case, case.judge.verdict(case.item, replies)


def forecast(cases: Iterable[Case], asked: Mapping[str, ModelClient], reply_cache: ReplyCache | None) -> Forecast:
    """Look at every request without asking one."""
    counted = requests = known = prompt = completion = 0
    cost: float | None = 0.0
    example = ""
    keys: set[str] = set()
    for case in cases:
        counted += 1
        for ask in calls([case], asked):
            requests += 1
            if ask.key in keys or (reply_cache is not None and ask.key in reply_cache):
                known += 1
                continue
            keys.add(ask.key)
            used = estimated_tokens(ask.body)
            prompt, completion = prompt + used[0], completion + used[1]
            cost = _added(cost, asked[ask.model].price, used)
            if not case.control_pair:
                example = example or "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in ask.body["messages"])
    return Forecast(counted, requests, known, prompt, completion, cost, example)


def _added(cost: float | None, price: Price | None, used: tuple[int, int]) -> float | None:
    return None if price is None or cost is None else cost + price.of(*used)
