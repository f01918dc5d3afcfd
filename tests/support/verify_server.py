"""A `siteverify` endpoint and the script of a widget on loopback, in place of those of a third party."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

GOOD = "a-person"
WIDGET = """
window.turnstile = { render(place, options) {
  const button = document.createElement("button");
  button.id = "i-am"; button.type = "button"; button.textContent = "I am a person";
  button.onclick = () => options.callback("a-person");
  place.append(button);
} };
"""


@dataclass
class VerifyServer:
    """What the server was asked, and what it answers: `body` in place of the truth."""

    origin: str = ""
    status: int = 200
    body: str | None = None
    delay: float = 0.0
    secret: str = "top-secret"
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def answer(self, form: dict[str, list[str]]) -> dict[str, object]:
        response = form["response"][0]
        if form["secret"] != [self.secret]:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        if response in self.used:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        if not response.startswith(GOOD):
            return {"success": False, "error-codes": ["invalid-input-response"]}
        self.used.add(response)
        return {"success": True, "score": 0.9, "hostname": "127.0.0.1"}


@contextmanager
def verify_server() -> Iterator[VerifyServer]:
    kept = VerifyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(200, "text/javascript", WIDGET)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            kept.asked.append({**form, "type": [self.headers["content-type"]]})
            time.sleep(kept.delay)
            self.reply(kept.status, "application/json", kept.body or json.dumps(kept.answer(form)))

        def reply(self, status: int, media: str, text: str) -> None:
            self.send_response(status)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept.origin = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
