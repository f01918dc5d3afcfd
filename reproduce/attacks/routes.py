"""Routes that no page uses, and bodies that no page sends."""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import BATTLES, Page
from reproduce.attacks.target import Target

USED = {  # by the battle page
    "/", "/theme.css", "/favicon.ico", "/robots.txt", "/openapi.json",
}  # fmt: skip
TRICKS = (
    "//{0}", "/{0}/", "/{0};x=1", "/./{0}", "/x/../{0}", "/%2e%2e/{0}", "/{0}%00", "/{0}%0a", "/{0}?x", "/{0}#x",
    "/assets/../{0}", "/assets/..%2f{0}", "/assets/%2e%2e/{0}", "/static/..%5c{0}", "/theme.css/../{0}",
)  # fmt: skip
BODY = 100_000_000  # bytes
MEGABYTES = 40.0  # that a flood may add to the server's memory


def unlisted_routes(target: Target) -> Outcome:
    """Each route of the installed Gradio that the page does not use, with every method."""
    paths = [path for path in _gradio_paths() if path not in USED]
    methods = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
    with target.visitor() as http:
        replies = [(http.request(m, path), f"{m} {path}") for path in paths for m in methods]
    return outcome("routes that no page uses", [_unless(reply, 404, 405, name=name) for reply, name in replies])


def address_tricks(target: Target) -> Outcome:
    """Closed routes in other spellings, sent as they stand."""
    closed = (
        "gradio_api/file=" + str(target.folder / "secret.txt"),
        "gradio_api/upload",
        "monitoring",
        "gradio_api/info",
    )
    tries = [trick.format(path) for path in closed for trick in TRICKS]
    tries += [
        path.replace("gradio_api", spelling) for path in closed for spelling in ("GRADIO_API", "gradio%5fapi")
    ]
    replies = [(path, _raw(target, path)) for path in tries]
    return outcome(
        "closed routes in other spellings",
        [
            f"{path}: {reply[:40]}" if " 200 " in reply or target.secret in reply else None
            for path, reply in replies
        ],
    )


def malformed_bodies(target: Target) -> Outcome:
    """Bodies that nearly begin a battle, go on with one or vote, and bodies that are none."""
    tries: list[str | None] = []
    with target.visitor() as http:
        battle, draw = Page(http).answered("Hello?"), random.Random(14)
        http.headers.update({"origin": target.url, "content-type": "application/json"})
        paths = [BATTLES, *(f"{BATTLES}/{battle}/{verb}" for verb in ("turns", "vote", "reroll", "report"))]
        for body in _bodies(draw, 1200):
            reply = http.post(draw.choice(paths), content=body)
            tries.append(f"{reply.status_code}: {body[:60]!r}" if reply.status_code in (500, 502, 504) else None)
    tracebacks = target.log.count("Traceback")
    return outcome("malformed bodies", [*tries, f"{tracebacks} tracebacks" if tracebacks else None])


def large_bodies(target: Target) -> Outcome:
    """100 MB to each kind of route, with and without a declared length, and 9 GB that are only declared."""
    tries: list[str | None] = []
    for path in (
        "/api/v1/battles",
        "/gradio_api/process_recording",
        "/gradio_api/upload",
        "/explain/x",
        "/",
    ):
        for head, chunks in (
            (f"Content-Length: {BODY}", True), ("Transfer-Encoding: chunked", True), ("Content-Length: 9000000000", False)
        ):  # fmt: skip
            before = target.megabytes()
            line = _upload(target, path, head, BODY if chunks else 0)
            grown = target.megabytes() - before
            tries.append(f"{path} {line} {grown:.0f} MB" if " 200 " in line or grown > MEGABYTES else None)
    return outcome("large bodies", tries)


def pages_that_allow_eval(target: Target) -> Outcome:
    """The policy of each page but `/`, whose components Gradio compiles: where a script that gets in could compile text."""
    paths = (
        "/leaderboard",
        "/battles",
        "/benchmarks",
        "/models/canary-alpha",
        "/explain/x",
        "/nosuch",
        "/healthz",
    )
    with target.visitor() as http:
        policies = [(path, http.get(path).headers.get("content-security-policy", "unsafe-eval")) for path in paths]
    return outcome(
        "pages that allow eval", [path if "unsafe-eval" in policy else None for path, policy in policies]
    )


def _gradio_paths() -> list[str]:
    with gr.Blocks() as blocks:
        pass
    app = gr.mount_gradio_app(FastAPI(), blocks, path="/")
    return sorted({re.sub(r"\{[^}]*\}", "1", path) for path in _paths(app.routes)})


def _paths(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        inner = getattr(route, "original_router", route if isinstance(route, Mount) else None)
        if inner is not None:
            yield from _paths(inner.routes)
        else:
            yield str(getattr(route, "path", "/"))


def _unless(reply: httpx.Response, *statuses: int, name: str) -> str | None:
    return None if reply.status_code in statuses else f"{name}: {reply.status_code}"


def _raw(target: Target, path: str) -> str:
    """The start of the reply to an address that no client tidies."""
    with _connection(target) as one:
        address = path if path.startswith("/") else f"/{path}"
        one.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while data := one.recv(65536):
            received += data
    return received.decode(errors="replace")


def _upload(target: Target, path: str, head: str, size: int) -> str:
    """The first line of the reply to a body of `size` bytes."""
    block = b"x" * 1_000_000
    framed = b"f4240\r\n" + block + b"\r\n" if "chunked" in head else block
    with _connection(target) as one:
        try:
            one.sendall(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\nContent-Type: application/json\r\n\r\n".encode()
            )
            for _ in range(size // len(block)):
                one.sendall(framed)
        except OSError:
            pass  # the server has closed the connection, as it should
        try:
            return one.recv(4096).decode(errors="replace").partition("\r\n")[0]
        except OSError:
            return "closed"


def _connection(target: Target) -> socket.socket:
    address = urlsplit(target.url)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=10)


def _bodies(draw: random.Random, number: int) -> Iterator[bytes]:
    """Bodies with up to three wrong members, and now and then no JSON at all."""
    keys = ("prompt", "mode", "models", "images", "again", "winner", "reasons", "final", "side", "kind", "text")
    for _ in range(number):
        body: Any = {"prompt": "a"} | {draw.choice(keys): _value(draw, 3) for _ in range(draw.randint(0, 3))}
        yield draw.randbytes(40) if draw.random() < 0.1 else json.dumps(body).encode()


def _value(draw: random.Random, depth: int) -> Any:
    simple = (
        None,
        True,
        -1,
        0,
        10**30,
        1e999,
        float("nan"),
        "",
        "x" * 3000,
        "\ud800",
        "\0",
        [],
        {},
        "/etc/passwd",
    )
    if depth == 0 or draw.random() < 0.5:
        return draw.choice(simple)
    if draw.random() < 0.5:
        return [_value(draw, depth - 1) for _ in range(draw.randint(0, 3))]
    return {draw.choice(("path", "value", "data", "__type__")): _value(draw, depth - 1) for _ in range(2)}
