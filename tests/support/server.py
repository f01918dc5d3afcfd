"""Running arenas: the real command in a process of its own."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from reproduce.arena_process import LOG, fork, url_when_open


class Arena:
    """A running `arena serve`."""

    def __init__(self, folder: Path, config: str, *more: str) -> None:
        (folder / "arena.toml").write_text(config, encoding="utf-8")
        self.log = folder / LOG
        self.process = fork(folder, ["--port", "0", *more])
        self.url = url_when_open(self.log, self.process.is_alive)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.is_alive():
            os.kill(self.process.pid, how)
            self.process.join(timeout=20)
