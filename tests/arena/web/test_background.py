"""Background tasks outlive their failures, and a shutdown closes everything whatever failed."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy.exc import OperationalError

from arena.web import background
from arena.web.background import Periodic, closing, running
from tests.support.timing import NO_HANG


class Work:
    """Fails three times, then works."""

    def __init__(self) -> None:
        self.calls, self.worked = 0, asyncio.Event()

    async def __call__(self) -> None:
        self.calls += 1
        if self.calls <= 3:
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        if self.calls == 5:
            self.worked.set()


async def test_a_task_goes_on_after_failures_and_logs_each_kind_once(caplog):
    caplog.set_level(logging.INFO)
    work = Work()
    task = Periodic("save texts", 0.001, work)
    async with running([task]):
        await asyncio.wait_for(work.worked.wait(), NO_HANG)
        assert (task.failures, task.failure) == (0, None)
    calls = work.calls
    await asyncio.sleep(0.02)
    assert work.calls == calls, "the task outlived its block"
    messages = [record.getMessage() for record in caplog.records]
    assert sum("Failed to save texts (OperationalError" in message for message in messages) == 1
    assert sum("It is possible again to save texts, after 3 failures" in message for message in messages) == 1


async def test_every_step_of_a_shutdown_runs_whatever_failed(caplog, monkeypatch):
    monkeypatch.setattr(background, "CLOSING_TIMEOUT", 0.05)
    closed = []

    async def fails() -> None:
        closed.append("fails")
        raise OSError("it broke")

    async def hangs() -> None:
        closed.append("hangs")
        await asyncio.sleep(60)

    async def works() -> None:
        closed.append("works")

    async with closing(("one", fails), ("two", hangs), ("three", works)):
        assert closed == []
    assert closed == ["fails", "hangs", "works"]
    assert [record.getMessage() for record in caplog.records] == ["Failed to close one.", "Failed to close two."]


async def test_the_steps_run_after_an_error_in_the_block_too():
    closed = []

    async def works() -> None:
        closed.append("works")

    with pytest.raises(KeyError):
        async with closing(("one", works)):
            raise KeyError("x")
    assert closed == ["works"]
