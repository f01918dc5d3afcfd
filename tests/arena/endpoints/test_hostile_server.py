"""Real servers that send what no server should: each call ends as a reply or one typed failure, and soon."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import tracemalloc

import pytest

from arena.endpoints import EndpointError, Failure, complete
from arena.endpoints.endpoint import answer
from arena.endpoints.openai import OpenAI
from arena.endpoints.size_limits import byte_limit, character_limit
from arena.engine.budget import most_tokens, used_tokens
from tests.support.hostile_server import EVENTS, KEY, http, server, stream
from tests.support.odd_replies import CHUNK, NOT_JSON, ODD_USAGES, WHOLE, odd_objects
from tests.support.timing import NO_HANG

pytestmark = pytest.mark.service

REQUEST = {"messages": [{"role": "user", "content": "Hello? \ud800"}], "max_tokens": 16}


async def failures(reply: bytes, endless: bytes = b"") -> list[EndpointError]:
    """The failures of a stream, a whole reply and the list of models."""
    errors = []
    for call in (
        lambda endpoint: complete(endpoint, REQUEST),
        lambda endpoint: answer(endpoint, REQUEST),
        lambda endpoint: endpoint.models(),
    ):
        async with server(reply, endless) as endpoint, asyncio.timeout(30):
            with pytest.raises(EndpointError) as caught:
                await call(endpoint)
            errors.append(caught.value)
    return errors


@pytest.mark.parametrize("data", NOT_JSON, ids=lambda data: repr(data[:30]))
async def test_a_body_that_is_no_object_is_broken(data):
    assert {error.failure for error in await failures(http(200, data))} == {Failure.BROKEN}


@pytest.mark.parametrize("value", odd_objects("message"), ids=lambda value: json.dumps(value)[:60])
async def test_an_object_that_is_no_chat_completion_is_broken(value):
    assert {error.failure for error in await failures(http(200, json.dumps(value)))} == {Failure.BROKEN}


WRONG_LOGPROBS = ["x", [1], {"content": "x"}, {"content": [1]}, {"content": [{"token": 5, "logprob": -1}]},
                  {"content": [{"token": "A", "logprob": "-1"}]}, {"content": [{"token": "A", "logprob": None}]},
                  {"content": [{"token": "A", "logprob": 1e308}]}, {"content": [{"token": "A", "logprob": True}]},
                  {"content": [{"token": "A", "logprob": -1, "top_logprobs": {"A": -1}}]}]  # fmt: skip


@pytest.mark.parametrize("logprobs", WRONG_LOGPROBS, ids=json.dumps)
async def test_a_reply_is_read_without_log_probabilities_of_another_shape(logprobs):
    reply = {**WHOLE, "choices": [{**WHOLE["choices"][0], "logprobs": logprobs}]}
    async with server(http(200, json.dumps(reply))) as endpoint:
        choice = (await answer(endpoint, REQUEST))["choices"][0]
    assert (choice["message"]["content"], "logprobs" in choice) == ("Hi", False)


@pytest.mark.parametrize("usage", ODD_USAGES, ids=json.dumps)
async def test_a_reply_is_read_without_a_usage_of_another_shape(usage):
    async with server(http(200, json.dumps({**WHOLE, "usage": usage}))) as endpoint:
        reply = await answer(endpoint, REQUEST)
    assert "usage" not in reply
    assert used_tokens(REQUEST, reply) == most_tokens(REQUEST)


@pytest.mark.parametrize(
    "body",
    ["\ufeff" + json.dumps(WHOLE), "\n\n  " + json.dumps(WHOLE), stream(CHUNK, "[DONE]")],
    ids=["mark", "lines", "events"],
)
async def test_a_whole_reply_may_come_with_a_byte_order_mark_or_as_a_stream(body):
    data = body if isinstance(body, bytes) else http(200, body)
    async with server(data) as endpoint:
        reply = await answer(endpoint, REQUEST)
    assert reply["choices"][0]["message"]["content"] == "Hi"


@pytest.mark.parametrize(
    "lists",
    [
        "x", {"text_offset": [0]}, {"text_offset": [0], "token_logprobs": ["x"]},
        {"text_offset": ["0"], "token_logprobs": [-1]},
        {"text_offset": [0, 1], "token_logprobs": [-1]}, {"text_offset": [0], "token_logprobs": [-1], "top_logprobs": [5]},
        {"text_offset": [0], "token_logprobs": [-1], "top_logprobs": [{"a": "x"}]},
        {"text_offset": [0], "token_logprobs": [1e400]},
    ],
    ids=json.dumps,
)  # fmt: skip
async def test_an_echoed_prompt_of_another_shape_is_broken(lists):
    async with server(http(200, json.dumps({"choices": [{"logprobs": lists}]}))) as endpoint:
        with pytest.raises(EndpointError) as caught:
            await answer(endpoint, {"context": "a", "continuation": " b"})
    assert caught.value.failure is Failure.BROKEN


@pytest.mark.parametrize(
    "value", ["²", "inf", "nan", "1e400", "-5", "9" * 400, "1_000", "٣", "Mon, 99 Jan 99999 00:00:00 GMT", "1, 2",
              "Mon, 01 Jan 9999999999999999999999 00:00:00 GMT", "\u00bd", "0x10", ""]
)  # fmt: skip
async def test_a_retry_after_that_is_none_is_ignored(value):
    head = f"Retry-After: {value}\r\n".encode().decode("latin-1")
    for error in await failures(http(429, "slow down", head)):
        assert (error.failure, error.retry_after) == (Failure.RATE_LIMITED, None)


@pytest.mark.parametrize("value", ["999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_retry_after_is_at_most_a_day(value):
    for error in await failures(http(503, "later", f"Retry-After: {value}\r\n")):
        assert error.retry_after == 86_400.0


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (http(200, "<html>Sign in</html>", "Content-Type: text/html\r\n"), Failure.BROKEN),
        (http(302, "", "Location: http://127.0.0.1:9/elsewhere\r\n"), Failure.BROKEN),
        (http(307, "", "Location: /v1/chat/completions\r\n"), Failure.BROKEN),
        (http(204, ""), Failure.BROKEN),
        (http(200, gzip.compress(b"data: {}\n\n")[:-6], "Content-Encoding: gzip\r\n"), Failure.BROKEN),
        (http(200, gzip.compress(b"0" * 50_000_000), "Content-Encoding: gzip\r\n"), Failure.BROKEN),
        (http(200, b"x", "Content-Encoding: nonsense\r\n"), Failure.BROKEN),
        (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Failure.BROKEN),
        (b"HTTP/1.1 200 X\r\nContent-Length: -5\r\n\r\n", Failure.BROKEN),
        (b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", Failure.BROKEN),
        (b"HTTP/1.1 9999 X\r\n\r\n", Failure.BROKEN),
        (b"SSH-2.0-OpenSSH\r\n", Failure.BROKEN),
        (b"HTTP/1.1 200 X\r\n" + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n", Failure.BROKEN),
        (b"", Failure.BROKEN),
        (http(400, b"\xff\xfe[" + b"[" * 100_000), Failure.REFUSED),
        (http(500, json.dumps({"error": {"message": {"detail": [1] * 100_000}}})), Failure.BROKEN),
    ],
    ids=lambda value: repr(value[:50]) if isinstance(value, bytes) else value,
)
async def test_what_is_no_http_reply_of_the_protocol_is_a_typed_failure(reply, failure):
    assert {error.failure for error in await failures(reply)} == {failure}


@pytest.mark.parametrize(
    ("head", "endless"),
    [
        (b"HTTP/1.1 200 X\r\n" + EVENTS.encode() + b"\r\n", b"x" * 65_536),
        (b"HTTP/1.1 200 X\r\n" + EVENTS.encode() + b"\r\n", b": keep-alive\n\n" * 5_000),
        (b"HTTP/1.1 200 X\r\n" + EVENTS.encode() + b"\r\n", b'data: {"choices": []}\n\n' * 3_000),
        (b"HTTP/1.1 200 X\r\n" + EVENTS.encode() + b"\r\n",
         b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % (b"word " * 10_000)),
        (b"HTTP/1.1 500 X\r\n\r\n", b"x" * 65_536),
        (b"HTTP/1.1 200 X\r\n\r\n{\"choices\": [", b"1," * 30_000),
    ],
    ids=["no line end", "comments", "no text", "text", "refusal", "whole"],
)  # fmt: skip
async def test_an_endless_reply_is_cut_and_memory_stays_flat(head, endless):
    tracemalloc.start()
    try:
        errors = await failures(head, endless)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert {error.failure for error in errors} == {Failure.BROKEN}


async def test_ten_megabytes_of_text_are_refused_whole_and_streamed():
    text = "word " * 2_000_000
    choice = {"message": {"content": text}, "delta": {"content": text}, "finish_reason": "stop"}
    body = {"choices": [choice]}
    for reply in (http(200, json.dumps(body)), stream(body)):
        for error in await failures(reply):
            assert error.failure is Failure.BROKEN
    text = "word " * (character_limit(REQUEST) // 5 + 1)
    reply = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    assert len(json.dumps(reply)) < byte_limit(REQUEST)
    assert "characters" in (await failures(http(200, json.dumps(reply))))[1].detail


ECHOES = [
    lambda: stream(CHUNK | {"choices": [{"delta": {"content": "a"}}]}, {"error": {"message": f"bad key {KEY}"}}),
    lambda: http(200, f"event: error\ndata: Authorization: Bearer {KEY}\n\n", EVENTS),
    lambda: stream(f"not json {KEY}"),
    lambda: http(200, json.dumps({"error": f"bad key {KEY}"})),
    lambda: http(200, KEY),
    lambda: http(200, json.dumps({"choices": [{KEY: KEY}], "error": KEY})),
    lambda: http(401, f"you sent {KEY[:-3]}..."),
    lambda: http(403, json.dumps({"error": {"headers": {"Authorization": f"Bearer {KEY}"}}})),
    lambda: http(302, "", f"Location: http://elsewhere.example/?key={KEY}\r\n"),
    lambda: http(200, "x", f"Content-Encoding: {KEY}\r\n"),
    lambda: f"HTTP/1.1 200 {KEY}\r\nContent-Length: x{KEY}\r\n\r\n".encode(),
]


@pytest.mark.parametrize("number", range(len(ECHOES)))
async def test_a_key_that_a_server_echoes_is_in_no_error_log_or_traceback(number, caplog):
    caplog.set_level(logging.DEBUG, "arena")
    for error in await failures(ECHOES[number]()):
        logging.getLogger("arena.test").error("failed", exc_info=error)
        assert "very-sec" not in str(error)
        assert error.__cause__ is None
    assert "very-sec" not in caplog.text


@pytest.mark.parametrize("key", ["sk-\u00e9-key-of-many-letters", "sk-line\nbreak-key-of-many"])
async def test_a_key_that_no_header_can_hold_is_a_typed_failure_without_it(key, caplog):
    async with server(b"", key=key) as endpoint:
        for call in (complete(endpoint, REQUEST), answer(endpoint, REQUEST), endpoint.models()):
            with pytest.raises(EndpointError) as caught:
                await call
            assert "of-many" not in str(caught.value)
    assert "of-many" not in caplog.text


async def test_a_password_in_the_address_is_in_no_error():
    endpoint = OpenAI("http://user:pass-word-1@127.0.0.1:9/v1", "some-model", retries=0)
    for call in (complete(endpoint, REQUEST), answer(endpoint, REQUEST), endpoint.models()):
        with pytest.raises(EndpointError) as caught:
            await call
        assert caught.value.failure is Failure.UNREACHABLE
        assert "pass-word" not in str(caught.value)
    await endpoint.close()


async def test_a_server_leaves_no_cookie_here():
    reply = http(200, json.dumps({"data": [{"id": "a"}]}), "Set-Cookie: a=b\r\n")
    async with server(reply) as endpoint:
        assert await endpoint.models() == ["a"]
        assert not list(endpoint._http()._session(keeps_open=False).cookie_jar)


async def test_the_parts_of_a_whole_reply_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]
    reply = {**WHOLE, "choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
    async with server(http(200, json.dumps(reply))) as endpoint:
        assert (await answer(endpoint, REQUEST))["choices"][0]["message"]["content"] == "ab"


async def test_unknown_keys_of_a_reply_are_kept():
    reply = {**WHOLE, "system_fingerprint": {"x": [1]}, "usage": None}
    async with server(http(200, json.dumps(reply))) as endpoint:
        assert await answer(endpoint, REQUEST) == reply


@pytest.mark.parametrize("way", ["stream", "answer"])
async def test_informational_responses_without_end_are_a_timeout(way):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    request = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
    async with server(hints, hints, read_timeout=0.3, connect_timeout=0.2) as endpoint, asyncio.timeout(NO_HANG):
        with pytest.raises(EndpointError) as caught:
            await (complete(endpoint, request) if way == "stream" else endpoint.answer(request))
    assert caught.value.failure is Failure.TIMEOUT
