"""Load the battle API with many voters at once, beside a server that only passes the same streams on.

    python reproduce/load.py --voters 10 50 100 200

Models, arena and raw proxy run in processes of their own on the same machine; every voter begins one battle, reads its
stream to the end and votes. Prints for each number of voters, in the same run: processor seconds of the arena and of the
proxy for a battle, the ratio while all voters stream (where a turn takes longer than `--ramp`), the delay from the first
token that a model sent to its arrival, bytes on the wire per byte of text, memory that is kept of a voter, and votes that
were acknowledged and are in the database. Linux only.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from rich.console import Console
from rich.table import Table

from reproduce.attacks.target import target
from reproduce.streams.voters import Failed, Reading, read_raw, vote

PACE = 20.0  # tokens a second
MARGIN = 1.0  # seconds after the last voter has begun, and before the first stream ends
SETTINGS = """[battles]
pacing = "{pacing}"
running_at_once = 1000
[limits]
battles_per_address = 0
turns_per_address = 0
votes_per_address = 0
calls_per_minute = 0
requests_per_minute = 0
connections_per_address = 0
open_requests_per_address = 0
open_events_per_address = 0
open_requests = 0
lag_seconds = 0
tokens_per_day = 0
"""
MODEL = """[[models]]
name = "{name}"
endpoint = "openai"
url = "http://127.0.0.1:{port}/v1"
model = "m"
"""
# One battle a voter through Gradio's queue, two cores: voters -> CPU seconds a battle, added p95 in milliseconds
BEFORE = {10: ("1.05", "173"), 50: ("2.8", "–"), 100: ("9.3", "–"), 200: ("20", "–")}


@dataclass(frozen=True)
class Run:
    """The readings of all voters, with the processor seconds of the server for one battle.

    `streaming` is the share of one processor while all voters stream and nobody begins or votes, None without such a time.
    """

    readings: Sequence[Reading]
    cpu: float
    streaming: float | None

    def delay(self, quantile: float) -> float:
        """Milliseconds from the first token to its arrival."""
        return float(np.quantile([reading.delay for reading in self.readings], quantile)) * 1000

    @property
    def bytes_per_byte(self) -> float:
        return sum(reading.wire for reading in self.readings) / sum(reading.text for reading in self.readings)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--voters", type=int, nargs="+", default=[10, 50, 100, 200], help="at once")
    parser.add_argument("--tokens", type=int, default=150, help="of each completion")
    parser.add_argument("--ramp", type=float, default=2.0, help="seconds in which all voters begin")
    parser.add_argument("--format", choices=("text", "html"), default="html", help="of the arena's stream")
    parser.add_argument("--pacing", choices=("equal", "off"), default="off", help="equal pacing waits on purpose")
    options = parser.parse_args()
    with ExitStack() as stack:
        ports = _free_ports(2)
        models = "reproduce.streams.model_server", str(ports[0]), str(options.tokens), str(PACE)
        stack.enter_context(_process(*models, port=ports[0]))
        proxy = stack.enter_context(
            _process("reproduce.streams.raw_proxy", str(ports[1]), f"http://127.0.0.1:{ports[0]}", port=ports[1])
        )
        config = "\n".join(MODEL.format(name=name, port=ports[0]) for name in ("quick-one", "quick-two"))
        arena = stack.enter_context(target(config, SETTINGS.format(pacing=options.pacing)))
        port = int(arena.url.rpartition(":")[2])
        asyncio.run(_warm_up(port, ports[1], options.format))
        most = max(options.voters)
        _run(arena.process.pid, most, options, lambda: vote(port, options.format))  # fills the pools and caches
        rows = []
        megabytes = arena.megabytes()
        for voters in options.voters:
            text = asyncio.run(vote(port, options.format)).text
            raw = _run(proxy.pid, voters, options, lambda: read_raw(ports[1], text))  # noqa: B023
            ours = _run(arena.process.pid, voters, options, lambda: vote(port, options.format))
            rows.append((voters, raw, ours))
        kept = (arena.megabytes() - megabytes) * 1e3 / (len(rows) + sum(options.voters))
        acknowledged = sum(reading.voted for *_, ours in rows for reading in ours.readings)
        acknowledged += 1 + most + len(rows)  # warm-up and texts
        _print(rows, options)
        print(f"{kept:.0f} kB kept of a voter after the end, {megabytes:.0f} MB in all.")
        print(f"{acknowledged} votes acknowledged, {_stored(arena.folder)} in the database.")


async def _warm_up(port: int, proxy: int, form: str) -> None:
    """Wait for the models, and load what is loaded with the first request."""
    await read_raw(proxy, 1)
    end = time.monotonic() + 30
    while True:
        try:
            await vote(port, form)
            return
        except Failed:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.5)


def _run(pid: int, voters: int, options: argparse.Namespace, one: Callable[[], Awaitable[Reading]]) -> Run:
    """Let all voters begin within `options.ramp` seconds."""

    async def later(number: int) -> Reading:
        await asyncio.sleep(options.ramp * number / voters)
        return await one()

    async def all_voters() -> tuple[list[Reading], float | None]:
        streaming = asyncio.create_task(_share(pid, options.ramp + MARGIN, options.tokens / PACE - MARGIN))
        return await asyncio.gather(*map(later, range(voters))), await streaming

    before = _cpu_seconds(pid)
    readings, streaming = asyncio.run(all_voters())
    return Run(readings, (_cpu_seconds(pid) - before) / voters, streaming)


async def _share(pid: int, begin: float, end: float) -> float | None:
    """The share of one processor that a process uses between two moments, in seconds from now; None if end < begin."""
    if end - begin < MARGIN:
        return None
    await asyncio.sleep(begin)
    before, started = _cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(end - begin)
    return (_cpu_seconds(pid) - before) / (time.monotonic() - started)


def _print(rows: Sequence[tuple[int, Run, Run]], options: argparse.Namespace) -> None:
    columns = ("voters", "CPU s a battle", "raw", "ratio", "streaming", "before", "delay p50", "p95 ms", "raw p95", "before",
               "turn s", "raw", "bytes/text")  # fmt: skip
    table = Table(
        *columns,
        title=f"format {options.format}, pacing {options.pacing}, {options.tokens} tokens, begun in {options.ramp:g} s",
    )
    for voters, raw, ours in rows:
        cpu, delay = BEFORE.get(voters, ("–", "–"))
        table.add_row(
            str(voters), f"{ours.cpu:.3f}", f"{raw.cpu:.3f}", f"{ours.cpu / raw.cpu:.2f}", _streaming(ours, raw), cpu,
            f"{ours.delay(0.5):.0f}", f"{ours.delay(0.95):.0f}", f"{raw.delay(0.95):.0f}", delay,
            f"{mean(r.seconds for r in ours.readings):.1f}", f"{mean(r.seconds for r in raw.readings):.1f}",
            f"{ours.bytes_per_byte:.2f}",
        )  # fmt: skip
    Console(width=140).print(table)


def _streaming(ours: Run, raw: Run) -> str:
    """The ratio of both shares of a processor, and the arena's."""
    if not ours.streaming or not raw.streaming:
        return "–"
    return f"{ours.streaming / raw.streaming:.2f} ({ours.streaming:.0%})"


@contextmanager
def _process(module: str, *arguments: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module in a process of its own, once it listens."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=sys.path[0])
    try:
        _wait_for(port)
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"Nothing listens on port {port}.")


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads together."""
    fields = re.sub(r".*\) ", "", Path(f"/proc/{pid}/stat").read_text(encoding="ascii")).split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stored(folder: Path) -> int:
    """The number of votes in the database of an arena."""
    import sqlite3

    with sqlite3.connect(folder / "arena.db") as connection:
        return int(connection.execute("SELECT COUNT(*) FROM vote").fetchone()[0])


if __name__ == "__main__":
    main()
