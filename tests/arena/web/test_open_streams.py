"""Which pages read: a stream that is open and takes its data, and none that is closed or stalled."""

from __future__ import annotations

import asyncio

import pytest

from arena.web.open_streams import STALLED, OpenStreams


@pytest.fixture
def now():
    return [0.0]


async def serve(app, streams, send):
    """What a request for the stream of the session `abc` does."""
    with streams.reading("abc") as stream:
        await app(None, None, stream.watched(send))


async def test_a_page_reads_while_its_stream_is_open_and_takes_data(now):
    streams = OpenStreams(lambda: now[0])
    taken, ended = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.body"})
        await ended.wait()

    async def slow_client(message):
        await taken.wait()

    request = asyncio.create_task(serve(app, streams, slow_client))
    await asyncio.sleep(0)
    assert streams.is_read("abc")
    assert not streams.is_read("other")
    now[0] += STALLED
    assert not streams.is_read("abc")
    taken.set()
    await asyncio.sleep(0)
    assert streams.is_read("abc")
    ended.set()
    await request
    assert not streams.is_read("abc")
    assert len(streams) == 0


async def test_a_cancelled_stream_is_closed(now):
    streams = OpenStreams(lambda: now[0])

    async def app(scope, receive, send):
        await asyncio.sleep(60)

    request = asyncio.create_task(serve(app, streams, None))
    await asyncio.sleep(0)
    assert streams.is_read("abc")
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    assert len(streams) == 0
