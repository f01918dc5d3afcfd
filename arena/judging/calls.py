"""The calls of a judge run: one list of cases with their keys, made once and shared by forecast, engine and results.

Results depend on the reply cache alone: an interrupted run, resumed, gives the verdicts of an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from arena.endpoints import Request
from arena.engine import Call, Engine, ModelClient, Price, ReplyCache, Seen, Status, estimated_tokens
from arena.judging.plan import Case
from arena.serving import model_clients
from judges import Reason, Unparsable
from judges.repeats import REPEAT

REASON_OF_STATUS = {
    Status.REFUSED: Reason.REFUSED,
    Status.TRUNCATED: Reason.TRUNCATED,
    Status.UNPARSABLE: Reason.NONE,
    Status.NOT_ASKED: Reason.NOT_ASKED,
}


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case with the reply cache's key of each of its requests.

    Held in memory for the whole run: the case, whose texts are those of the store's prompts and completions, and
    64 characters a request. Request bodies, which repeat those texts, are not held.
    """

    case: Case
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Forecast:
    """The requests of a run; tokens and cost are upper estimates, cost is None without a price."""

    cases: int
    requests: int
    in_journal: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    example: str  # one whole request, as messages


def plan_calls(cases: Iterable[Case], clients: Mapping[str, ModelClient]) -> list[PlannedCase]:
    """Every case with its keys, in order."""
    return [
        PlannedCase(
            case,
            tuple(
                model_clients.key(clients[model].identity, body, repeat)
                for model, body, repeat in _bodies(case, clients)
            ),
        )
        for case in cases
    ]


def calls(planned: Iterable[PlannedCase], clients: Mapping[str, ModelClient]) -> Iterator[Call]:
    """The calls of all cases, in order; each body is built when it is read."""
    for row in planned:
        case = row.case
        for number, (key, (model, body, _)) in enumerate(zip(row.keys, _bodies(case, clients), strict=True)):
            yield Call(key, model, body, partial(case.judge.unreadable, case.item, number))


def _bodies(case: Case, clients: Mapping[str, ModelClient]) -> Iterator[tuple[str, Request, int]]:
    """Each request of a case with its judge, whose own parameters override those of the protocol, and its draw."""
    for request in case.judge.requests(case.item):
        body = dict(request)
        model, repeat = str(body["model"]), int(body.pop(REPEAT, 0))
        yield model, clients[model].with_parameters(body), repeat


async def run_calls(
    engine: Engine, planned: Iterable[PlannedCase], clients: Mapping[str, ModelClient], seen: Seen
) -> dict[str, Status]:
    """Make the calls whose replies are not in the cache; `seen` is called with each result.

    Returns the status of each call without a readable reply, by key.
    """
    failed: dict[str, Status] = {}
    async for result in engine.run(calls(planned, clients)):
        seen(result)
        if result.status is not Status.OK:
            failed[result.call.key] = result.status
    return failed


def results(
    planned: Iterable[PlannedCase], reply_cache: ReplyCache, failed: Mapping[str, Status] | None = None
) -> Iterator[tuple[Case, Any | Unparsable]]:
    """Each case with its verdict or score, from the reply cache alone.

    With `failed`, the statuses of a run, a case without a reply has the reason of its first call without one; a call
    that is not among them was not made.
    """
    for row in planned:
        replies = [reply_cache.reply(key) for key in row.keys]
        result = row.case.judge.verdict(row.case.item, replies)
        if failed is not None and result == Unparsable(Reason.MISSING):
            key = next(key for key, reply in zip(row.keys, replies, strict=True) if reply is None)
            result = Unparsable(REASON_OF_STATUS.get(failed.get(key, Status.NOT_ASKED), Reason.MISSING))
        elif failed is not None and not isinstance(result, Unparsable) and _unfinished(row.keys, replies, failed):
            result = Unparsable(Reason.NOT_ASKED)
        yield row.case, result


def _unfinished(keys: Sequence[str], replies: Sequence[Any], failed: Mapping[str, Status]) -> bool:
    """Whether a call was not made: a panel with a quorum has a verdict without it, and another on the next run."""
    missing = (key for key, reply in zip(keys, replies, strict=True) if reply is None)
    return any(failed.get(key, Status.NOT_ASKED) is Status.NOT_ASKED for key in missing)


def forecast(
    planned: Sequence[PlannedCase], clients: Mapping[str, ModelClient], reply_cache: ReplyCache
) -> Forecast:
    """The expected requests, tokens and cost; no call is made."""
    requests = cached = prompt = completion = 0
    cost: float | None = 0.0
    example = ""
    keys: set[str] = set()
    for row in planned:
        for call in calls([row], clients):
            requests += 1
            if call.key in keys or call.key in reply_cache:
                cached += 1
                continue
            keys.add(call.key)
            tokens = estimated_tokens(call.body)
            prompt, completion = prompt + tokens[0], completion + tokens[1]
            cost = _added(cost, clients[call.model].price, tokens)
            if not row.case.control_pair:
                example = example or "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in call.body["messages"])
    return Forecast(len(planned), requests, cached, prompt, completion, cost, example)


def _added(cost: float | None, price: Price | None, tokens: tuple[int, int]) -> float | None:
    return None if price is None or cost is None else cost + price.of(*tokens)
