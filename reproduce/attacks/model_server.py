"""A hostile model server: odd shapes, endless replies, echoed keys. Each battle must end as failed, and soon."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import Target, target

UNLIMITED = "[limits]\nbattles_per_voter = 0\nvotes_per_voter = 0\nturns_per_voter = 0"
SOON = 10.0  # seconds in which a battle must end
TEXT = {"delta": {"content": "Well. "}}
DONE = {"delta": {}, "finish_reason": "stop"}
INVISIBLE: tuple[Any, ...] = tuple(
    {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
    for text in ("\u200b", "\u2060", "\n", "&nbsp;")
)
SHAPES: tuple[Any, ...] = (
    *({"choices": value} for value in ({"0": TEXT}, ["text"], "text", 5, [None], [[]])),
    *({"choices": [{"delta": value}]} for value in ("text", 5, ["text"], {"content": 5}, {"content": [5]})),
    *({"choices": [{**TEXT, "finish_reason": value}]} for value in ({"a": 1}, 5, ["stop"], "x" * 300, "error")),
    *({"choices": [{**TEXT, "finish_reason": value}]} for value in ("content_filter", "stop\x00", "a\nb")),
    *({"choices": [DONE], "usage": value} for value in ("x", [1], {"prompt_tokens": -1}, {"prompt_tokens": 10**30})),
    *INVISIBLE,
    {"choices": [{"delta": {"content": "x" * 10_000_000}, "finish_reason": "stop"}]},
    {"error": {"message": "no"}},
    "[" * 100_000,
    '{"choices": [], "n": ' + "9" * 5000 + "}",
    "NaN",
    "<html>",
)  # fmt: skip
# the status and headers of replies that are no stream at all
REFUSALS = (
    (429, {"Retry-After": "²"}), (503, {"Retry-After": "inf"}), (503, {"Retry-After": "1e400"}), (302, {"Location": "/"}),
    (200, {"Content-Encoding": "gzip"}), (204, {}),
)  # fmt: skip


def odd_replies(_: Target) -> Outcome:
    """Every shape on one side of a battle: it gets through if the battle can be voted on, or does not end soon."""
    tries: list[str | None] = []
    with hostile() as url, target(models(url), UNLIMITED) as arena, arena.visitor() as http:
        for number in range(len(SHAPES) + len(REFUSALS)):
            began = time.monotonic()
            page = Page(http)
            received = page.ask(f"shape {number}")
            late = time.monotonic() - began > SOON
            battle = re.findall(r'"id": ?"([A-Za-z0-9_-]+)"', received)
            vote = page.vote(battle[0], "tie").text if battle else "no battle began"
            counted = "does not count" not in vote
            tries.append(f"shape {number}: {'late' if late else vote[-60:]}" if late or counted else None)
            page.ask("fine")  # else the model rests after three failures
    return outcome("odd replies of a model server", tries)


def echoed_keys(_: Target) -> Outcome:
    """The server echoes the key that it was sent: in an error, a stream, a header, in part, encoded."""
    tries: list[str | None] = []
    with hostile() as url, target(models(url), UNLIMITED) as arena, arena.visitor() as http:
        secret = arena.secret
        for number in range(ECHOES):
            page = Page(http)
            received = page.ask(f"echo {number}")
            parts = [secret[at : at + 12] for at in range(len("secret-"), len(secret) - 12)]
            found = [where for where, text in (("page", received), ("log", arena.log))
                     if any(part in text for part in parts)]  # fmt: skip
            tries.append(f"echo {number} in the {found[0]}" if found else None)
            page.ask("fine")
    return outcome("a key that the server echoes", tries)


def models(url: str) -> str:
    """The settings of one hostile model and one that works."""
    return (
        f'[[models]]\nname = "hostile"\nendpoint = "openai"\nurl = "{url}"\nretries = 0\n'
        'api_key_env = "EXAMPLE_API_KEY"\n'
        '[[models]]\nname = "honest"\nendpoint = "scripted"\ndelay = 0.001\n'
    )


ECHOES = 5


def echo(number: int, key: str) -> tuple[int, str]:
    """The status and body of a reply that contains the key."""
    whole = json.dumps({"error": {"message": f"bad key {key}"}})
    return (
        (401, whole),
        (200, f"data: {json.dumps({'choices': [TEXT]})}\n\ndata: {whole}\n\n"),
        (200, f"event: error\ndata: {key}\n\n"),
        (200, f"data: not json {key}\n\n"),
        (500, f"you sent {key[:-4]}... in {key.encode()!r}"),
    )[number]


class Hostile(BaseHTTPRequestHandler):
    """Answers by the last prompt: `shape 3`, `echo 1` or anything else."""

    def do_GET(self) -> None:
        self._send(200, '{"data": [{"id": 5}]}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind, _, number = str(body["messages"][-1]["content"]).partition(" ")
        if kind == "shape" and int(number) >= len(SHAPES):
            status, headers = REFUSALS[int(number) - len(SHAPES)]
            self._send(status, "data: {}\n\n", headers)
        elif kind == "shape":
            shape = SHAPES[int(number)]
            events = [shape] if shape in INVISIBLE else [{"choices": [TEXT]}, shape]
            self._send(200, "".join(map(_event, events)))
        elif kind == "echo":
            self._send(*echo(int(number), str(self.headers["Authorization"]).removeprefix("Bearer ")))
        else:
            self._send(200, "".join(_event({"choices": [part]}) for part in (TEXT, DONE)))

    def _send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        with suppress(ConnectionError):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def _event(data: Any) -> str:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


@contextmanager
def hostile() -> Iterator[str]:
    """The address of a hostile server, in a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
