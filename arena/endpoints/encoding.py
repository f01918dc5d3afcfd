"""Texts of log-likelihood requests as tokens, cut as lm-evaluation-harness cuts them.

Spaces at the end of a context move to its continuation; the context is tokenised alone, and the continuation is
what the whole has more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from arena.endpoints.endpoint import Reply, Request
from arena.endpoints.generation_plan import refusal

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokenizer: TypeAlias = "PreTrainedTokenizerBase | Encoded"
Tokens = tuple[int, ...]
Pair = tuple[Tokens, Tokens]  # a context and its continuation
# the log-probabilities of a continuation's tokens, and whether greedy decoding writes it
LogLikelihood = tuple[tuple[float, ...], bool]


class Encoded:
    """A tokenizer that has encoded the texts of `requests` in one call, which tokenizers spread over the cores, each
    text once; other texts go to `tokenizer`."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, requests: Sequence[Request]) -> None:
        self._tokenizer = tokenizer
        given = [(request.get("context"), request.get("continuation")) for request in requests]
        cut = [
            (context.rstrip(), context + continuation)
            for context, continuation in given
            if isinstance(context, str) and isinstance(continuation, str) and context.strip()
        ]
        texts = list(dict.fromkeys(text for pair in cut for text in pair))
        self._known: dict[str, list[int]] = (
            dict(zip(texts, tokenizer(texts)["input_ids"], strict=True)) if texts else {}
        )

    def __call__(self, text: str, **options: Any) -> Mapping[str, Any]:
        if not options and text in self._known:
            return {"input_ids": self._known[text]}
        found: Mapping[str, Any] = self._tokenizer(text, **options)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def encoded_pair(tokenizer: Tokenizer, context: str, continuation: str) -> Pair:
    """Context and continuation as tokens. An empty context is the token that begins texts, else the one that
    ends them. Raises `EndpointError` for a continuation without a token.
    """
    bare = context.rstrip()
    continuation = context[len(bare) :] + continuation
    if not bare:
        first = _first(tokenizer)
        tokens = tuple(tokenizer(continuation, add_special_tokens=False)["input_ids"])
        before = (first,)
        tokens = tokens[1:] if tokens[:1] == before and len(tokens) > 1 else tokens
    else:
        before = tuple(tokenizer(bare)["input_ids"])
        tokens = tuple(tokenizer(bare + continuation)["input_ids"])[len(before) :]
    if not tokens:
        raise refusal(f"the continuation {continuation!r} adds no token to its context")
    return before, tokens


def log_likelihood_reply(request: Request, results: Sequence[LogLikelihood], pairs: Sequence[Pair]) -> Reply:
    """The reply to a log-likelihood request, whole or in windows; with each token's value for `token_logprobs`."""
    values = [value for logprobs, _ in results for value in logprobs]
    each = {"token_logprobs": values} if request.get("token_logprobs") else {}
    return {
        "logprob": sum(values),
        "greedy": all(greedy for _, greedy in results),
        "tokens": len(values),
        "usage": {"prompt_tokens": len(pairs[0][0]) + len(values), "completion_tokens": 0},
        **each,
    }


def truncated(context: tuple[int, ...], continuation: tuple[int, ...], most: int) -> Pair:
    """The pair cut to `most` tokens from the left; at least one token of the context stays. Raises `EndpointError`."""
    if len(continuation) > most:
        raise refusal(
            f"The continuation has {len(continuation)} tokens and the context is {most}. Choose a model with a longer one."
        )
    return context[-(most + 1 - len(continuation)) :], continuation


def rolling(tokenizer: Tokenizer, text: str, most: int) -> list[Pair]:
    """Windows of at most `most` tokens that predict every token of `text` once.

    The first token follows the one that begins texts; each later window has one token of context, the last one
    as much as it has room for.
    """
    tokens = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
    if not tokens:
        raise refusal("The text has no tokens. Give a text with at least one.")
    first = (_first(tokenizer),)
    windows: list[Pair] = [(first, tokens[:most])]
    for start in range(most, len(tokens), most):
        end = min(start + most, len(tokens))
        windows.append((tokens[max(0, end - most - 1) : start], tokens[start:end]))
    return windows


def windows(tokenizer: Tokenizer, text: str, size: int) -> list[Pair]:
    """Whole windows of `size` tokens, the rest dropped. The first token of each is context and has no score, as in
    the perplexities of papers on quantisation (Frantar et al. 2022, arXiv:2210.17323).
    """
    tokens = tuple(tokenizer(text)["input_ids"])
    whole = range(0, len(tokens) - size + 1, size) or [0]
    if len(tokens) < 2 or size < 2:
        raise refusal(f"{len(tokens)} tokens in windows of {size} are too few. Give at least 2 of both.")
    return [(tokens[start : start + 1], tokens[start + 1 : start + size]) for start in whole]


def token_pairs(tokenizer: Tokenizer, request: Request, most: int) -> list[Pair]:
    """The pairs of a log-likelihood request, at most `most` tokens each (its form: `benchmarks.task`)."""
    if "continuation" in request:
        pair = encoded_pair(tokenizer, str(request["context"]), str(request["continuation"]))
        return [truncated(*pair, most)]
    size = request.get("window")
    if size is None:
        return rolling(tokenizer, str(request["text"]), most)
    if size > most:
        raise refusal(f"Windows of {size} tokens exceed the context of {most}. Choose a model with a longer one.")
    return windows(tokenizer, str(request["text"]), int(size))


def _first(tokenizer: Tokenizer) -> int:
    token = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if token is None:
        raise refusal("the tokenizer has neither a token that begins texts nor one that ends them")
    return int(token)
