"""An arena of a drill, and its models."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit

from reproduce.arena_process import LOG, fork, url_when_open

LIMITS = ("battles", "turns", "votes")
UNLIMITED = (  # a drill's voters share an address
    "[limits]\ncalls_per_minute = 0\ntokens_per_day = 0\nrequests_per_minute = 0\nlag_seconds = 0\n"
    + "".join(f"{what}_per_{whom} = 0\n" for what in LIMITS for whom in ("voter", "address"))
)


def scripted_model(name: str, words: int, delay: float) -> str:
    """The settings of a model that writes so many words, each after `delay` seconds."""
    reply = "word " * words
    return f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = {delay}\nreplies = ["{reply}"]\n'


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
        self.process = fork(self.folder, ["--port", str(self.port)])
        self.port = urlsplit(url_when_open(self.folder / LOG, self.process.is_alive)).port or 0

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
        return (self.folder / LOG).read_text(encoding="utf-8", errors="replace")
