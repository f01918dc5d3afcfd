"""A session runs work over one reply cache, and closes every endpoint whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena.cli.progress import progress_bar
from arena.engine import RESUME_HINT, Call, CallSession, ModelClient, Status, address, open_session, what_next
from tests.support.timing import until_async

IDENTITY = {"endpoint": "fake"}
CONCURRENCY = 2  # calls that run when Ctrl-C is pressed


class Echo:
    """Answers with the prompt after `seconds`, and counts how often it was closed."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.calls, self.closed = seconds, 0, 0

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed += 1

    async def answer(self, request):
        self.calls += 1
        await asyncio.sleep(self.seconds)
        content = request["messages"][0]["content"]
        return {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}

    def stream(self, request): ...


class Unclosable(Echo):
    async def close(self) -> None:
        await super().close()
        raise RuntimeError("cannot be closed")


def calls(count: int, model: str = "echo") -> list[Call]:
    bodies = [{"messages": [{"role": "user", "content": str(number)}]} for number in range(count)]
    return [Call(address(IDENTITY, body), model, body) for body in bodies]


def asking(count: int, model: str = "echo"):
    """Work that runs so many calls and returns how many succeeded."""

    async def work(engine, seen):
        done = 0
        async for result in engine.run(calls(count, model)):
            seen(result)
            done += result.status is Status.OK
        return done

    return work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.jsonl"


def test_a_run_returns_what_its_work_returns_with_counts_and_cost(path):
    endpoint = Echo()
    with open_session(path) as session:
        first = session.run({"echo": ModelClient(endpoint, IDENTITY)}, asking(3), total=3)
        second = session.run({"echo": ModelClient(endpoint, IDENTITY)}, asking(4), total=4)
    assert (first.value, first.call_counts.calls, first.spent, first.stopped) == (3, 3, 0.0, "")
    assert (second.value, second.call_counts.calls, second.call_counts.replayed) == (4, 1, 3)
    assert endpoint.closed == 2


def test_progress_sees_every_result_and_can_stop_the_run(path):
    seen = []

    @contextmanager
    def three(engine, total):
        def update(result):
            seen.append(result.status)
            if len(seen) == 3:
                engine.stop("three are enough")

        yield update
        seen.append(total)

    with open_session(path, three) as session:
        client = ModelClient(Echo(0.01), IDENTITY, concurrency=1)
        result = session.run({"echo": client}, asking(20), total=20)
    assert result.stopped == "three are enough"
    assert len(seen) == 21
    assert seen[-1] == 20
    assert result.call_counts.failed == {"not_asked": 20 - result.value}


def test_every_endpoint_is_closed_when_the_work_and_another_endpoint_fail(path):
    good, bad = Echo(), Unclosable()
    clients = {"good": ModelClient(good, IDENTITY), "bad": ModelClient(bad, IDENTITY)}

    async def broken(engine, seen):
        raise ValueError("broken work")

    with open_session(path) as session, pytest.raises(RuntimeError, match="cannot be closed") as caught:
        session.run(clients, broken, total=0)
    assert isinstance(caught.value.__context__, ValueError)
    assert (good.closed, bad.closed) == (1, 1)


def test_an_endpoint_that_the_next_run_needs_stays_open(path):
    kept, closed = Echo(), Echo()
    clients = {"echo": ModelClient(kept, IDENTITY), "other": ModelClient(closed, IDENTITY)}
    with open_session(path) as session:
        session.run(clients, asking(1), total=1, keep_open=["echo"])
    assert (kept.closed, closed.closed) == (0, 1)


def interrupted(session: CallSession, endpoint: Echo, times: int):
    """A run of 50 calls during which Ctrl-C is pressed so often."""

    async def work(engine, seen):
        async def press():
            await until_async(lambda: endpoint.calls >= CONCURRENCY)
            for _ in range(times):
                await asyncio.sleep(0.05)
                os.kill(os.getpid(), signal.SIGINT)

        pressing = asyncio.create_task(press())
        done = await asking(50)(engine, seen)
        await pressing
        return done

    client = ModelClient(endpoint, IDENTITY, concurrency=CONCURRENCY)
    return session.run({"echo": client}, work, total=50)


def test_the_first_ctrl_c_waits_for_running_calls_and_the_second_cancels_them(path, capsys):
    before = signal.getsignal(signal.SIGINT)
    quick, slow = Echo(0.02), Echo(30)
    with open_session(path, progress_bar) as session:
        once = interrupted(session, quick, 1)
        twice = interrupted(session, slow, 2)
    assert once.stopped == twice.stopped == "interrupted"
    assert once.value == quick.calls == once.call_counts.ended[Status.OK] < 50
    assert once.call_counts.total == 50
    assert (twice.value, slow.calls) == (None, CONCURRENCY)
    assert (quick.closed, slow.closed) == (1, 1)
    assert "Press Ctrl-C again" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_the_same_command_is_advised_only_where_another_try_may_help():
    assert what_next({"timeout": 1, "refused": 2})[0] == RESUME_HINT
    for status in ("refused", "truncated", "unparsable"):
        (hint,) = what_next({status: 3})
        assert hint != RESUME_HINT
    assert what_next({"not_asked": 1}) == [RESUME_HINT]
    assert what_next({}) == []
    (hint,) = what_next({"transport": 1, "not_asked": 9}, ["judge"])
    assert hint.startswith("judge cannot be used. Correct what the reason names; then run the same command again")
