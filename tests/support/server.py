"""Running arenas: the real command in a process of its own, forked from one that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import time
from pathlib import Path

import httpx

STARTING = 60  # seconds an arena may take to open

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["arena.web.app", "arena.cli", "uvicorn"])  # imported once, not at every start


def _serve(folder: Path, arguments: list[str]) -> None:
    """In the child: `arena serve` as if typed in `folder`."""
    os.setsid()
    os.chdir(folder)
    os.environ |= {
        "COLUMNS": "200",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
    }
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    sys.argv = ["arena", "serve", *arguments]
    from arena.cli import main

    main()


class Arena:
    """A running `arena serve`."""

    def __init__(self, folder: Path, config: str, *more: str) -> None:
        (folder / "arena.toml").write_text(config, encoding="utf-8")
        self.log = folder / "log.txt"
        self.log.unlink(missing_ok=True)
        self.process = _forks.Process(target=_serve, args=(folder, ["--port", "0", *more]), daemon=True)
        self.process.start()
        self.url = self._wait_until_open()

    def _wait_until_open(self) -> str:
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self.process.is_alive():
            found = re.search(r"open at (http://\S+)", self._said())
            if found and _answers(found.group(1)):
                return found.group(1)
            time.sleep(0.02)
        raise AssertionError(f"the arena did not open:\n{self._said()}")

    def _said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.is_alive():
            os.kill(self.process.pid, how)
            self.process.join(timeout=20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
