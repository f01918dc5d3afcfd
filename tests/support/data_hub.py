"""A server on loopback that stands in for the hub and for the host of published files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class DataHub:
    """Files by path, and how the server behaves. `seen` has the path, range and authorization of every request."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # the API's lists of files, by its path
    status: int | None = None  # of every reply, in place of the file
    cut: int | None = None  # bytes after which a transfer ends early
    cuts: int = 0  # transfers that end early
    ignores_range: bool = False
    seen: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    def dataset(self, name: str, revision: str, files: dict[str, bytes]) -> None:
        self.trees[f"/api/datasets/{name}/tree/{revision}"] = [
            {"type": "file", "path": path, "size": len(content),
             "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1}}
            for path, content in files.items()
        ]  # fmt: skip
        self.files |= {f"/datasets/{name}/resolve/{revision}/{path}": content for path, content in files.items()}


@contextmanager
def data_hub() -> Iterator[DataHub]:
    hub = DataHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, wanted = self.path.partition("?")[0], self.headers.get("range")
            hub.seen.append((path, wanted, self.headers.get("authorization")))
            if hub.status is not None:
                self.reply(hub.status, b"")
            elif path in hub.trees:
                self.reply(200, json.dumps(hub.trees[path]).encode())
            elif path not in hub.files:
                self.reply(404, b"")
            else:
                self.file(hub.files[path], None if hub.ignores_range else wanted)

        def file(self, content: bytes, wanted: str | None) -> None:
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if start >= len(content) and wanted:
                self.reply(416, b"", {"content-range": f"bytes */{len(content)}"})
                return
            headers = {"content-range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if wanted else {}
            self.reply(206 if wanted else 200, content[start:], headers)

        def reply(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"content-length": str(len(content)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if hub.cut is not None and hub.cuts and len(content) > hub.cut:
                hub.cuts -= 1
                content = content[: hub.cut]
                self.close_connection = True
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hub
        finally:
            server.shutdown()
