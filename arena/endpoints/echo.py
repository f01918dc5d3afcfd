"""Log-likelihoods from a server that echoes a prompt with its log-probabilities (`/completions`, as vLLM has it).

The border between context and continuation is found by the server's own character offsets: no tokenizer is
needed here, and a token that begins texts shifts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.endpoints.endpoint import EndpointError, Failure, Reply, Request


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
    context = str(request.get("context") or "")
    border = len(context.rstrip())
    try:
        given = completion["choices"][0]["logprobs"]
        tokens, offsets, values = given["tokens"], given["text_offset"], given["token_logprobs"]
        tops = given.get("top_logprobs") or [None] * len(tokens)
    except (KeyError, IndexError, TypeError) as error:
        raise EndpointError(
            Failure.REFUSED,
            "The server returns no log-probabilities of the prompt. Use a server that supports echo.",
        ) from error
    if not offsets or offsets[0] >= len(prompt):
        raise EndpointError(
            Failure.REFUSED, "The server does not echo the prompt. Use a server that supports echo."
        )
    each: list[float] = []
    greedy = True
    for place, (offset, value) in enumerate(zip(offsets, values, strict=True)):
        end = offsets[place + 1] if place + 1 < len(offsets) else len(prompt)
        if offset >= len(prompt) or end <= border or value is None:
            continue
        each.append(float(value))
        best = max((tops[place] or {}).values(), default=value)
        greedy = greedy and float(value) >= float(best) - 1e-9
    if not each:
        raise EndpointError(Failure.BROKEN, "no token of the continuation has a log-probability")
    usage = completion.get("usage") or {}
    reply = {"logprob": sum(each), "greedy": greedy, "tokens": len(each), "usage": usage}
    return {**reply, "token_logprobs": each} if request.get("token_logprobs") else reply
