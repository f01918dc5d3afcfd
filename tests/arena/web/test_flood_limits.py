"""Floods of requests: one address is slowed, memory stays bounded, everybody else is served."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
from fastapi.testclient import TestClient

from arena.config import LimitSettings, Settings
from arena.web.app import create_app
from arena.web.client_address import counted_address
from arena.web.flood_limits import ADDRESSES, FloodLimits, TokenBuckets
from arena.web.rendering import templates
from tests.support.arenas import ready
from tests.support.timing import NO_HANG


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_a_minute_and_refills_evenly():
    clock = Clock()
    buckets = TokenBuckets(60, clock)
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == 1.0
    assert buckets.take("b") == 0.0
    clock.now += 2
    assert [buckets.take("a") > 0 for _ in range(3)] == [False, False, True]
    clock.now += 3600
    assert sum(buckets.take("a") == 0 for _ in range(100)) == 60


@pytest.mark.slow
def test_a_million_addresses_take_no_more_memory_than_the_first_ten_thousand():
    buckets = TokenBuckets(60)
    tracemalloc.start()
    for number in range(ADDRESSES):
        buckets.take(str(number))
    before = tracemalloc.get_traced_memory()[0]
    for number in range(ADDRESSES, 200_000):
        buckets.take(str(number))
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(buckets) == ADDRESSES
    assert after < 1.2 * before < 5e6


def test_addresses_of_one_ipv6_network_share_a_bucket():
    buckets = TokenBuckets(10)
    refused = sum(buckets.take(counted_address(f"2001:db8:0:1::{i:x}")) > 0 for i in range(1000))
    assert refused >= 985


def test_a_flood_from_one_address_is_refused_with_the_time(sqlite):
    settings = Settings(limits={"requests_per_minute": 5})
    with TestClient(create_app(settings, sqlite, ready()), client=("198.51.100.1", 1)) as client:
        replies = [client.get("/healthz") for _ in range(7)]
        page = client.get("/leaderboard", headers={"accept": "text/html"})
    assert [reply.status_code for reply in replies] == [200] * 5 + [429] * 2
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 12
    assert "Your network sends too many requests. Please try again in" in replies[-1].text
    assert (page.status_code, "<h1>Too many requests</h1>" in page.text) == (429, True)


@pytest.mark.parametrize(
    ("limits", "status", "others"),
    [({"open_requests_per_address": 2}, 429, 200), ({"open_requests": 2}, 503, 503)],
)
async def test_open_streams_are_limited(limits, status, others):
    released = asyncio.Event()

    async def stream(scope, receive, send):
        await released.wait()

    app = FloodLimits(stream, templates("Arena"), LimitSettings(**limits))

    async def request(client: str) -> int:
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": (client, 1)}
        await app(scope, None, send)
        return sent[0]["status"] if sent else 200

    open_ones = [asyncio.create_task(request("198.51.100.1")) for _ in range(2)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(request("198.51.100.1"), NO_HANG) == status
    other = asyncio.create_task(request("198.51.100.2"))
    await asyncio.sleep(0)
    released.set()
    assert await other == others
    assert [await one for one in open_ones] == [200, 200]
    assert await request("198.51.100.1") == 200
    assert not app._open
