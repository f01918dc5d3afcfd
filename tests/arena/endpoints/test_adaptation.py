"""A parameter that a server refuses is removed or translated once, remembered, and named in the replies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from arena.endpoints import EndpointError, Failure, complete
from arena.endpoints.adaptation import ADAPTED
from arena.endpoints.endpoint import answer
from arena.endpoints.openai import OpenAI
from tests.support.refusing_server import Rule, has, openai_error, plain_reply, refusing_server, unless

pytestmark = pytest.mark.service

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A or B?"}]
REQUEST = {
    "messages": MESSAGES, "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20,
    "response_format": {"type": "json_object"},
}  # fmt: skip


def top_over(most: int) -> Callable[[Mapping[str, Any]], bool]:
    return lambda body: body.get("top_logprobs", 0) > most


def has_system(body: Mapping[str, Any]) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def gemini(message: str) -> tuple[int, Any]:
    return 400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]


def forbidden(name: str) -> tuple[int, Any]:
    """As servers on FastAPI refuse a field, with the request quoted."""
    return 422, {
        "detail": [
            {
                "type": "extra_forbidden",
                "loc": ["body", name],
                "msg": "Extra inputs are not permitted",
                "input": REQUEST,
            }
        ]
    }


NO_LOGPROBS = ("logprobs", "top_logprobs")
JOINED = [{"role": "user", "content": "Be brief.\n\nA or B?"}]
# the server's rule; what of the request then differs (None: removed); the texts of the changes
CASES: dict[str, tuple[list[Rule], dict[str, Any], list[str]]] = {
    "OpenAI: max_tokens of a reasoning model": (
        [unless(has("max_tokens"), openai_error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens", "unsupported_parameter",
        ))],
        {"max_tokens": None, "max_completion_tokens": 1}, ["max_tokens sent as max_completion_tokens"],
    ),
    "OpenAI: temperature of a reasoning model": (
        [unless(has("temperature"), openai_error(
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is "
            "supported.", "temperature", "unsupported_value",
        ))],
        {"temperature": None}, ["temperature removed"],
    ),
    "OpenAI: logprobs of a reasoning model": (
        [unless(has("logprobs"), (400, {"error": {
            "message": "You are not allowed to request logprobs from this model.", "param": None, "code": None,
        }}))],
        dict.fromkeys(NO_LOGPROBS), ["logprobs removed"],
    ),
    "vLLM: more alternatives than allowed": (
        [unless(top_over(5), (400, {
            "object": "error", "message": "Requested sample logprobs of 20, which is greater than max allowed: 5",
            "type": "BadRequestError", "param": None, "code": 400,
        }))],
        {"top_logprobs": 5}, ["top_logprobs at most 5"],
    ),
    "Fireworks: a range of alternatives": (
        [unless(top_over(8), openai_error("top_logprobs must be between 0 and 8 (inclusive)"))],
        {"top_logprobs": 8}, ["top_logprobs at most 8"],
    ),
    "a limit that is not named": (
        [unless(top_over(5), openai_error("top_logprobs is too large", "top_logprobs"))],
        {"top_logprobs": 5}, ["top_logprobs at most 5"],
    ),
    "Gemini: unknown names": (
        [unless(has("logprobs"), gemini(
            'Invalid JSON payload received. Unknown name "logprobs": Cannot find field.\n'
            'Invalid JSON payload received. Unknown name "top_logprobs": Cannot find field.'
        ))],
        dict.fromkeys(NO_LOGPROBS), ["logprobs removed"],
    ),
    "Gemini: logprobs of a model": (
        [unless(has("logprobs"), gemini("Logprobs is not enabled for models/gemini-2.5-flash-lite"))],
        dict.fromkeys(NO_LOGPROBS), ["logprobs removed"],
    ),
    "FastAPI: a forbidden field": (
        [unless(has("response_format"), forbidden("response_format"))],
        {"response_format": None}, ["response_format removed"],
    ),
    "a server without JSON mode": (
        [unless(has("response_format"), openai_error("This model does not support JSON mode (json_object)."))],
        {"response_format": None}, ["response_format removed"],
    ),
    "a template without system messages": (
        [unless(has_system, (400, {"object": "error", "message": "System role not supported"}))],
        {"messages": JOINED}, ["system message sent within the first user message"],
    ),
    "Gemini: Gemma has no system message": (
        [unless(has_system, gemini("Developer instruction is not enabled for models/gemma-3-27b-it"))],
        {"messages": JOINED}, ["system message sent within the first user message"],
    ),
    "OpenAI: o1-mini has no system message": (
        [unless(has_system, openai_error(
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.", "messages[0].role",
        ))],
        {"messages": JOINED}, ["system message sent within the first user message"],
    ),
    "three refusals, one after the other": (
        [
            unless(has("max_tokens"), openai_error("Unknown parameter: 'max_tokens'.", "max_tokens")),
            unless(has("temperature"), openai_error("temperature is deprecated for this model.")),
            unless(has("logprobs"), openai_error("logprobs is not supported with this model")),
        ],
        {"max_tokens": None, "max_completion_tokens": 1, "temperature": None} | dict.fromkeys(NO_LOGPROBS),
        ["max_tokens sent as max_completion_tokens", "temperature removed", "logprobs removed"],
    ),
}  # fmt: skip


def endpoint(url: str) -> OpenAI:
    return OpenAI(url, "some-model", "sk-secret-key", first_pause=0.001)


@pytest.mark.parametrize("case", CASES)
async def test_what_a_server_refuses_is_changed_once_remembered_and_named(case, caplog):
    rules, changed, texts = CASES[case]
    expected = {name: value for name, value in {**REQUEST, **changed}.items() if value is not None}
    with refusing_server(*rules) as served:
        model = endpoint(served.url)
        replies = [await answer(model, REQUEST) for _ in range(3)]
        await model.close()
    assert [reply[ADAPTED] for reply in replies] == [texts] * 3
    assert [{**body, "model": None, "stream": None} for body in served.answered] == [
        {**expected, "model": None, "stream": None}
    ] * 3
    assert len(served.refused) == len(rules)  # and none for the later calls
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == len(texts)  # once each
    assert all("sk-secret-key" not in warning for warning in warnings)


async def test_calls_that_are_refused_together_are_each_repeated_once_and_told_once(caplog):
    rules = [unless(has("logprobs"), openai_error("logprobs is not supported with this model"))]
    with refusing_server(*rules) as served:
        model = endpoint(served.url)
        replies = await asyncio.gather(*(answer(model, REQUEST) for _ in range(8)))
        later = await answer(model, REQUEST)
        await model.close()
    assert all(reply[ADAPTED] == ["logprobs removed"] for reply in [*replies, later])
    assert len(served.answered) == 9
    assert len(served.refused) <= 8
    assert len(caplog.records) == 1


async def test_a_stream_is_adapted_as_a_whole_reply_is():
    rules, _, _ = CASES["three refusals, one after the other"]
    with refusing_server(*rules) as served:
        model = endpoint(served.url)
        texts = [(await complete(model, REQUEST)).text for _ in range(2)]
        await model.close()
    assert texts == ["A", "A"]
    assert (len(served.refused), len(served.answered)) == (3, 2)


OTHER_REFUSALS = [
    openai_error(
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", "messages"
    ),
    openai_error("'max_tokens' or 'max_completion_tokens' is too large: 5000.", "max_tokens"),
    openai_error("The temperature of this prompt violates our content policy.", code="content_filter"),
    openai_error("Invalid value for 'temperature': must be between 0 and 1.", "temperature"),
    (403, {"error": {"message": "logprobs is not supported"}}),
    (400, "<html>Bad request</html>"),
]


@pytest.mark.parametrize("refusal", OTHER_REFUSALS)
async def test_a_refusal_of_the_prompt_or_of_a_value_changes_nothing(refusal):
    with refusing_server(lambda _: refusal) as served:
        model = endpoint(served.url)
        with pytest.raises(EndpointError):
            await answer(model, REQUEST)
        await model.close()
    assert len(served.refused) == 1
    assert model.adaptations.known == []


async def test_a_change_that_does_not_help_is_not_remembered():
    with refusing_server(lambda _: openai_error("Unknown parameter: 'temperature'.")) as served:
        model = endpoint(served.url)
        for _ in range(2):
            with pytest.raises(EndpointError) as caught:
                await answer(model, REQUEST)
        await model.close()
    assert caught.value.failure is Failure.REFUSED
    assert len(served.refused) == 4
    assert model.adaptations.known == []


async def test_a_server_cannot_claim_that_a_request_was_changed():
    with refusing_server(reply=lambda body: {**plain_reply(body), ADAPTED: ["nothing"]}) as served:
        model = endpoint(served.url)
        reply = await answer(model, REQUEST)
        await model.close()
    assert ADAPTED not in reply
