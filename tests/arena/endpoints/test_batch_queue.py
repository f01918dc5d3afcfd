"""Requests gathered into batches."""

from __future__ import annotations

import asyncio
import threading

import pytest

from arena.endpoints import EndpointError, Failure
from arena.endpoints.batch_queue import BatchedEndpoint, BatchQueue, batch_outcomes


async def test_requests_that_arrive_together_are_answered_together_in_order():
    sizes = []

    def answer(requests):
        sizes.append(len(requests))
        return [{"n": request["n"]} for request in requests]

    queue = BatchQueue(answer, at_most=4)
    replies = await asyncio.gather(*(queue.reply({"n": number}) for number in range(10)))
    assert [reply["n"] for reply in replies] == list(range(10))
    assert sizes == [4, 4, 2]
    await queue.close()


async def test_one_request_fails_alone_and_a_broken_library_fails_its_batch():
    def answer(requests):
        if any("break" in request for request in requests):
            raise RuntimeError("no memory")
        return [EndpointError(Failure.REFUSED, "no") if "refuse" in one else {"ok": True} for one in requests]

    queue = BatchQueue(answer, at_most=8)
    good, bad = await asyncio.gather(queue.reply({}), queue.reply({"refuse": 1}), return_exceptions=True)
    assert good == {"ok": True}
    assert bad.failure is Failure.REFUSED
    with pytest.raises(EndpointError, match="RuntimeError: no memory"):
        await queue.reply({"break": 1})
    assert await queue.reply({}) == {"ok": True}
    await queue.close()


async def test_who_left_is_not_answered_and_closing_tells_those_who_wait():
    entered, go = threading.Event(), threading.Event()
    seen = []

    def answer(requests):
        seen.extend(request["n"] for request in requests)
        entered.set()
        go.wait(60)
        return [{} for _ in requests]

    queue = BatchQueue(answer, at_most=1)
    tasks = [asyncio.create_task(queue.reply({"n": number})) for number in range(4)]
    await asyncio.to_thread(entered.wait, 60)
    tasks[1].cancel()
    go.set()
    await tasks[0]
    await tasks[2]
    assert 1 not in seen
    go.clear()
    await queue.close()
    outcome = (await asyncio.gather(tasks[3], return_exceptions=True))[0]
    assert outcome == {} or outcome.failure is Failure.BROKEN
    with pytest.raises(EndpointError, match="closed"):
        await queue.reply({"n": 5})


async def test_a_library_that_loses_a_reply_fails_its_batch():
    queue = BatchQueue(lambda requests: [{}] * (len(requests) - 1), at_most=4)
    for call in [asyncio.create_task(queue.reply({"n": number})) for number in range(2)]:
        with pytest.raises(EndpointError, match="gave 1 replies to 2 requests"):
            await call
    await queue.close()


@pytest.mark.parametrize("error", [KeyError("role"), TypeError("x"), AttributeError("x"), ValueError("x")])
def test_a_malformed_request_fails_alone(error):
    def read(request):
        if "bad" in request:
            raise error
        return request

    outcomes = batch_outcomes([{"n": 1}, {"bad": 1}, {"n": 2}], read, lambda requests: [dict(r) for r in requests])
    assert (outcomes[0], outcomes[2]) == ({"n": 1}, {"n": 2})
    assert outcomes[1].failure is Failure.REFUSED


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), OSError("disk"), TimeoutError()])
async def test_whatever_loading_raises_is_a_typed_failure(error):
    class Endpoint(BatchedEndpoint):
        def _load(self):
            raise error

    with pytest.raises(EndpointError):
        await Endpoint().start()
