"""A fake judge on loopback that answers each request rightly, with the quirk that its path names.

`/3/v1/chat/completions` has the quirk `ALL_QUIRKS[3]`. The right side is the completion with the word GOOD.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reproduce.drills.quirk_bodies import Answer, http
from reproduce.drills.quirk_refusals import ALL_QUIRKS

GOOD, BAD = "GOODMARK", "BADMARK"  # in the completions of the better and of the worse model
LETTERS = {"A": -0.2, "B": -1.7}


@dataclass
class QuirkServer:
    """The address, and the numbers of answered and of refused chat completions by quirk."""

    url: str = ""
    calls: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def model_url(self, quirk: int) -> str:
        return f"{self.url}/{quirk}/v1"


def answer_of(request: dict[str, Any]) -> Answer:
    """The right answer to a judge's request, by its mode: a single completion, one token, or a text."""
    prompt = "".join(message["content"] for message in request["messages"])
    if (GOOD in prompt) != (BAD in prompt):
        good, bad = (json.dumps({"strengths": "fair", "score": score}) for score in ("9", "2"))
        return Answer("single", *((good, bad) if GOOD in prompt else (bad, good)), None, request)
    first_is_good = prompt.index(GOOD) < prompt.index(BAD)
    right, wrong = ("A", "B") if first_is_good else ("B", "A")
    if 1 in (request.get("max_tokens"), request.get("max_completion_tokens")):
        top = [{"token": right, "logprob": LETTERS["A"]}, {"token": wrong, "logprob": LETTERS["B"]}]
        tokens = [{**top[0], "top_logprobs": top}] if request.get("logprobs") else None
        return Answer("baseline", right, wrong, tokens, request)
    return Answer("pairwise", f"It is right. [[{right}]]", f"Perhaps [[{wrong}]]", None, request)


@contextmanager
def quirk_server() -> Iterator[QuirkServer]:
    served = QuirkServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            number = int(self.path.split("/")[1])
            body = ALL_QUIRKS[number].body(answer_of(request))
            data = body if isinstance(body, bytes) else http(json.dumps(body).encode())
            (served.refused if data.startswith(b"HTTP/1.1 4") else served.calls)[number] += 1
            self.wfile.write(data)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield served
        finally:
            server.shutdown()
