"""Which ways to ask an endpoint can serve: known of those in process, found out by asking a server once a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.config import AnyModel, OpenAISettings, RewardSettings
from arena.endpoints import Endpoint, EndpointError, Failure
from arena.endpoints.endpoint import Reply, answer
from benchmarks.task import RequestType

TEXT_ALONE = "this kind of endpoint gives text alone"
NO_PROMPT = "it gives log-probabilities of what it writes, not of a prompt"
CANNOT: Mapping[str, Mapping[RequestType, str]] = {
    "transformers": {},
    "vllm": {},
    "llama_cpp": {RequestType.LOGLIKELIHOOD: NO_PROMPT},
    "scripted": {RequestType.LOGLIKELIHOOD: TEXT_ALONE, RequestType.FIRST_TOKEN: TEXT_ALONE},
}
WEIGH = {"context": "The capital of France is", "continuation": " Paris"}
QUESTION = [{"role": "user", "content": "Answer with A or B.\nAnswer:"}]
FIRST = {"messages": QUESTION, "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 5}
SAYS_NO = (Failure.REFUSED, Failure.BROKEN)  # to a request that it does not know


@dataclass(frozen=True)
class Served:
    """The first way that works, and why each better one does not."""

    request_type: RequestType
    refused: Mapping[RequestType, str]


async def best_request_type(settings: AnyModel, endpoint: Endpoint, wanted: Sequence[RequestType]) -> Served:
    """The first of `wanted` that the endpoint serves. Raises `EndpointError` where there is none."""
    if isinstance(settings, RewardSettings):
        raise EndpointError(Failure.REFUSED, "a reward model writes nothing; take a language model")
    refused: dict[RequestType, str] = {}
    for request_type in wanted:
        if isinstance(settings, OpenAISettings):
            problem = await _asked(endpoint, request_type)
        else:
            problem = CANNOT[settings.endpoint].get(request_type)
        if problem is None:
            return Served(request_type, refused)
        refused[request_type] = problem
    told = "; ".join(f"{request_type}: {problem}" for request_type, problem in refused.items())
    raise EndpointError(Failure.REFUSED, f"cannot be asked as this task needs it ({told})")


async def _asked(endpoint: Endpoint, request_type: RequestType) -> str | None:
    """Why a server cannot be asked this way, or None. A server that is away is told by the run itself."""
    if request_type is RequestType.GENERATE:
        return None
    try:
        reply = await answer(endpoint, WEIGH if request_type is RequestType.LOGLIKELIHOOD else FIRST)
    except EndpointError as error:
        if error.failure not in SAYS_NO:
            raise
        return error.detail
    finally:
        await endpoint.close()  # its connections belong to the event loop of this look
    if request_type is RequestType.LOGLIKELIHOOD:
        return None if "logprob" in reply else "the reply has no log-probability"
    return None if len(_candidates(reply)) > 1 else "the reply has no candidates of its first token"


def _candidates(reply: Reply) -> Sequence[Any]:
    content = (reply["choices"][0].get("logprobs") or {}).get("content") or [{}]
    found: Sequence[Any] = content[0].get("top_logprobs") or ()
    return found
