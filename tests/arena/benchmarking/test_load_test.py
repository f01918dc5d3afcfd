"""A load test against real servers: failures are never hidden by retries, and every token counts."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from arena.benchmarking.conversations import Content, Lengths
from arena.benchmarking.load import Load, LoadTestConfig
from arena.benchmarking.load_test import run_load_test
from arena.config import OpenAISettings
from tests.support.timing import TRIES

pytestmark = pytest.mark.service
FIRST, GAP, THOUGHTS, WORDS = 0.2, 0.02, 10, 11  # seconds and pieces


@contextmanager
def served(reply):
    """A server whose completions `reply(handler, number)` writes, numbered from 1; yields its address and the calls."""
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send(200, b'{"object": "list", "data": []}')

        def do_POST(self):
            calls.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            reply(self, len(calls))

        def send(self, status, body):
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def event(self, value):
            self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
            self.wfile.flush()

        def begin(self):
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", calls
        finally:
            server.shutdown()


def delta(**content):
    return {"choices": [{"index": 0, "delta": content, "finish_reason": None}]}


def end(handler, tokens):
    handler.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    handler.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": tokens}})
    handler.wfile.write(b"data: [DONE]\n\n")


def thoughtful(field):
    def reply(handler, _):
        handler.begin()
        time.sleep(FIRST)
        for number in range(THOUGHTS + WORDS):
            handler.event(delta(**{field: "hm"}) if number < THOUGHTS else delta(content="word "))
            time.sleep(GAP)
        end(handler, THOUGHTS + WORDS)

    return reply


def every_second_fails(handler, number):
    if number % 2 == 0:
        return handler.send(503, b'{"error": {"message": "overloaded"}}')
    time.sleep(FIRST)
    handler.begin()
    handler.event(delta(content="word"))
    end(handler, 1)
    return None


def load_report(url, requests):
    settings = OpenAISettings(name="model", endpoint="openai", url=url, model="model")
    config = LoadTestConfig(
        Load(requests=requests, concurrency=1, warmup=0), repeats=1, content=Content(Lengths(3, 3))
    )
    return run_load_test(settings, config)


def test_a_failed_request_is_never_tried_again():
    with served(every_second_fails) as (url, calls):
        report = load_report(url, 8)
    assert len(calls) == 9  # one before the test, and one for each request
    assert (report.succeeded, dict(report.errors)) == (4, {"broken": 4})
    assert report.latencies["ttft"].percentiles[50].value > FIRST - 0.01  # of those that did not fail


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thinking_is_timed_and_reported_apart(field):
    expected = {
        "ttft": pytest.approx(FIRST, abs=0.08),
        "ttft_content": pytest.approx(FIRST + THOUGHTS * GAP, abs=0.12),
        "tpot": pytest.approx(GAP, rel=0.35),
    }
    for _ in range(TRIES):  # a busy machine makes every server slower
        with served(thoughtful(field)) as (url, _):
            report = load_report(url, 3)
        latencies = {name: report.latencies[name].percentiles[50].value for name in expected}
        if latencies == expected:
            break
    assert latencies == expected
    counts = {name: spread.mean.value for name, spread in report.per_request.items()}
    assert counts == {
        "chunks": THOUGHTS + WORDS, "thinking_chunks": THOUGHTS, "content_chunks": WORDS,
        "input_tokens": 7, "output_tokens": THOUGHTS + WORDS,
    }  # fmt: skip


def test_thinking_that_is_no_text_breaks_nothing():
    def odd(handler, _):
        handler.begin()
        handler.event(delta(reasoning_content=["a", {"b": 1}]))
        handler.event(delta(content="word"))
        end(handler, 2)

    with served(odd) as (url, _):
        report = load_report(url, 2)
    assert (report.succeeded, report.per_request["thinking_chunks"].mean.value) == (2, 1)
