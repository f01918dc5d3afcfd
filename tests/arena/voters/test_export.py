"""The download of a voter's data, by clients that take it slowly."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from arena.store.connection_limits import ConnectionLimits
from arena.store.voter_export import AT_ONCE
from arena.voters.export import Downloads
from tests.support.arenas import new_file
from tests.support.own_votes import own_battle

ME = "a" * 32


@pytest.fixture
def one_connection(tmp_path):
    """A database with a single connection."""
    database = new_file(tmp_path / "arena.db", ConnectionLimits(pool_size=1, pool_overflow=0, pool_timeout=2.0))
    yield database
    database.close()


async def test_a_download_that_nobody_takes_holds_no_connection(one_connection):
    for number in range(2 * AT_ONCE + 1):
        own_battle(one_connection, ME, ("amber", "birch"), "tie", prompt=f"Prompt {number}")
    downloads = Downloads(one_connection, lambda text, _whole: text)
    clients = [await downloads.text(ME) for _ in range(3)]
    begun = ["".join([await anext(parts) for _ in range(3)]) for parts in clients]
    own_battle(one_connection, ME, ("amber", "birch"), prompt="Meanwhile")
    for first, parts in zip(begun, clients, strict=True):
        battles = json.loads(first + "".join([part async for part in parts]))["battles"]
        prompts = [battle["prompts"][0]["prompt"] for battle in battles]
        assert prompts == [*(f"Prompt {number}" for number in range(2 * AT_ONCE + 1)), "Meanwhile"]


async def test_many_downloads_at_once_mask_one_text_at_a_time(sqlite):
    """Masking holds the interpreter: many at once would leave little of it to the event loop."""
    own_battle(sqlite, ME, ("amber", "birch"))
    masking, most, lock = 0, 0, threading.Lock()

    def mask(text: str, _whole: bool) -> str:
        nonlocal masking, most
        with lock:
            masking += 1
            most = max(most, masking)
        time.sleep(0.01)
        with lock:
            masking -= 1
        return text

    downloads = Downloads(sqlite, mask)

    async def taken() -> str:
        return "".join([part async for part in await downloads.text(ME)])

    first, *_ = await asyncio.gather(*(taken() for _ in range(8)))
    assert len(json.loads(first)["battles"]) == 1
    assert most == 1
