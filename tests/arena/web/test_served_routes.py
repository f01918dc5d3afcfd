"""The routes that are served are those on the list: everything else is 404, also what a new Gradio would bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount
from starlette.websockets import WebSocketDisconnect

from arena.config import Settings
from arena.web.app import create_app
from arena.web.served_routes import GRADIO, METHODS
from tests.support.arenas import ready

TRICKS = [
    "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/gradio_api//file=/etc/passwd",
    "//gradio_api/file=/etc/passwd", "/gradio_api/%66ile=/etc/passwd", "/gradio_api/file%3D/etc/passwd",
    "/GRADIO_API/file=/etc/passwd", "/gradio_api/queue/join", "/gradio_api/queue/data",
    "/gradio_api/queue/../file=/etc/passwd",
    "/gradio_api/queue/%2e%2e/file=/etc/passwd", "/gradio_api/queue/data;x/../../file=/etc/passwd",
    "/assets/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/index.html",
    "/assets/sub/x.js", "/assets/.hidden", "/assets/", "/static/img/logo.svg", "/static/..%2fx", "/svelte/svelte.js",
    "/leaderboard/", "/Leaderboard", "/%6ceaderboard", "/leaderboard%2f", "/leaderboard;x=1", "//leaderboard",
    "/./leaderboard", "/x/../leaderboard", "/battles%2fx", "/healthz%20", "/healthz%0a", "/config", "/config/", "/config%0a",
    "/monitoring", "/monitoring/summary", "/login", "/logout", "/pwa_icon", "/manifest.json", "/gradio_api/info",
    "/gradio_api/app_id",
]  # fmt: skip


@pytest.fixture
def app(sqlite) -> FastAPI:
    return create_app(Settings(), sqlite, ready())


@pytest.fixture
def client(app) -> Iterator[TestClient]:
    with TestClient(app) as one:
        yield one


def gradio(app: FastAPI) -> FastAPI:
    return next(route.app for route in app.routes if isinstance(route, Mount))


def leaves(routes: list[BaseRoute]) -> Iterator[Any]:
    """The routes, and those of included routers, which FastAPI keeps apart since 0.130."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from leaves(included.routes)
        elif isinstance(route, Mount):
            yield from leaves(route.routes)
        else:
            yield route


def addresses(app: FastAPI) -> list[str]:
    """Each route of Gradio with its parameters filled in."""
    return sorted({re.sub(r"\{[^}]*\}", "1", route.path) for route in leaves(gradio(app).routes)})


def listed(address: str) -> bool:
    return any(re.fullmatch(pattern, address) for pattern in GRADIO)


@pytest.mark.slow
def test_every_route_of_the_installed_gradio_is_on_the_list_or_not_found(app, client):
    walked = addresses(app)
    assert {"/gradio_api/upload", "/gradio_api/process_recording", "/gradio_api/dev/reload"} <= set(walked)
    assert {"/gradio_api/file=1", "/gradio_api/deep_link", "/gradio_api/startup-events"} <= set(walked)
    assert len(walked) > 50, "the walk does not see the routes of the installed release"
    for address in walked:
        for method in METHODS:
            if listed(address) and method in ("GET", "POST"):
                continue
            status = client.request(method, address).status_code
            allowed = {404, 405} if listed(address) else {404}
            if address == "/" and method == "HEAD":
                allowed = {200}
            assert status in allowed or address == "/openapi.json", (method, address, status)


def test_a_route_that_a_new_gradio_brings_is_not_found(app, client):
    @gradio(app).get("/gradio_api/new_way_in")
    def new() -> str:
        return "open"

    @gradio(app).get("/assets/deep/more")
    def deeper() -> str:
        return "open"

    for address in ("/gradio_api/new_way_in", "/assets/deep/more"):
        assert client.get(address).status_code == 404


def test_a_page_that_is_added_to_the_arena_is_served(app, client):
    @app.get("/added")
    def added() -> str:
        return "open"

    app.router.routes.insert(0, app.router.routes.pop())  # before the mount
    assert client.get("/added").text == '"open"'


def test_tricks_with_addresses_are_not_found(client):
    for path in TRICKS:
        for method in ("GET", "POST", "HEAD"):
            assert raw(client, method, path) == 404, (method, path)


def raw(client: TestClient, method: str, path: str) -> int:
    """The status of an address that is sent as it stands."""
    statuses: list[int] = []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"testserver")], "root_path": "", "scheme": "http", "http_version": "1.1",
        "server": ("testserver", 80), "client": ("127.0.0.1", 5), "asgi": {"version": "3.0"}, "state": {},
    }  # fmt: skip
    anyio.run(client.app, scope, receive, send)
    return statuses[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("POST", "/leaderboard", "GET"), ("DELETE", "/api/v1/battles/x/turns", "GET, HEAD, POST"), ("PUT", "/", "GET, HEAD"),
     ("DELETE", "/api/v1/leaderboard", "GET, HEAD"), ("PATCH", "/explain/x", "GET, POST")],
)  # fmt: skip
def test_another_method_of_a_page_is_refused_with_those_it_has(client, method, path, allow):
    reply = client.request(method, path)
    assert (reply.status_code, reply.headers["allow"]) == (405, allow)


def test_a_websocket_is_refused(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/gradio_api/app_id"):
        pass


def test_a_model_whose_name_has_a_slash_keeps_its_page(client):
    assert "org/name" in client.get("/models/org%2Fname", headers={"accept": "text/html"}).text
