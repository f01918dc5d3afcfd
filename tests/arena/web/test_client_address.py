"""Whose address and whose host name are believed."""

from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient

from arena.config import Settings, WebSettings
from arena.web.app import create_app
from arena.web.client_address import TrustedProxies, address_of, counted_address
from arena.web.hosts import on_this_arena, served_hosts
from tests.support.arenas import ready

FORGED = (
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"x-gradio-server",
)  # fmt: skip


async def seen(peer: str, headers: dict[bytes, bytes] | list, proxies: tuple[str, ...] = ()) -> dict:
    """The request that the application sees."""
    result: dict = {}

    async def app(scope, receive, send):
        result.update(scope)

    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    scope = {"type": "http", "scheme": "http", "client": (peer, 1), "headers": [(b"host", b"a"), *pairs]}
    await TrustedProxies(app, proxies)(scope, None, None)
    return result


@pytest.mark.parametrize("peer", ["127.0.0.1", "203.0.113.9", "::1"])
async def test_nobody_is_believed_by_default(peer):
    request = await seen(peer, dict.fromkeys(FORGED, b"198.51.100.1"))
    assert request["client"][0] == peer
    assert request["headers"] == [(b"host", b"a")]
    assert request["scheme"] == "http"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"198.51.100.1", "198.51.100.1"),
        (b"6.6.6.6, 198.51.100.1", "198.51.100.1"),  # the client wrote the first one
        (b"6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),  # through two proxies of ours
        (b"10.0.0.1, 198.51.100.1", "198.51.100.1"),
        (b"198.51.100.1:4711", "198.51.100.1"),
        (b"[2001:db8::1]:4711", "2001:db8::1"),
    ],
)
async def test_the_rightmost_address_that_is_no_proxy_counts(forwarded, client):
    request = await seen("10.0.0.2", {b"x-forwarded-for": forwarded}, ("10.0.0.0/8",))
    assert request["client"][0] == client


async def test_two_headers_are_read_as_one(caplog):
    headers = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.1")]
    request = await seen("10.0.0.2", headers, ("10.0.0.2",))
    assert request["client"][0] == "198.51.100.1"


async def test_even_a_proxy_does_not_choose_the_host():
    request = await seen("10.0.0.2", {b"x-forwarded-host": b"evil.example"}, ("10.0.0.2",))
    assert request["headers"] == [(b"host", b"a")]


async def test_a_proxy_that_is_not_named_is_reported(caplog):
    with caplog.at_level(logging.WARNING):
        await seen("127.0.0.1", {b"x-forwarded-for": b"198.51.100.1"})
    assert "name it in web.trusted_proxies" in caplog.text


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_visitor_is_their_network(host, counted):
    assert counted_address(host) == counted
    assert address_of({"client": (host, 1)} if host else {}) == counted


@pytest.fixture
def client(sqlite):
    web = WebSettings(allowed_hosts=("Arena.example", "*.arena.example"), public_url="https://arena.example")
    with TestClient(create_app(Settings(web=web), sqlite, ready()), follow_redirects=False) as one:
        yield one


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("arena.example", 200), ("ARENA.example:7860", 200), ("arena.example.", 200), ("eu.arena.example", 200),
        ("127.0.0.1:7860", 200), ("[::1]:7860", 200),
        ("evil.example", 400), ("evilarena.example", 400), ("arena.example.evil", 400), ("a b", 400), ("", 400),
        ("arena.example:x", 400), ("evil.example/arena.example", 400), ("user@arena.example", 400),
    ],
)  # fmt: skip
def test_only_the_hosts_of_this_arena_are_served(client, host, status):
    reply = client.get("/healthz", headers={"host": host})
    assert reply.status_code == status
    assert status == 200 or "web.allowed_hosts" in reply.text


def test_local_names_are_served_without_a_setting():
    names = served_hosts(WebSettings(host="arena.lan", public_url="https://arena.example:8443"))
    assert {"localhost", "arena.lan", "arena.example"} <= set(names)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["/logout", "/leaderboard/", "//evil.example/", "/battles/", "/login/", "/models/"]
)
def test_no_redirect_leads_to_the_host_of_the_request(sqlite, path):
    with TestClient(create_app(Settings(), sqlite, ready()), follow_redirects=False) as client:
        headers = {
            "host": "evil.example",
            "x-forwarded-host": "evil.example",
            "x-gradio-server": "http://evil.example",
        }
        reply = client.get(path, headers=headers)
        location = reply.headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    ("location", "relative"),
    [
        ("http://evil.example", "/"),
        ("https://evil.example/leaderboard?x=1#y", "/leaderboard?x=1#y"),
        ("//evil.example/x", "/x"),
        ("http://arena//evil.example", "/evil.example"),
        ("/\\evil.example", "/evil.example"),
        ("http://[", "/"),
        ("/explain/abc", "/explain/abc"),
        ("next?page=2", "next?page=2"),
    ],
)
def test_a_redirect_stays_on_the_arena(location, relative):
    assert on_this_arena(location) == relative


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/api/v1/table.html", "/api/v1/feed.atom", "/leaderboard"])
def test_embedded_links_have_the_public_address(client, path):
    text = client.get(path, headers={"host": "eu.arena.example", "accept": "*/*"}).text
    assert "eu.arena.example" not in text
    assert "https://arena.example/" in text
