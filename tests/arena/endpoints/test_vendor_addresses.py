"""Anthropic's and Gemini's OpenAI-compatible addresses, by the shapes of their requests, replies, streams and errors.

Sources: platform.claude.com/docs/en/api/openai-sdk; ai.google.dev/gemini-api/docs/openai; error bodies as users report them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from arena.config import OpenAISettings
from arena.endpoints import EndpointError, Failure, Finish
from arena.endpoints.adaptation import ADAPTED
from arena.endpoints.endpoint import Thinking, answer
from arena.endpoints.openai import OpenAI
from arena.serving.configured_endpoints import make_endpoint
from arena.serving.models import ServedModel
from judges.protocols import alpaca_eval
from judges.replies import Reason, Unparsable
from judges.tokens import Reading, read
from tests.support.refusing_server import Rule, has, refusing_server, unless

pytestmark = pytest.mark.service

JUDGED = {
    "messages": [{"role": "system", "content": "Judge."}, {"role": "user", "content": "A or B?"}],
    "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20,
}  # fmt: skip


def claude(body: Mapping[str, Any]) -> Any:
    """Ignored parameters have no trace in the reply, and fields without a value are always empty."""
    if body["stream"]:
        head = {"id": "msg_1", "object": "chat.completion.chunk", "created": 1, "model": "claude"}
        return [
            {
                **head,
                "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
            },
            {**head, "choices": [{"index": 0, "delta": {"content": "A"}, "finish_reason": None}]},
            {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {**head, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}},
        ]
    message = {"role": "assistant", "content": "A", "refusal": None, "audio": None, "tool_calls": None}
    return {
        "id": "msg_1", "object": "chat.completion", "created": 1, "model": "claude", "system_fingerprint": None,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "completion_tokens_details": None},
    }  # fmt: skip


def gemini(body: Mapping[str, Any]) -> Any:
    """Thoughts are within the content; `completion_tokens` leaves them out, `total_tokens` has them."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 500}
    signature = {"extra_content": {"google": {"thought_signature": "AQ=="}}}
    if body["stream"]:
        head = {"id": "g1", "object": "chat.completion.chunk", "created": 1, "model": "gemini"}
        pieces = [
            ({"role": "assistant", "content": "<thought>**B**"}, None),
            ({"content": " or not</thought>"}, None),
        ]
        last = ({"content": "A", **signature}, "stop")
        return [
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": usage}
            for delta, finish in [*pieces, last]
        ]
    message = {"role": "assistant", "content": "<thought>**B** or not</thought>A", **signature}
    return {
        "id": "g1", "object": "chat.completion", "created": 1, "model": "gemini", "usage": usage,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }  # fmt: skip


def claude_error(message: str) -> tuple[int, Any]:
    return 400, {
        "error": {
            "code": "invalid_request_error",
            "message": message,
            "param": None,
            "type": "invalid_request_error",
        }
    }


def gemini_error(message: str) -> tuple[int, Any]:
    details = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": message}]}
    ]
    return 400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details}}]


CANNOT_FIND = 'Invalid JSON payload received. Unknown name "{}": Cannot find field.'
UNKNOWN = "\n".join(map(CANNOT_FIND.format, ("logprobs", "top_logprobs")))
VENDORS: dict[str, tuple[list[Rule], Any, list[str]]] = {
    "Anthropic": ([], claude, []),
    "Anthropic, a model without temperature": (
        [unless(has("temperature"), claude_error("`temperature` is deprecated for this model."))], claude,
        ["temperature removed"],
    ),
    "Gemini": ([unless(has("logprobs"), gemini_error(UNKNOWN))], gemini, ["logprobs removed"]),
    "Gemini, a model without logprobs": (
        [unless(has("logprobs"), gemini_error("Logprobs is not enabled for models/gemini-2.5-pro"))], gemini,
        ["logprobs removed"],
    ),
}  # fmt: skip


def settings(url: str) -> OpenAISettings:
    return OpenAISettings(name="judge", endpoint="openai", url=f"{url}/", retries=0)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_verdict_is_read_by_its_letter_and_the_reply_names_what_was_changed(vendor):
    rules, reply, texts = VENDORS[vendor]
    with refusing_server(*rules, reply=reply) as served:
        endpoint = make_endpoint(settings(served.url))
        replies = [await answer(endpoint, JUDGED) for _ in range(2)]
        await endpoint.close()
    assert [given.get(ADAPTED, []) for given in replies] == [texts, texts]
    assert [read(given) for given in replies] == [Reading(1.0, by_letter=True)] * 2
    assert alpaca_eval.verdict(replies[0], switched=False) == Unparsable(Reason.EMPTY)  # no log-probabilities
    assert len(served.refused) == len(rules)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_battle_streams_the_text_alone(vendor):
    rules, reply, _ = VENDORS[vendor]
    with refusing_server(*rules, reply=reply) as served:
        model = ServedModel(settings(served.url), make_endpoint(settings(served.url)))
        events = [event async for event in model.stream([{"role": "user", "content": "A or B?"}])]
        await model.endpoint.close()
    assert "".join(event for event in events if not isinstance(event, Finish | Thinking)) == "A"
    [finish] = [event for event in events if isinstance(event, Finish)]
    assert (finish.reason, finish.usage.prompt_tokens, finish.usage.completion_tokens) == ("stop", 9, 1)


@pytest.mark.parametrize("error", [claude_error, gemini_error])
async def test_an_error_shows_the_words_and_no_json(error):
    refusal = error("messages: at least one message is required")
    with refusing_server(lambda _: refusal) as served:
        endpoint = OpenAI(served.url, "judge", retries=0)
        with pytest.raises(EndpointError) as caught:
            await answer(endpoint, JUDGED)
        await endpoint.close()
    assert caught.value.failure is Failure.REFUSED
    assert caught.value.detail.endswith("answered 400: messages: at least one message is required")
