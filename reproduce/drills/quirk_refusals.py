"""Servers that refuse a parameter in their own words, and Anthropic's and Gemini's OpenAI-compatible addresses.

Sources of the words: platform.openai.com/docs/guides/reasoning, platform.claude.com/docs/en/api/openai-sdk,
ai.google.dev/gemini-api/docs/openai, and the messages that users of these servers report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reproduce.drills.quirk_bodies import ALL, NONE, QUIRKS, Answer, Body, http
from reproduce.drills.quirk_bodies import _quirk as quirk

Wrong = Callable[[Mapping[str, Any]], bool]


def refusing(*rules: tuple[Wrong, int, Any], reply: Body | None = None) -> Body:
    """A server that refuses the requests that a rule matches, and answers the others."""

    def body(answer: Answer) -> Any:
        for wrong, status, error in rules:
            if wrong(answer.request):
                return http(json.dumps(error).encode(), status=status)
        return reply(answer) if reply else answer.body()

    return body


def having(*names: str) -> Wrong:
    return lambda request: any(name in request for name in names)


def has_system(request: Mapping[str, Any]) -> bool:
    return any(message["role"] == "system" for message in request["messages"])


def openai(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}


def gemini(message: str) -> list[Any]:
    return [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]


def fastapi(*names: str) -> dict[str, Any]:
    wrong = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        for name in names
    ]
    return {"detail": wrong}


def anthropic_reply(answer: Answer) -> Any:
    """Log-probabilities and the form of the reply are ignored, and some fields are always empty."""
    whole: dict[str, Any] = answer.body(
        f"Here is my verdict.\n\n{answer.text}" if answer.mode == "single" else None
    )
    [choice] = whole["choices"]
    choice |= {"logprobs": None, "finish_reason": "stop"}
    choice["message"] |= {"refusal": None, "audio": None}
    return whole | {"system_fingerprint": None, "service_tier": None}


def gemini_reply(answer: Answer) -> Any:
    """Thoughts come within the content, where `include_thoughts` requests them, and a signature beside it."""
    whole: dict[str, Any] = answer.body(f"<thought>{answer.opposite}</thought>\n{answer.text}")
    [choice] = whole["choices"]
    choice |= {"logprobs": None, "finish_reason": "stop"}
    choice["message"]["extra_content"] = {"google": {"thought_signature": "AQ=="}}
    return whole | {"usage": {"prompt_tokens": 90, "completion_tokens": 9, "total_tokens": 1099}}


def gemini_thought_only(answer: Answer) -> Any:
    whole: dict[str, Any] = answer.body()
    whole["choices"] = [{"index": 0, "finish_reason": "length", "message": {"role": "assistant"}}]
    return whole


def _of_reasoning_model() -> Sequence[tuple[Wrong, int, Any]]:
    instead = "is not supported with this model. Use 'max_completion_tokens' instead."
    return [
        (having("max_tokens"), 400, openai(f"Unsupported parameter: 'max_tokens' {instead}", "max_tokens")),
        (
            lambda request: request.get("temperature", 1) != 1, 400,
            openai("Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is "
                   "supported.", "temperature"),
        ),
        (having("logprobs"), 400, openai("You are not allowed to request logprobs from this model.")),
    ]  # fmt: skip


UNKNOWN = 'Invalid JSON payload received. Unknown name "{}": Cannot find field.'
REFUSALS = [
    quirk("logprobs are refused", refusing((having("logprobs"), 400, openai("logprobs is not supported.", "logprobs")))),
    quirk("logprobs are refused by a schema", refusing((having("logprobs"), 422, fastapi("logprobs", "top_logprobs")))),
    quirk("at most five alternatives", refusing((
        lambda request: request.get("top_logprobs", 0) > 5, 400,
        openai("Requested sample logprobs of 20, which is greater than max allowed: 5"),
    ))),
    quirk("response_format is refused", refusing(
        (having("response_format"), 400, openai("Unknown parameter: response_format")),
    )),
    quirk("temperature is refused", refusing(
        (having("temperature"), 400, openai("`temperature` is deprecated for this model.")),
    )),
    quirk("max_tokens is refused", refusing((having("max_tokens"), 422, fastapi("max_tokens")))),
    quirk("system messages are refused", refusing((has_system, 400, openai("System role not supported")))),
    quirk("a reasoning model refuses three parameters", refusing(*_of_reasoning_model())),
    quirk("a parameter without a name is refused", refusing((lambda _: True, 400, openai("Bad request"))), NONE),
    quirk("every prompt is filtered", refusing((lambda _: True, 400, openai("filtered by our content policy"))), NONE),
    quirk("the limit of a thinking model is too small", refusing((
        lambda request: 1 in (request.get("max_tokens"), request.get("max_completion_tokens")), 400,
        openai("Could not finish the message because max_tokens or model output limit was reached."),
    )), ALL - {"baseline"}),
    quirk("a server that is never ready", lambda _: http(b'{"error": "loading"}', status=404), NONE),
    quirk("Anthropic: ignored parameters", anthropic_reply),
    quirk("Anthropic: a refused temperature", refusing(
        (having("temperature"), 400, {"error": {
            "code": "invalid_request_error", "message": "`temperature` is deprecated for this model.",
            "type": "invalid_request_error", "param": None,
        }}), reply=anthropic_reply,
    )),
    quirk("Gemini: unknown names, thoughts in the content", refusing(
        (having("logprobs"), 400, gemini("\n".join(map(UNKNOWN.format, ("logprobs", "top_logprobs"))))),
        reply=gemini_reply,
    )),
    quirk("Gemini: logprobs of a model", refusing(
        (having("logprobs"), 400, gemini("Logprobs is not enabled for models/gemini-2.5-flash-lite")),
    )),
    quirk("Gemini: Gemma takes no system message", refusing(
        (has_system, 400, gemini("Developer instruction is not enabled for models/gemma-3-27b-it")),
    )),
    quirk("Gemini: only thoughts", gemini_thought_only, NONE),
]  # fmt: skip
ALL_QUIRKS = [*QUIRKS, *REFUSALS]
