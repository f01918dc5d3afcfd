"""The error of load tests against a server whose timings are known: `arena speed`, guidellm and evalscope perf.

    python reproduce/load_tests.py [--concurrency 1 4 16] [--requests 48] [--tokens 32] [--peers FOLDER]

`reproduce/streams/timed_server.py` streams completions at constant and at drawn times, in a process of its own, and keeps
when it wrote each piece. Each tool measures the same server in turn, at each number of requests at once. Prints, for each
of them, by how much its means of the time to first token (TTFT), the time per output token (TPOT), the time between
tokens (ITL) and the whole request (E2E), and its output tokens per second, differ from what the server recorded of
that tool's own requests; and whether all are within 2 ms or 2 %. `FOLDER` is the virtual environment of the peers
(`pip install guidellm evalscope[perf]`); a peer that is not there is named and skipped.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

# Files in this folder are named like packages: the folder above takes its place on the path.
ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

import httpx
from rich.console import Console
from rich.table import Table

from reproduce.peers import load_testers
from reproduce.peers.load_testers import Means, Wanted

FIRST, GAP, SHAPE = 0.2, 0.02, 4.0  # seconds, seconds, and the gamma distribution's shape of drawn times
CLOSE_SECONDS, CLOSE_SHARE = 0.002, 0.02  # an error within one of them is small enough
PATIENCE = 600.0  # seconds for one tool at one load


@dataclass(frozen=True)
class Truth:
    """What the server recorded: the means, how many requests, and the most that a piece came after its time (seconds)."""

    means: Means
    requests: int
    lag: float


@contextmanager
def server(*options: str) -> Iterator[str]:
    """The address of a timed server."""
    command = [sys.executable, str(ROOT / "reproduce" / "streams" / "timed_server.py"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def truth(address: str, tokens: int) -> Truth:
    """What the server wrote since the last call, without requests for another number of tokens (trial calls of a tool)."""
    with httpx.Client(trust_env=False) as client:
        served = client.get(f"{address}/record", params={"forget": 1}).json()["served"]
    timed = [one for one in served if one["tokens"] == tokens and one["ended"]]
    if not timed:
        raise RuntimeError(f"the server was sent no request for {tokens} tokens; it was sent {len(served)} others")
    gaps = [(one["written"][-1] - one["written"][0]) / (tokens - 1) for one in timed]
    span = max(one["ended"] for one in timed) - min(one["arrived"] for one in timed)
    means = Means(
        ttft=mean(one["written"][0] - one["arrived"] for one in timed),
        tpot=mean((one["ended"] - one["written"][0]) / (tokens - 1) for one in timed),
        itl=mean(gaps),
        e2e=mean(one["ended"] - one["arrived"] for one in timed),
        throughput=len(timed) * tokens / span,
    )
    return Truth(means, len(timed), max(one["lag"] for one in timed))


def error(measured: float | None, true: float, *, seconds: bool) -> tuple[str, bool | None]:
    """The error in words, and whether it is small enough; (–, None) for what a tool does not measure."""
    if measured is None:
        return "–", None
    off = measured - true
    small = abs(off) <= CLOSE_SHARE * true or (seconds and abs(off) <= CLOSE_SECONDS)
    return f"{1000 * off:+.2f} ms ({off / true:+.1%})" if seconds else f"{off / true:+.1%}", small


def row(name: str, times: str, wanted: Wanted, measured: Means, true: Truth) -> list[str]:
    cells, small = [], []
    for field in ("ttft", "tpot", "itl", "e2e", "throughput"):
        text, close = error(getattr(measured, field), getattr(true.means, field), seconds=field != "throughput")
        cells.append(text)
        small.append(close)
    within = "yes" if all(close is not False for close in small) else "NO"
    return [times, str(wanted.concurrency), name, str(true.requests), *cells, f"{1000 * true.lag:.1f}", within]


def compare(
    testers: Sequence[tuple[str, Callable[[Wanted], Means]]],
    times: str,
    options: Sequence[str],
    given: argparse.Namespace,
) -> Iterator[list[str]]:
    """A row for each load and tool, against one server."""
    with server(*options) as address, tempfile.TemporaryDirectory() as folder:
        for concurrency in given.concurrency:
            for name, measure in testers:
                place = Path(folder, f"{name.split()[0]}-{concurrency}")
                place.mkdir()
                wanted = Wanted(
                    address, concurrency, max(given.requests, concurrency), given.tokens, place, PATIENCE
                )
                try:
                    measured = measure(wanted)
                    yield row(name, times, wanted, measured, truth(address, given.tokens))
                except (load_testers.ToolFailed, RuntimeError) as problem:
                    yield [times, str(concurrency), name, str(problem), *[""] * 7]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--peers", type=Path, help="the virtual environment of the peers")
    given = parser.parse_args()
    console = Console(width=200)
    testers: list[tuple[str, Callable[[Wanted], Means]]] = [("arena speed", load_testers.arena)]
    for peer in load_testers.PEERS:
        version = load_testers.installed(given.peers, peer)
        if version is None:
            console.print(f"{peer.package} is not there (--peers {given.peers}) and is skipped.")
        else:
            testers.append((f"{peer.command} {version}", peer.measures_in(given.peers)))
    table = Table(
        "times", "at once", "tool", "requests", "TTFT", "TPOT", "ITL", "E2E", "tokens per second", "server's lag, ms",
        "within 2 ms or 2 %",
    )  # fmt: skip
    fixed = [f"--first={FIRST}", f"--gap={GAP}"]
    for times, options in (("constant", fixed), ("drawn", [*fixed, f"--shape={SHAPE}"])):
        for cells in compare(testers, times, options, given):
            table.add_row(*cells)
            console.print("  ".join(cells))
    console.print(table)


if __name__ == "__main__":
    main()
