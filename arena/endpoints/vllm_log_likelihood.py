"""Log-probabilities of given texts under vLLM in process: its `prompt_logprobs`, with our own tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arena.endpoints.batch_queue import Outcome, batch_outcomes
from arena.endpoints.encoding import LogLikelihood, Pair, log_likelihood_reply, token_pairs
from arena.endpoints.endpoint import Reply, Request


def log_likelihoods(engine: Any, sampling: Callable[..., Any], requests: Sequence[Request]) -> list[Outcome]:
    """A reply or an error for each request; all texts go to vLLM in one call. Blocks."""
    most = engine.llm_engine.model_config.max_model_len - 2  # vLLM reads the last token too, and writes one more
    tokenizer = engine.get_tokenizer()

    def answer(cut: Sequence[tuple[Request, list[Pair]]]) -> list[Reply]:
        results = iter(_score(engine, sampling, [pair for _, pairs in cut for pair in pairs]))
        return [log_likelihood_reply(request, [next(results) for _ in pairs], pairs) for request, pairs in cut]

    return batch_outcomes(requests, lambda request: (request, token_pairs(tokenizer, request, most)), answer)


def _score(engine: Any, sampling: Callable[..., Any], pairs: Sequence[Pair]) -> list[LogLikelihood]:
    if not pairs:
        return []
    prompts = [{"prompt_token_ids": [*context, *continuation]} for context, continuation in pairs]
    parameters = sampling(max_tokens=1, temperature=0.0, prompt_logprobs=1)
    outputs = engine.generate(prompts, parameters, use_tqdm=False)
    return [_log_likelihood(pair, output.prompt_logprobs) for pair, output in zip(pairs, outputs, strict=True)]


def _log_likelihood(pair: Pair, places: Sequence[Any]) -> LogLikelihood:
    """The log-likelihood of a continuation; for each place vLLM gives the prompt's token and the likeliest one."""
    context, continuation = pair
    named = zip(continuation, places[len(context) :], strict=True)
    chosen = [(at[token].logprob, max(entry.logprob for entry in at.values())) for token, at in named]
    return tuple(float(value) for value, _ in chosen), all(value >= best for value, best in chosen)
