"""Which ways to ask an endpoint can serve: found out by asking, once a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.endpoints import Endpoint, EndpointError, Failure
from arena.endpoints.endpoint import Answers, Reply
from benchmarks.task import Rung

WEIGH = {"context": "The capital of France is", "continuation": " Paris"}
QUESTION = [{"role": "user", "content": "Answer with A or B.\nAnswer:"}]
FIRST = {"messages": QUESTION, "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 5}
CANNOT = (Failure.REFUSED, Failure.BROKEN)  # what an endpoint says to a request that it does not know


@dataclass(frozen=True)
class Served:
    """The first way that works, and why each better one does not."""

    rung: Rung
    refused: Mapping[Rung, str]


async def best_rung(endpoint: Endpoint, wanted: Sequence[Rung]) -> Served:
    """The first of `wanted` that the endpoint serves; the last one is taken without asking.

    Raises `EndpointError` where the endpoint cannot be used at all.
    """
    refused: dict[Rung, str] = {}
    for rung in wanted[:-1]:
        problem = await _problem(endpoint, rung)
        if problem is None:
            return Served(rung, refused)
        refused[rung] = problem
    if wanted[-1] is Rung.LOGLIKELIHOOD and (problem := await _problem(endpoint, wanted[-1])):
        raise EndpointError(Failure.REFUSED, f"this task needs log-probabilities of given text: {problem}")
    return Served(wanted[-1], refused)


async def _problem(endpoint: Endpoint, rung: Rung) -> str | None:
    """Why the endpoint cannot be asked this way, or None."""
    if rung is Rung.GENERATE:
        return None
    if not isinstance(endpoint, Answers):
        return "this kind of endpoint gives text alone"
    await endpoint.start()
    try:
        reply = await endpoint.answer(WEIGH if rung is Rung.LOGLIKELIHOOD else FIRST)
    except EndpointError as error:
        if error.failure not in CANNOT:
            raise
        return error.detail
    if rung is Rung.LOGLIKELIHOOD:
        return None if "logprob" in reply else "the reply has no log-probability"
    return None if _candidates(reply) else "the reply has no candidates of its first token"


def _candidates(reply: Reply) -> Sequence[Any]:
    content = (reply["choices"][0].get("logprobs") or {}).get("content") or [{}]
    found: Sequence[Any] = content[0].get("top_logprobs") or ()
    return found
