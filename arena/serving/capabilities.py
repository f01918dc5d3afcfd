"""The request types that an endpoint serves: a table for endpoints in process, one test request for a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.config import AnyModel, OpenAISettings, RewardSettings
from arena.endpoints import Endpoint, EndpointError, Failure
from arena.endpoints.adaptation import ADAPTED
from arena.endpoints.endpoint import Reply, answer
from benchmarks.task import RequestType

TEXT_ALONE = "this kind of endpoint returns text only"
NO_PROMPT = "it returns log-probabilities of its completions, not of prompts"
UNSUPPORTED: Mapping[str, Mapping[RequestType, str]] = {
    "transformers": {},
    "vllm": {},
    "llama_cpp": {RequestType.LOGLIKELIHOOD: NO_PROMPT},
    "scripted": {RequestType.LOGLIKELIHOOD: TEXT_ALONE, RequestType.FIRST_TOKEN: TEXT_ALONE},
}
LOGLIKELIHOOD = {"context": "The capital of France is", "continuation": " Paris"}
QUESTION = [{"role": "user", "content": "Answer with A or B.\nAnswer:"}]
FIRST_TOKEN = {"messages": QUESTION, "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 5}
UNKNOWN_REQUEST = (Failure.REFUSED, Failure.BROKEN)  # how a server replies to a request that it does not support


@dataclass(frozen=True)
class Served:
    """The best request type that is served, and why each better one is not."""

    request_type: RequestType
    refused: Mapping[RequestType, str]


async def best_request_type(settings: AnyModel, endpoint: Endpoint, wanted: Sequence[RequestType]) -> Served:
    """The first of `wanted` that the endpoint serves. Raises `EndpointError` if it serves none."""
    if isinstance(settings, RewardSettings):
        raise EndpointError(Failure.REFUSED, "A reward model writes no text. Name a language model.")
    refused: dict[RequestType, str] = {}
    for request_type in wanted:
        if isinstance(settings, OpenAISettings):
            problem = await _test(endpoint, request_type)
        else:
            problem = UNSUPPORTED[settings.endpoint].get(request_type)
        if problem is None:
            return Served(request_type, refused)
        refused[request_type] = problem
    reasons = "; ".join(f"{request_type}: {problem}" for request_type, problem in refused.items())
    raise EndpointError(Failure.REFUSED, f"The endpoint serves no request type of this task ({reasons}).")


async def _test(endpoint: Endpoint, request_type: RequestType) -> str | None:
    """Why a server does not serve this request type, or None. Raises `EndpointError` for an unreachable server."""
    if request_type is RequestType.GENERATE:
        return None
    try:
        reply = await answer(endpoint, LOGLIKELIHOOD if request_type is RequestType.LOGLIKELIHOOD else FIRST_TOKEN)
    except EndpointError as error:
        if error.failure not in UNKNOWN_REQUEST:
            raise
        return error.detail
    finally:
        await endpoint.close()  # its connections belong to this event loop
    if request_type is RequestType.LOGLIKELIHOOD:
        return None if "logprob" in reply else "the reply has no log-probability"
    if len(_candidates(reply)) > 1:
        return None
    adapted = f" ({', '.join(reply[ADAPTED])}, as the server refused it)" if ADAPTED in reply else ""
    return f"the reply has no candidates of its first token{adapted}"


def _candidates(reply: Reply) -> Sequence[Any]:
    content = (reply["choices"][0].get("logprobs") or {}).get("content") or [{}]
    candidates: Sequence[Any] = content[0].get("top_logprobs") or ()
    return candidates
