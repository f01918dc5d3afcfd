"""Running arenas: `arena serve` in a process of its own, forked from one that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

STARTING = 60  # seconds an arena may take to open
LIMITS = ("battles", "turns", "votes")
UNLIMITED = (  # a drill's voters share an address
    "[limits]\ncalls_per_minute = 0\ntokens_per_day = 0\nrequests_per_minute = 0\nlag_seconds = 0\n"
    + "".join(f"{what}_per_{whom} = 0\n" for what in LIMITS for whom in ("voter", "address"))
)

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["arena.web.app", "arena.cli", "uvicorn"])  # imported once, not at every start


@dataclass
class Served:
    """An arena with its settings and log in `folder`; it can be started again on the same port."""

    folder: Path
    database_url: str
    tables: str  # settings besides the database and the limits
    port: int = 0
    process: BaseProcess = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        settings = f'database_url = "{self.database_url}"\n{UNLIMITED}{self.tables}'
        (self.folder / "arena.toml").write_text(settings, encoding="utf-8")
        (self.folder / "log.txt").write_bytes(b"")
        self.process = _forks.Process(target=_serve, args=(self.folder, self.port), daemon=True)
        self.process.start()
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self.process.is_alive():
            if opened := re.search(r"open at http://\S+:(\d+)", self.log):
                self.port = int(opened.group(1))
                if _answers(self.url):
                    return
            time.sleep(0.02)
        raise RuntimeError(f"The arena did not open. Its log:\n{self.log}")

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = 60) -> int | None:
        """The exit code, when the process has ended."""
        self.process.join(seconds)
        return self.process.exitcode

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")


def _serve(folder: Path, port: int) -> None:
    """In the child: `arena serve` as if typed in `folder`."""
    os.setsid()
    os.chdir(folder)
    os.environ |= {"COLUMNS": "200", "GRADIO_ANALYTICS_ENABLED": "False"}
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    sys.argv = ["arena", "serve", "--port", str(port)]
    from arena.cli import main

    main()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False
