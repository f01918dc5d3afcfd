"""An OpenAI-compatible server on loopback that keeps the bodies it receives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EVENTS = (
    'data: {"choices": [{"index": 0, "delta": {"content": "A red"}, "finish_reason": null}]}\n\n',
    'data: {"choices": [{"index": 0, "delta": {"content": " square."}, "finish_reason": null}]}\n\n',
    'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n',
    "data: [DONE]\n\n",
)


@dataclass
class Recorder:
    """What the server at `url` has received."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def of(self, model: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body["model"] == model]


@contextmanager
def recording_server() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply("application/json", b'{"object": "list", "data": []}')

        def do_POST(self) -> None:
            recorder.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.reply("text/event-stream", *map(str.encode, EVENTS))

        def reply(self, media: str, *pieces: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", media)
            self.send_header("content-length", str(sum(map(len, pieces))))
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder.url = f"http://127.0.0.1:{server.server_port}/v1"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield recorder
        finally:
            server.shutdown()
