"""Log-probabilities of given texts under vLLM in process: its `prompt_logprobs`, with our own tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arena.endpoints.batch_queue import Outcome, answered_together
from arena.endpoints.encoding import Pair, Weights, parts, told
from arena.endpoints.endpoint import Reply, Request


def weighed(engine: Any, sampling: Callable[..., Any], requests: Sequence[Request]) -> list[Outcome]:
    """A reply or what is wrong, a request each; all texts go to vLLM together. Blocks."""
    most = engine.llm_engine.model_config.max_model_len - 2  # vLLM reads the last token too, and writes one more
    tokenizer = engine.get_tokenizer()

    def answer(cut: Sequence[tuple[Request, list[Pair]]]) -> list[Reply]:
        found = iter(_weigh(engine, sampling, [pair for _, pairs in cut for pair in pairs]))
        return [told(request, [next(found) for _ in pairs], pairs) for request, pairs in cut]

    return answered_together(requests, lambda request: (request, parts(tokenizer, request, most)), answer)


def _weigh(engine: Any, sampling: Callable[..., Any], pairs: Sequence[Pair]) -> list[Weights]:
    if not pairs:
        return []
    prompts = [{"prompt_token_ids": [*context, *continuation]} for context, continuation in pairs]
    asked = sampling(max_tokens=1, temperature=0.0, prompt_logprobs=1)
    outputs = engine.generate(prompts, asked, use_tqdm=False)
    return [_weights(pair, output.prompt_logprobs) for pair, output in zip(pairs, outputs, strict=True)]


def _weights(pair: Pair, places: Sequence[Any]) -> Weights:
    """Of each place of the prompt vLLM names the token that stands there and the likeliest one."""
    context, continuation = pair
    named = zip(continuation, places[len(context) :], strict=True)
    chosen = [(at[token].logprob, max(one.logprob for one in at.values())) for token, at in named]
    return tuple(float(value) for value, _ in chosen), all(value >= best for value, best in chosen)
