"""Which streams are read: one that takes its data, and none that is stalled."""

from __future__ import annotations

import asyncio

from arena.web.open_streams import STALLED, Stream


async def test_a_stream_is_read_while_it_takes_its_data():
    now, taken = [0.0], asyncio.Event()
    stream = Stream(lambda: now[0])
    assert stream.is_read

    async def slow_client(_message):
        await taken.wait()

    sending = asyncio.create_task(stream.watched(slow_client)({"type": "http.response.body"}))
    await asyncio.sleep(0)
    assert stream.is_read
    now[0] += STALLED
    assert not stream.is_read
    taken.set()
    await sending
    assert stream.is_read
