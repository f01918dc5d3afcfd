"""Who may change something: a bearer token, or the cookie with the arena's own origin; no other page, no form."""

from __future__ import annotations

import httpx
import pytest

from arena.config import Settings
from arena.web.app import create_app
from arena.web.session import COOKIE
from tests.support.arenas import ready
from tests.support.battle_clients import api_client, running_app

HOME = "http://arena.test"


@pytest.fixture
async def app(sqlite):
    async with running_app(sqlite) as one:
        yield one


@pytest.fixture
async def browser(app):
    """A client with the page's cookie, and no token."""
    async with api_client(app, token=False) as client:
        token = (await client.http.post("/api/v1/sessions")).json()["token"]
        client.http.headers["cookie"] = f"{COOKIE}={token}"
        yield client.http


def statuses(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json().get("code", "")


OWN = [
    {"origin": "http://arena.test"}, {"origin": "http://arena.test:80"}, {"origin": "HTTP://ARENA.TEST"},
    {"origin": "https://arena.test"},  # TLS ends in a proxy that is not named in the settings
    {"sec-fetch-site": "same-origin"},
]  # fmt: skip
OTHER = [
    {}, {"origin": "null"}, {"origin": ""}, {"origin": "http://arena.test:8080"}, {"origin": "https://arena.test:80"},
    {"origin": "http://evil.test"}, {"origin": "http://arena.test.evil.test"}, {"origin": "http://sub.arena.test"},
    {"origin": "http://arena.test@evil.test"}, {"origin": "http://evil.test/http://arena.test"}, {"origin": "arena.test"},
    {"origin": "http://arena.test/"}, {"origin": "http://arena.test http://evil.test"}, {"origin": "file://"},
    {"origin": "http://evil.test", "sec-fetch-site": "same-origin"}, {"origin": "null", "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"},
    {"referer": "http://arena.test/"}, {"origin": "http://evil.test", "referer": "http://arena.test/"},
    {"origin": "http://evil.test", "x-forwarded-host": "evil.test"},
    {"origin": "http://evil.test", "forwarded": "host=evil.test"},
]  # fmt: skip


async def test_the_arenas_own_pages_may_change_something(browser):
    made = (await browser.post("/api/v1/battles", json={"prompt": "x"}, headers=OWN[0])).json()
    for headers in OWN:
        reply = await browser.put(f"/api/v1/battles/{made['id']}/shared", json={"shared": True}, headers=headers)
        assert reply.status_code == 200, headers


async def test_other_pages_may_not(browser):
    for headers in OTHER:
        reply = await browser.post("/api/v1/battles", json={"prompt": "x"}, headers=headers)
        assert statuses(reply) == (403, "origin"), headers
        assert "access-control-allow-origin" not in reply.headers


async def test_two_origins_are_none(browser):
    headers = [("origin", HOME), ("origin", "http://evil.test")]
    assert statuses(await browser.post("/api/v1/battles", json={"prompt": "x"}, headers=headers)) == (
        403,
        "origin",
    )


CHANGES = [
    ("POST", ""), ("POST", "/ID/turns"), ("PUT", "/ID/turns/last"), ("POST", "/ID/stop"), ("POST", "/ID/regenerate"),
    ("POST", "/ID/reroll"), ("POST", "/ID/retry"), ("POST", "/ID/vote"), ("DELETE", "/ID/vote"), ("PUT", "/ID/shared"),
    ("POST", "/ID/report"), ("POST", "/ID/leave"), ("POST", "/ID/appeal"),
]  # fmt: skip


async def test_every_change_is_checked(app, browser):
    own = {(method, route.path) for route in _routes(app) for method in route.methods - {"GET", "HEAD"}}
    assert {(m, p.replace("ID", "{battle}")) for m, p in CHANGES} <= own
    assert {(m, f"/api/v1/battles{p}") for m, p in CHANGES} >= {
        (m, f"/api/v1/battles{p.replace('{battle}', 'ID')}")
        for m, p in own
        if p == "" or p.startswith("/{battle}")
    }
    for method, path in CHANGES:
        reply = await browser.request(method, f"/api/v1/battles{path}", headers={"origin": "http://evil.test"})
        assert statuses(reply) == (403, "origin"), (method, path)


def _routes(app):
    from arena.web.v1.battle_routes import router

    return [_Stripped(route.path.removeprefix(router.prefix), route.methods) for route in router.routes]


class _Stripped:
    def __init__(self, path, methods):
        self.path, self.methods = path, methods


FORMS = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "application/jsonp",
]


