"""How completions of a task file are generated: stop strings, limit and sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_TOKENS = 256  # of lm-evaluation-harness
LIMITS = (
    "max_gen_toks",
    "max_new_tokens",
    "max_tokens",
    "max_completion_tokens",
)  # the first one that is given counts
PASSED = ("top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed")


@dataclass(frozen=True)
class Sampling:
    """Stop strings, the limit of tokens, the temperature, and further fields of the request's body."""

    until: tuple[str, ...] = ()
    max_tokens: int = MAX_TOKENS
    temperature: float = 0.0
    more: Mapping[str, Any] = field(default_factory=dict)


def read_sampling(given: Mapping[str, Any], delimiter: str) -> Sampling:
    """The sampling of `generation_kwargs`; without stop strings texts end at the delimiter of examples.

    Without `do_sample: true` or a temperature decoding is greedy. Raises `ValueError`.
    """
    known = {"until", "do_sample", "temperature", *LIMITS, *PASSED}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"{unknown[0]} is not supported. Use: {', '.join(sorted(known))}")
    until = given.get("until", [delimiter])
    stops = [until] if isinstance(until, str) else list(until or [])
    limit = next((int(given[name]) for name in LIMITS if given.get(name) is not None), MAX_TOKENS)
    sampled = given.get("do_sample")
    if sampled and "temperature" not in given:
        raise ValueError("do_sample has no temperature. Add one, such as temperature: 0.7")
    temperature = 0.0 if sampled is False else float(given.get("temperature", 0.0))
    more = {name: given[name] for name in PASSED if name in given and temperature > 0}
    penalties = {name: given[name] for name in PASSED[3:6] if name in given}
    return Sampling(tuple(str(stop) for stop in stops if stop), limit, temperature, {**more, **penalties})
