"""What a model could have written instead: the log-probabilities of a chat completion, from logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from arena.endpoints.endpoint import EndpointError, Failure, Request

if TYPE_CHECKING:
    import torch

MOST = 20  # alternatives a token, as OpenAI's protocol allows

Name = Callable[[int], str]
Alternatives = Callable[["torch.Tensor", int], dict[str, Any]]


def alternatives_per_token(request: Request) -> int | None:
    """The number of alternatives per token in the request; None without log-probabilities.

    Raises `EndpointError`.
    """
    top = request.get("top_logprobs")
    if not request.get("logprobs"):
        if top:
            raise EndpointError(Failure.REFUSED, f"top_logprobs {top!r} needs logprobs. Add logprobs: true.")
        return None
    if top is not None and (isinstance(top, bool) or not isinstance(top, int) or not 0 <= top <= MOST):
        raise EndpointError(Failure.REFUSED, f"top_logprobs {top!r} is out of range. Expected 0 to {MOST}.")
    return top or 0


def alternatives(top: int, name: Name) -> Alternatives:
    """A function from the logits (vocabulary,) and the token chosen to an entry of `logprobs.content`.

    The log-probabilities are the model's own, before temperature and cuts. `name` gives a token's text.
    """

    def entry(logits: torch.Tensor, token: int) -> dict[str, Any]:
        logp = logits.float().log_softmax(-1)
        best = logp.topk(min(top, len(logp)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        top_entries = [_named(name, at, p) for at, p in pairs]
        return {**_named(name, token, float(logp[token])), "top_logprobs": top_entries}

    return entry


def _named(name: Name, token: int, logprob: float) -> Mapping[str, Any]:
    text = name(token)
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
