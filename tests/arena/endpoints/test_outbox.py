"""Events of a thread reach their readers, in order, and wake the loop once."""

import asyncio

from arena.endpoints.endpoint import Finish
from arena.endpoints.outbox import Outbox, at_the_end


async def test_many_events_wake_the_loop_once_and_keep_their_order():
    loop, calls = asyncio.get_running_loop(), []
    outbox = Outbox(loop)
    outbox.loop = type("Counted", (), {"is_closed": loop.is_closed, "call_soon_threadsafe": calls.append})()
    queues = [asyncio.Queue() for _ in range(3)]
    senders = [outbox.sender(events) for events in queues]
    for number in range(4):
        for send in senders:
            send(str(number))
    assert len(calls) == 1
    calls[0]()
    assert [[events.get_nowait() for _ in range(4)] for events in queues] == [["0", "1", "2", "3"]] * 3
    senders[0]("later")
    assert len(calls) == 2


async def test_two_threads_lose_no_event():
    outbox = Outbox(asyncio.get_running_loop())
    queues = [asyncio.Queue(), asyncio.Queue()]

    def write(events):
        send = outbox.sender(events)
        for number in range(2000):
            send(str(number))

    await asyncio.gather(*(asyncio.to_thread(write, events) for events in queues))
    for events in queues:
        assert [await asyncio.wait_for(events.get(), 60) for _ in range(2000)] == [str(n) for n in range(2000)]


def test_a_whole_text_comes_with_its_end():
    got = []
    send = at_the_end(got.append)
    for event in ("a", "b", Finish("stop")):
        send(event)
    assert got == ["ab", Finish("stop")]
