"""Python programs in a jail: whether the tests of each one reached their last line, and the reason if not."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache

from arena.errors import ConfigError
from arena.sandbox import memory
from arena.sandbox.inside.tests_side import PASSED
from arena.sandbox.walls import Own, Walls, installed

STARTING = 10.0  # seconds for building a jail on a loaded machine, in addition to the program's own
KEPT = 4000  # characters of the output's end that are kept
LOOKED = 0.05  # seconds between two looks at the memory of a run
READY = b"ready\n"
NUMBERS = itertools.count()


class Unisolated(ConfigError):
    """This machine cannot isolate a program, so none is run."""


@dataclass(frozen=True)
class Limits:
    """The limits of one run. Memory is for all processes together, and once more for all files, which live in memory."""

    seconds: float = 3.0  # on the clock, from its first line on; HumanEval's own limit
    megabytes: int = 512
    processes: int = 8
    files: int = 64

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value <= 0:
                raise ValueError(f"{name} is {value}. Give a limit above 0.")


@dataclass(frozen=True)
class Program:
    """A program, and the tests that use it from a process of their own, where it cannot touch them.

    Names that neither the tests nor Python define are the program's. Without tests a program passes at its last line,
    and only its own word says that it came there.
    """

    solution: str
    tests: str = ""
    names: Sequence[str] = ()  # of the program, although Python defines them too


@dataclass(frozen=True)
class Run:
    """The result of one program: `passed` if its tests reached their last line, else the `reason`: `timeout`,
    `memory`, `exception`, `early exit`, or the signal that ended it."""

    passed: bool
    reason: str
    output: str  # the end of its output, both streams
    seconds: float


def run(program: str | Program, limits: Limits | None = None, inside: Walls | None = None) -> Run:
    """The result of `program` as a main module, with only the standard library. Raises `Unisolated`.

    `inside` chooses the walls; by default bubblewrap's where it works, else those of our own.
    """
    limits, inside = limits or Limits(), inside or _best_walls()
    if isinstance(program, str):
        program = Program(program)
    with tempfile.TemporaryDirectory(prefix="arena-jail-") as root:
        reading, writing = os.pipe()
        plan = {
            **asdict(limits), "program": program.solution, "tests": program.tests, "names": [*program.names], "root": root,
            "number": os.getpid() * 1000 + next(NUMBERS),
            "python": os.path.realpath(sys.executable), "interpreter": os.path.realpath(sys.base_prefix),
        }  # fmt: skip
        jail = subprocess.Popen(  # noqa: S603
            inside.command(plan, writing), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=[writing], start_new_session=True, env={},
        )  # fmt: skip
        os.close(writing)
        try:
            return _watched(jail, reading, plan, limits)
        finally:
            _kill(jail)
            os.close(reading)


def run_all(
    programs: Sequence[str | Program], limits: Limits | None = None, workers: int | None = None
) -> Iterator[Run]:
    """The results of many programs in their order, `workers` at once (by default one a processor)."""
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        yield from pool.map(lambda program: run(program, limits), programs)


def check(inside: Walls | None = None) -> None:
    """Raises `Unisolated` if this machine cannot isolate programs."""
    if not sys.platform.startswith("linux"):
        raise Unisolated(_cannot(f"{sys.platform} has no namespaces"))
    result = run(Program("import os\nwhere = os.getcwd", "assert where() == '/work'"), Limits(seconds=20), inside)
    if not result.passed:
        raise Unisolated(_cannot(f"a program of one line does not pass: {result.reason} {result.output[-300:]}"))


@cache
def _best_walls() -> Walls:
    """Bubblewrap's walls if it is installed and programs run in them, else our own."""
    if (bubblewrap := installed()) is None:
        return Own()
    try:
        check(bubblewrap)
    except Unisolated:
        return Own()
    return bubblewrap


def _watched(jail: subprocess.Popen[bytes], reading: int, plan: object, limits: Limits) -> Run:
    """The result from both pipes, read until the jail ends, its time is up or its memory is full; only the last
    `KEPT` characters stay.
    """
    assert jail.stdin is not None
    assert jail.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # the other pipe holds the reason
        jail.stdin.write(json.dumps(plan).encode())
        jail.stdin.close()
    status_line, output, began = b"", b"", time.monotonic()
    until, ready, reason = began + STARTING, None, ""
    with selectors.DefaultSelector() as selector:
        selector.register(jail.stdout, selectors.EVENT_READ)
        selector.register(reading, selectors.EVENT_READ)
        look = began
        while selector.get_map() and not reason:
            for key, _ in selector.select(LOOKED):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fd == reading:
                    status_line += chunk
                else:
                    output = (output + chunk)[-4 * KEPT :]
            now = time.monotonic()
            if ready is None and status_line.startswith(READY):
                ready, until = now, now + limits.seconds
            if now >= until:
                reason = "timeout"
            elif ready is not None and now >= look:
                look = now + LOOKED
                reason = "memory" if memory.held(jail.pid) > limits.megabytes << 20 else ""
    _kill(jail)
    if ready is None:
        raise Unisolated(
            _cannot("it took too long" if reason else status_line.decode(errors="replace") or "it ended")
        )
    text = output.decode(errors="replace")[-KEPT:]
    passed = status_line == READY + PASSED
    return Run(passed, "" if passed else reason or _reason(jail.wait()), text, time.monotonic() - ready)


def _reason(status: int) -> str:
    if status > 128:
        name = signal.Signals(status - 128).name
        return "timeout" if name == "SIGXCPU" else f"killed by {name}"
    return "early exit" if status == 0 else "exception"


def _kill(jail: subprocess.Popen[bytes]) -> None:
    """The whole group; the kernel then kills all other processes of the jail's namespace."""
    if jail.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # it ended on its own between the two lines
            os.killpg(jail.pid, signal.SIGKILL)
    jail.wait()
    for pipe in (jail.stdin, jail.stdout):
        if pipe is not None:
            pipe.close()


def _cannot(why: str) -> str:
    return (
        f"this machine cannot isolate programs ({' '.join(why.split())}), so none is run. Allow user namespaces "
        "(`sysctl -w kernel.unprivileged_userns_clone=1`, `user.max_user_namespaces` above 0, on Ubuntu "
        "`kernel.apparmor_restrict_unprivileged_userns=0`; in Docker --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined), or run the code tasks on a machine that can"
    )
