"""A server with OpenAI's /moderations on loopback, which finds words in texts, and fails as a test asks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.timing import PATIENCE

WORDS = {"violence": "bomb", "sexual": "lewd", "hate": "slur"}


@dataclass
class ModerationServer:
    """What the server has received, and how it answers: `status`, a `body` in place of scores, `delay` in seconds.

    It answers nothing while `open` is not set.
    """

    url: str = ""
    status: int = 200
    body: str | None = None
    delay: float = 0.0
    open: threading.Event = field(default_factory=threading.Event)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request["input"]]

    def reply(self, request: dict[str, Any]) -> str:
        return json.dumps({
            "id": "modr-1", "model": request["model"], "results": [scored(text) for text in request["input"]],
        })  # fmt: skip


def scored(text: str) -> dict[str, Any]:
    scores = {category: 0.9 if word in text.lower() else 0.01 for category, word in WORDS.items()}
    flags = {category: score > 0.5 for category, score in scores.items()}
    return {"flagged": any(flags.values()), "categories": flags, "category_scores": scores}


@contextmanager
def moderation_server() -> Iterator[ModerationServer]:
    kept = ModerationServer()
    kept.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            kept.requests.append(request)
            kept.keys.append(self.headers.get("authorization"))
            time.sleep(kept.delay)
            kept.open.wait(PATIENCE)
            data = (kept.reply(request) if kept.body is None else kept.body).encode()
            self.send_response(kept.status)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(data)),
                **kept.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept.url = f"http://127.0.0.1:{server.server_port}/v1"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
