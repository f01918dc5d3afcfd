"""What it costs to save the texts of 50 running turns every second: CPU time, and the latency of votes meanwhile.

python -m reproduce.drills.saving --seconds 20
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from arena.battles.battles import Battles
from arena.config import BattleSettings, ScriptedSettings
from arena.serving.availability import State
from arena.serving.models import Serving, serve
from arena.store import Database
from arena.web.app import SAVE_EVERY
from arena.web.background import Periodic, running
from reproduce.temporary_postgres import binaries, temporary_postgres

TURNS = 50
WORDS_PER_SECOND = 20  # of each completion
BLOCK = 5.0  # seconds with saving, then as long without
PAUSE = 0.1  # seconds between two votes


@dataclass(frozen=True)
class Block:
    """Latencies, CPU time and time of one stretch, in seconds."""

    latencies: list[float]
    cpu: float
    seconds: float


@dataclass(frozen=True)
class Cost:
    """Latencies in milliseconds; `cpu` is the share of one core."""

    votes: int
    median: float
    p95: float
    cpu: float
    save: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    table = Table(title=f"{TURNS} running turns, {WORDS_PER_SECOND} words a second a side, {seconds:.0f} s each")
    for name in ("database", "texts saved", "votes", "median ms", "p95 ms", "CPU of a core", "ms a save"):
        table.add_column(name, justify="left" if name in ("database", "texts saved") else "right")
    with tempfile.TemporaryDirectory(prefix="arena-drill-") as folder:
        rows(table, "SQLite", f"sqlite:///{Path(folder) / 'arena.db'}", seconds)
    programs = binaries()
    if programs is not None:
        with temporary_postgres(programs) as url:
            rows(table, "PostgreSQL", url, seconds)
    Console(width=100).print(table)


def rows(table: Table, name: str, url: str, seconds: float) -> None:
    database = Database(url)
    database.make_ready()
    for how, cost in asyncio.run(measured(database, seconds)).items():
        numbers = (f"{cost.median:.1f}", f"{cost.p95:.1f}", f"{100 * cost.cpu:.0f} %", f"{cost.save:.0f}")
        table.add_row(name, how, str(cost.votes), *numbers)
    database.close()


async def measured(database: Database, seconds: float) -> dict[str, Cost]:
    """Votes on battles that are over, while others run; saving is on and off in turn, as the machine's load varies."""
    waiting = await finished(database, int(2 * seconds / PAUSE))
    long = int(3 * WORDS_PER_SECOND * (2 * seconds + 60))
    battles = Battles(database, models("word " * long, 1 / WORDS_PER_SECOND), BattleSettings(turn_timeout=3600))
    await battles.open()
    for number in range(TURNS):
        await battles.begin(f"reader {number}", "go")
    saves: list[float] = []

    async def save() -> None:
        began = time.monotonic()
        await battles.save_texts()
        saves.append(time.monotonic() - began)

    blocks: dict[str, list[Block]] = {"at the end only": [], f"every {SAVE_EVERY:g} s": []}
    for _ in range(max(1, int(seconds / BLOCK))):
        for how, done in blocks.items():
            tasks = [] if how.startswith("at") else [Periodic("save", SAVE_EVERY, save)]
            async with running(tasks):
                done.append(await block(battles, waiting))
    await battles.close()
    return {how: _cost(done, [] if how.startswith("at") else saves) for how, done in blocks.items()}


async def block(battles: Battles, waiting: list[str]) -> Block:
    cpu, began = time.process_time(), time.monotonic()
    latencies = []
    while time.monotonic() - began < BLOCK:
        latencies.append(await vote(battles, waiting.pop()))
    return Block(latencies, time.process_time() - cpu, time.monotonic() - began)


def _cost(blocks: list[Block], saves: list[float]) -> Cost:
    milliseconds = 1000 * np.concatenate([block.latencies for block in blocks])
    share = sum(block.cpu for block in blocks) / sum(block.seconds for block in blocks)
    median, p95 = np.percentile(milliseconds, (50, 95))
    return Cost(len(milliseconds), float(median), float(p95), share, 1000 * float(np.median(saves or [0])))


async def finished(database: Database, number: int) -> list[str]:
    """Battles that wait for the vote of `ann`."""
    battles = Battles(
        database, models("done", 0), BattleSettings(running_per_voter=number, running_at_once=number)
    )
    await battles.open()
    ids = [(await battles.begin("ann", "go")).public_id for _ in range(number)]
    await battles.drain(60)
    return ids


async def vote(battles: Battles, battle: str) -> float:
    await asyncio.sleep(PAUSE)
    began = time.monotonic()
    await battles.vote("ann", battle, "tie")
    return time.monotonic() - began


def models(reply: str, delay: float) -> Serving:
    serving = serve(
        ScriptedSettings(name=name, endpoint="scripted", replies=(reply,), delay=delay) for name in ("one", "two")
    )
    for model in serving.models.values():
        model.availability.state = State.READY
    return serving


if __name__ == "__main__":
    main()
