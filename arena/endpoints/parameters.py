"""The parameters of a model's settings in the body of a request: they are added, override, or remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.endpoints.endpoint import Request

# parameters of chat completions that are never true or false, so that `false` in the settings can only mean "without it";
# and `logprobs`, which is the same false as missing, and which some servers refuse in either form
REMOVED_BY_FALSE = frozenset({
    "logprobs", "top_logprobs", "response_format", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "n",
    "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty", "logit_bias", "reasoning_effort",
})  # fmt: skip
LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"  # synonyms, and servers refuse both together


def given_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the settings without those that only remove one."""
    removed = removed_parameters(parameters)
    return {name: value for name, value in parameters.items() if name not in removed}


def removed_parameters(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Names of the parameters that no request to the model has: None in the settings, or false where it means nothing."""
    removed = {
        name
        for name, value in parameters.items()
        if value is None or (value is False and name in REMOVED_BY_FALSE)
    }
    return frozenset(removed | {"top_logprobs"} if "logprobs" in removed else removed)


def limited(body: Request, tokens: int) -> dict[str, Any]:
    """The request with this limit of tokens, under the name that it uses."""
    return {**body, NEW_LIMIT if NEW_LIMIT in body else LIMIT: tokens}


def with_parameters(body: Request, parameters: Mapping[str, Any], *, body_wins: bool = False) -> dict[str, Any]:
    """The request with the parameters of the model's settings, which override those of its builder.

    With `body_wins` they only add to it. Removed parameters are in neither case in the request.
    """
    given, removed = given_parameters(parameters), removed_parameters(parameters)
    own = {name: value for name, value in body.items() if name != LIMIT or NEW_LIMIT not in given}
    merged = {**given, **own} if body_wins else {**own, **given}
    return {name: value for name, value in merged.items() if name not in removed}
