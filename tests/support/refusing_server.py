"""An OpenAI-compatible server on loopback that refuses requests with some parameters, in the words of real providers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rule = Callable[[Mapping[str, Any]], tuple[int, Any] | None]  # the status and body of a refusal, or None
Reply = Callable[[Mapping[str, Any]], Any]  # the body of a whole reply, or the list of the events of a stream


def openai_error(message: str, param: str | None = None, code: str | None = None) -> tuple[int, Any]:
    return 400, {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def unless(wrong: Callable[[Mapping[str, Any]], bool], refusal: tuple[int, Any]) -> Rule:
    """A rule that refuses bodies for which `wrong` is true."""
    return lambda body: refusal if wrong(body) else None


def has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a body has one of these parameters."""
    return lambda body: any(name in body for name in names)


def plain_reply(body: Mapping[str, Any]) -> Any:
    return {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1},
    }


@dataclass
class RefusingServer:
    """Its address, and the bodies that it has refused and answered."""

    url: str = ""
    refused: list[Mapping[str, Any]] = field(default_factory=list)
    answered: list[Mapping[str, Any]] = field(default_factory=list)


@contextmanager
def refusing_server(*rules: Rule, reply: Reply = plain_reply) -> Iterator[RefusingServer]:
    """A server that applies the rules in order and answers what none refuses, as a stream where one is requested."""
    served = RefusingServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            refusal = _first(rules, body)
            (served.answered if refusal is None else served.refused).append(body)
            status, value = refusal or (200, reply(body))
            stream = refusal is None and body.get("stream")
            data = _events(value) if stream else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def _first(rules: Sequence[Rule], body: Mapping[str, Any]) -> tuple[int, Any] | None:
    return next((refusal for rule in rules if (refusal := rule(body)) is not None), None)


def _events(whole: Any) -> bytes:
    """A stream of one event, or of those of a list."""
    if isinstance(whole, list):
        return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in whole) + b"data: [DONE]\n\n"
    [choice] = whole["choices"]
    event = {"choices": [{"delta": choice["message"], "finish_reason": choice["finish_reason"]}]}
    return f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode()
