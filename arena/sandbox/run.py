"""Python programs in a jail: whether each one reached its last line, and the reason if it did not."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from arena.errors import ConfigError

JAIL = Path(__file__).with_name("jail.py")
STARTING = 10.0  # seconds for building a jail on a loaded machine, in addition to the program's own
KEPT = 4000  # characters of the output's end that are kept
NUMBERS = itertools.count()


class Unisolated(ConfigError):
    """This machine cannot isolate a program, so none is run."""


@dataclass(frozen=True)
class Limits:
    """The limits of one run. Memory is per process, and once more for all files together, which live in memory."""

    seconds: float = 3.0  # on the clock, from its first line on; HumanEval's own limit
    megabytes: int = 512
    processes: int = 8
    files: int = 64

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value <= 0:
                raise ValueError(f"{name} is {value}. Give a limit above 0.")


@dataclass(frozen=True)
class Run:
    """The result of one program: `passed` if it reached its last line, else the `reason`: `timeout`, `exception`,
    `early exit`, or the signal that ended it."""

    passed: bool
    reason: str
    output: str  # the end of its output, both streams
    seconds: float


def run(program: str, limits: Limits | None = None) -> Run:
    """The result of `program` as a main module, with only the standard library. Raises `Unisolated`."""
    limits = limits or Limits()
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="arena-jail-") as root:
        reading, writing = os.pipe()
        plan = {
            **asdict(limits), "program": program, "token": token, "root": root,
            "number": os.getpid() * 1000 + next(NUMBERS),
            "python": os.path.realpath(sys.executable), "interpreter": os.path.realpath(sys.base_prefix),
        }  # fmt: skip
        jail = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(JAIL), str(writing)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=[writing], start_new_session=True, env={},
        )  # fmt: skip
        os.close(writing)
        try:
            return _watched(jail, reading, plan, limits, token)
        finally:
            _kill(jail)
            os.close(reading)


def run_all(programs: Sequence[str], limits: Limits | None = None, workers: int | None = None) -> Iterator[Run]:
    """The results of many programs in their order, `workers` at once (by default one a processor)."""
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        yield from pool.map(lambda program: run(program, limits), programs)


def check() -> None:
    """Raises `Unisolated` if this machine cannot isolate programs."""
    if not sys.platform.startswith("linux"):
        raise Unisolated(_cannot(f"{sys.platform} has no namespaces"))
    result = run("import os\nos.getcwd()", Limits(seconds=20))
    if not result.passed:
        raise Unisolated(_cannot(f"a program of one line does not pass: {result.reason} {result.output[-300:]}"))


def _watched(jail: subprocess.Popen[bytes], reading: int, plan: object, limits: Limits, token: str) -> Run:
    """The result from both pipes, read until the jail ends or the time is up; only the last `KEPT` characters stay."""
    assert jail.stdin is not None
    assert jail.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # the other pipe holds the reason
        jail.stdin.write(json.dumps(plan).encode())
        jail.stdin.close()
    status_line, output, began = b"", b"", time.monotonic()
    until, ready = began + STARTING, None
    with selectors.DefaultSelector() as selector:
        selector.register(jail.stdout, selectors.EVENT_READ)
        selector.register(reading, selectors.EVENT_READ)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fd == reading:
                    status_line += chunk
                else:
                    output = (output + chunk)[-4 * KEPT :]
            if ready is None and status_line.startswith(b"ready\n"):
                ready = time.monotonic()
                until = ready + limits.seconds
        timed_out = bool(selector.get_map())
    _kill(jail)
    if ready is None:
        raise Unisolated(
            _cannot("it took too long" if timed_out else status_line.decode(errors="replace") or "it ended")
        )
    text = output.decode(errors="replace")[-KEPT:]
    passed = status_line == b"ready\n" + token.encode()
    return Run(passed, _reason(passed, timed_out, jail.wait()), text, time.monotonic() - ready)


def _reason(passed: bool, timed_out: bool, status: int) -> str:
    if passed:
        return ""
    if timed_out:
        return "timeout"
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