async def test_what_a_form_can_send_is_refused_even_from_the_own_origin(browser):
    for media in FORMS:
        headers = {"origin": HOME, "content-type": media}
        reply = await browser.post("/api/v1/battles", content=b'{"prompt": "x"}', headers=headers)
        assert statuses(reply) == (415, "media_type"), media


async def test_reading_needs_no_origin_and_grants_none(browser):
    made = (await browser.post("/api/v1/battles", json={"prompt": "x"}, headers={"origin": HOME})).json()
    reply = await browser.get(f"/api/v1/battles/{made['id']}", headers={"origin": "http://evil.test"})
    assert reply.status_code == 200
    assert "access-control-allow-origin" not in reply.headers
    preflight = await browser.options("/api/v1/battles", headers={"origin": "http://evil.test"})
    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in preflight.headers


TOKENS = ["Bearer x", "Bearer", "Basic eDp5", "Bearer x.y", "bearer  ", "Bearer a b"]


async def test_a_false_token_is_no_session_even_with_a_good_cookie(browser):
    for header in TOKENS:
        headers = {"authorization": header, "origin": HOME}
        reply = await browser.post("/api/v1/battles", json={"prompt": "x"}, headers=headers)
        assert statuses(reply) == (401, "no_session"), header
        assert reply.headers["www-authenticate"] == "Bearer"


async def test_without_a_session_nothing_begins(app):
    async with api_client(app, token=False) as client:
        reply = await client.http.post("/api/v1/battles", json={"prompt": "x"}, headers={"origin": HOME})
        assert statuses(reply) == (401, "no_session")
        assert statuses(await client.http.get("/api/v1/battles/AAAAAAAAAAAAAAAA")) == (401, "no_session")


async def test_the_token_and_the_cookie_are_one_voter(browser):
    made = (await browser.post("/api/v1/battles", json={"prompt": "x"}, headers={"origin": HOME})).json()
    token = browser.headers.pop("cookie").partition("=")[2]
    reply = await browser.get(f"/api/v1/battles/{made['id']}", headers={"authorization": f"bearer {token}"})
    assert reply.json()["id"] == made["id"]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "origin", "status"),
    [
        (("127.0.0.1",), "public.test", "https://public.test", 403),
        (("127.0.0.1",), "public.test", "https://arena.test", 201),
        (("127.0.0.1",), "public.test", "http://arena.test", 403),  # the page was not encrypted, the request is
        ((), "public.test", "https://public.test", 403),
    ],
)
async def test_a_forwarded_host_never_counts(sqlite, proxies, forwarded, origin, status):
    """A proxy passes the host on, or `web.public_url` names it: docs/decisions/limits-in-the-store.md."""
    app = create_app(Settings(web={"trusted_proxies": proxies}), sqlite, ready())
    async with app.router.lifespan_context(app), api_client(app) as client:
        token = client.http.headers.pop("authorization").partition(" ")[2]
        headers = {
            "cookie": f"{COOKIE}={token}", "origin": origin, "x-forwarded-host": forwarded, "x-forwarded-proto": "https",
        }  # fmt: skip
        assert (
            await client.http.post("/api/v1/battles", json={"prompt": "x"}, headers=headers)
        ).status_code == status


async def test_the_public_address_is_an_own_origin_behind_a_proxy_that_changes_the_host(sqlite):
    app = create_app(Settings(web={"public_url": "https://public.test"}), sqlite, ready())
    async with app.router.lifespan_context(app), api_client(app) as client:
        token = client.http.headers.pop("authorization").partition(" ")[2]
        client.http.headers["cookie"] = f"{COOKIE}={token}"
        for origin, status in {
            "https://public.test": 201,
            "http://public.test": 403,
            "https://public.test:8": 403,
        }.items():
            reply = await client.http.post("/api/v1/battles", json={"prompt": "x"}, headers={"origin": origin})
            assert reply.status_code == status, origin
