"""Log-likelihoods from a server that echoes a prompt with its log-probabilities (`/completions`, as vLLM has it).

The border between context and continuation is found by the server's own character offsets: no tokenizer is
needed here, and a token that begins texts shifts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from arena.endpoints.endpoint import EndpointError, Failure, Reply, Request
from arena.endpoints.reply_schema import Count, LogProbability, Sent, Tokens, valid

Top = dict[str, LogProbability]


class EchoedTokens(Sent):
    """The tokens of an echoed prompt: where each begins, its log-probability, and the likeliest ones there."""

    text_offset: Annotated[list[Count], Field(fail_fast=True)]
    token_logprobs: Annotated[list[LogProbability | None], Field(fail_fast=True)]
    top_logprobs: Annotated[list[Top | None], Field(fail_fast=True)] | None = None

    @property
    def tops(self) -> list[Top | None]:
        return self.top_logprobs or [None] * len(self.text_offset)


class EchoedChoice(Sent):
    """One choice of a completion that echoes its prompt."""

    logprobs: EchoedTokens | None = None


class EchoedReply(Sent):
    """A completion that echoes its prompt."""

    choices: Annotated[list[EchoedChoice], Field(fail_fast=True)] | None = None
    usage: Tokens | None = None


def is_log_likelihood(request: Request) -> bool:
    """True for a log-likelihood request, False for a chat (their form: `benchmarks.task`)."""
    return "continuation" in request or "text" in request


def body(request: Request) -> dict[str, Any]:
    """The body for `/completions`: the text and one new token, since some servers refuse none."""
    text = request["text"] if "text" in request else f"{request['context']}{request['continuation']}"
    return {"prompt": text, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True}


def log_likelihood(request: Request, completion: Mapping[str, Any]) -> Reply:
    """The reply with the sum over the continuation's tokens, including a token across the border.

    The first token of a text has no log-probability. Raises `EndpointError` for a reply without the prompt's own.
    """
    prompt = body(request)["prompt"]
    border = len(str(request.get("context") or "").rstrip())
    echoed = _echoed(completion)
    if not echoed.text_offset or echoed.text_offset[0] >= len(prompt):
        raise _unsupported("does not echo the prompt")
    each: list[float] = []
    greedy = True
    ends = [*echoed.text_offset[1:], len(prompt)]
    for offset, end, value, top in zip(echoed.text_offset, ends, echoed.token_logprobs, echoed.tops, strict=True):
        if offset >= len(prompt) or end <= border or value is None:
            continue
        each.append(value)
        greedy = greedy and value >= max((top or {}).values(), default=value) - 1e-9
    if not each:
        raise EndpointError(Failure.BROKEN, "no token of the continuation has a log-probability")
    usage = completion.get("usage") or {}
    reply = {"logprob": sum(each), "greedy": greedy, "tokens": len(each), "usage": usage}
    return {**reply, "token_logprobs": each} if request.get("token_logprobs") else reply


def _echoed(completion: Mapping[str, Any]) -> EchoedTokens:
    """The tokens of the prompt and their log-probabilities. Raises `EndpointError`."""
    choices = valid(EchoedReply, completion).choices or []
    echoed = choices[0].logprobs if choices else None
    if echoed is None:
        raise _unsupported("returns no log-probabilities of the prompt")
    if len({len(echoed.text_offset), len(echoed.token_logprobs), len(echoed.tops)}) > 1:
        raise EndpointError(Failure.BROKEN, "the lists of an echoed prompt differ in length")
    return echoed


def _unsupported(problem: str) -> EndpointError:
    return EndpointError(Failure.REFUSED, f"The server {problem}. Use a server that supports echo.")
