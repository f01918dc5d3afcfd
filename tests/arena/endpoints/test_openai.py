"""The OpenAI-compatible endpoint against a server that says exactly what a test wants it to."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from arena.endpoints import EndpointError, Failure, Finish, Usage, complete
from arena.endpoints.endpoint import Blame
from arena.endpoints.openai import OpenAI
from arena.endpoints.poster import HttpClient, HttpStream

REQUEST = {"messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 5}
KEY = "sk-very-secret"
REFUSED = EndpointError(Failure.UNREACHABLE, "refused")
SILENT = EndpointError(Failure.TIMEOUT, "silent for 60 s")


def events(*chunks: object, done: bool = True) -> httpx.Response:
    lines = [f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks]
    return httpx.Response(200, text="".join(lines) + ("data: [DONE]\n\n" if done else ""))


def delta(text: str, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


WHOLE = events(
    delta("Hi"), delta(" there", "stop"), {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
)


@dataclass
class Requests(HttpClient):
    """A client whose server gives `replies` in turn. It keeps the requests."""

    replies: list[httpx.Response | EndpointError] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)

    @asynccontextmanager
    async def stream(self, method: str, path: str, data: bytes | None = None) -> AsyncIterator[HttpStream]:
        self.seen.append(httpx.Request(method, self.url + path, content=data, headers=self.headers))
        reply = self.replies.pop(0)
        if isinstance(reply, EndpointError):
            raise reply
        yield HttpStream(reply.status_code, reply.headers, reply.aiter_bytes())


def server(*replies: httpx.Response | EndpointError, **settings: object) -> tuple[OpenAI, list[httpx.Request]]:
    """An endpoint whose server gives these replies in turn, and the requests it got."""
    endpoint = OpenAI("http://127.0.0.1:9/v1", "some-model", **{"key": KEY, "first_pause": 0.001, **settings})
    client = Requests(endpoint.url, endpoint._headers(), 1, 1, False, replies=list(replies))
    endpoint.client = client
    return endpoint, client.seen


async def failure(endpoint: OpenAI) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await complete(endpoint, REQUEST)
    return caught.value


async def test_a_stream_ends_with_reason_and_usage():
    endpoint, seen = server(WHOLE)
    completion = await complete(endpoint, REQUEST)
    assert completion.text == "Hi there"
    assert completion.finish == Finish("stop", Usage(3, 2))
    body = json.loads(seen[0].content)
    assert body["model"] == "some-model"
    assert body["max_tokens"] == 5
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    await endpoint.close()


async def test_comments_and_empty_lines_are_passed_over():
    reply = httpx.Response(200, text=": ping\n\nevent: x\ndata:" + json.dumps(delta("a", "length")) + "\n\n")
    endpoint, _ = server(reply)
    assert (await complete(endpoint, REQUEST)).finish.reason == "length"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again_before_the_first_token(status):
    endpoint, seen = server(httpx.Response(status, headers={"retry-after": "0"}), WHOLE)
    assert (await complete(endpoint, REQUEST)).text == "Hi there"
    assert len(seen) == 2


async def test_an_unreachable_server_is_tried_again():
    endpoint, seen = server(REFUSED, REFUSED, WHOLE)
    assert (await complete(endpoint, REQUEST)).text == "Hi there"
    assert len(seen) == 3


async def test_nothing_is_tried_again_once_text_has_come():
    endpoint, seen = server(events(delta("Hi"), done=False), WHOLE)
    assert (await failure(endpoint)).failure is Failure.BROKEN
    assert len(seen) == 1


async def test_a_server_that_asks_for_a_long_wait_is_not_waited_for():
    endpoint, seen = server(httpx.Response(429, headers={"retry-after": "3600"}, text="slow down"))
    error = await failure(endpoint)
    assert (error.failure, error.retry_after, len(seen)) == (Failure.RATE_LIMITED, 3600.0, 1)


@pytest.mark.parametrize(
    ("reply", "expected", "detail"),
    [
        (
            httpx.Response(401, json={"error": {"message": "bad key"}}),
            Failure.UNAUTHORISED,
            "answered 401: bad key",
        ),
        (httpx.Response(404, json={"detail": "no model x"}), Failure.REFUSED, "answered 404: no model x"),
        (httpx.Response(400, json={"error": "too long"}), Failure.REFUSED, "answered 400: too long"),
        (httpx.Response(418, text=""), Failure.REFUSED, "answered 418: no explanation"),
        (SILENT, Failure.TIMEOUT, "silent for 60 s"),
    ],
)
async def test_a_refusal_says_what_the_server_said(reply, expected, detail):
    endpoint, seen = server(reply)
    error = await failure(endpoint)
    assert error.failure is expected
    assert detail in error.detail
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (httpx.Response(502, text="<html>bad gateway</html>"), "bad gateway"),
        (events("not json"), "not JSON"),
        (events("[1]"), "not a JSON object"),
        (events({"error": {"message": "out of memory"}}), "failed midway: out of memory"),
        (EndpointError(Failure.BROKEN, "closed"), "closed"),
    ],
)
async def test_a_broken_reply_is_an_error_and_no_completion(reply, detail):
    endpoint, _ = server(reply, retries=0)
    error = await failure(endpoint)
    assert error.failure is Failure.BROKEN
    assert detail in error.detail


async def test_a_server_without_stream_options_is_asked_without():
    refusal = httpx.Response(400, json={"error": "unknown field stream_options"})
    endpoint, seen = server(refusal, WHOLE)
    assert (await complete(endpoint, REQUEST)).text == "Hi there"
    assert "stream_options" not in json.loads(seen[1].content)


async def test_a_key_is_in_no_error_and_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    endpoint, _ = server(httpx.Response(401, text=f"key {KEY} is wrong"))
    error = await failure(endpoint)
    assert KEY not in error.detail
    assert KEY not in caplog.text
    assert KEY not in repr(endpoint)


@pytest.mark.parametrize(
    ("reply", "check"),
    [
        (httpx.Response(200, json={"data": [{"id": "a"}, {"id": "b"}]}), lambda names: names == ["a", "b"]),
    ],
)
async def test_a_servers_models_are_listed(reply: httpx.Response, check: Callable[[list[str]], bool]):
    endpoint, _ = server(reply)
    assert check(await endpoint.models())


@pytest.mark.parametrize("reply", [httpx.Response(200, text="hello"), httpx.Response(500), REFUSED])
async def test_something_else_on_the_port_is_an_error(reply):
    endpoint, _ = server(reply)
    with pytest.raises(EndpointError):
        await endpoint.models()


@pytest.mark.parametrize(
    ("reply", "blame"),
    [
        (REFUSED, Blame.ENDPOINT),
        (httpx.Response(500), Blame.ENDPOINT),
        (httpx.Response(503), Blame.ENDPOINT),
        (httpx.Response(401), Blame.ENDPOINT),
        (httpx.Response(404), Blame.ENDPOINT),
        (httpx.Response(302, headers={"location": "/"}), Blame.ENDPOINT),
        (httpx.Response(400, text="context_length_exceeded"), Blame.PROMPT),
        (httpx.Response(413), Blame.PROMPT),
        (httpx.Response(422), Blame.PROMPT),
        (httpx.Response(403, text="the input was flagged"), Blame.UNCLEAR),
        (httpx.Response(429), Blame.UNCLEAR),
        (httpx.Response(504), Blame.UNCLEAR),
        (SILENT, Blame.UNCLEAR),
        (events(delta("x" * 9000)), Blame.PROMPT),
        (events(delta("Hi"), done=False), Blame.UNCLEAR),
    ],
)
async def test_a_failure_tells_whether_the_prompt_can_have_caused_it(reply, blame):
    endpoint, _ = server(reply, retries=0)
    assert (await failure(endpoint)).blame is blame


HIDDEN = {"choices": [{"delta": {"role": "assistant", "reasoning_content": "hmm"}}]}


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, text=""),
        httpx.Response(200, text="data: nonsense\n\n"),
        httpx.Response(200, headers={"content-encoding": "x-unknown"}, text="?"),
        events(HIDDEN, done=False),
        events({"error": {"message": "overloaded"}}),
        EndpointError(Failure.BROKEN, "cut"),
        EndpointError(Failure.BROKEN, "Server disconnected"),
    ],
)
async def test_a_call_that_the_server_may_have_answered_is_not_made_again(reply):
    """The provider charges for it. Before, four turns were 20 calls."""
    endpoint, seen = server(reply, WHOLE)
    error = await failure(endpoint)
    assert (error.failure, error.charged, error.attempts, len(seen)) == (Failure.BROKEN, True, 1, 1)


async def test_the_calls_of_a_stream_are_told():
    endpoint, _ = server(httpx.Response(503), REFUSED, WHOLE)
    assert (await complete(endpoint, REQUEST)).finish.attempts == 3
    endpoint, _ = server(*[httpx.Response(503)] * 3)
    error = await failure(endpoint)
    assert (error.attempts, error.charged) == (3, False)
