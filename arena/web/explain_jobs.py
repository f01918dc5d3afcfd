"""One explanation at a time, in a process of its own: the page answers meanwhile, and cancelling ends it at once.

What the judge has answered is in the journal, so a cancelled explanation goes on where it was.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from arena.config import Settings
from arena.errors import ConfigError, DatabaseError

log = logging.getLogger(__name__)

TELL_EVERY = 0.25  # seconds between two words of progress
ENDING = 5.0  # seconds that a process gets to end before it is killed
CRASHED = "the explanation ended without a word; the operator's log may say why"


class Busy(Exception):
    """Another explanation is being made; the text is for the visitor."""


@dataclass
class Job:
    """An explanation under way, or how the last one ended."""

    battle: str
    judge: str
    method: str
    about: str = "verdict"
    heads: str = "gradient"
    stage: str = "starting"
    done: int = 0
    total: int = 0
    error: str | None = None
    running: bool = True
    cancelled: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def asked(self) -> tuple[str, str, str, str, str]:
        return self.battle, self.judge, self.method, self.about, self.heads

    def to_dict(self) -> dict[str, Any]:
        told = {name: value for name, value in vars(self).items() if name != "began"}
        return {**told, "seconds": round(time.monotonic() - self.began)}


class Explanations:
    """The jobs of this server. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}  # the last one of each battle
        self._process: multiprocessing.process.BaseProcess | None = None

    def job(self, battle: str) -> Job | None:
        return self._jobs.get(battle)

    def running(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.running), None)

    def begin(self, battle: str, judge: str, method: str, about: str = "verdict", heads: str = "gradient") -> Job:
        """Start it; the same one twice is the same job. Raises `Busy`."""
        with self._lock:
            job = Job(battle, judge, method, about, heads)
            now = self.running()
            if now is not None:
                if now.asked == job.asked:
                    return now
                raise Busy("Another explanation is being made; one runs at a time. Please try again in a minute.")
            self._jobs[battle] = job
            forks = multiprocessing.get_context("spawn")
            ours, theirs = forks.Pipe(duplex=False)
            self._process = forks.Process(target=_work, args=(self._settings, job.asked, theirs), daemon=True)
            self._process.start()
            theirs.close()
            threading.Thread(target=self._follow, args=(job, ours, self._process), daemon=True).start()
            return job

    def cancel(self, battle: str) -> None:
        """End the explanation of this battle, if one is running."""
        with self._lock:
            job = self._jobs.get(battle)
            if job is None or not job.running:
                return
            job.cancelled = True
            self._end()

    def close(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
            self._process.join(ENDING)
            if self._process.is_alive():
                self._process.kill()

    def _follow(self, job: Job, told: Connection, process: multiprocessing.process.BaseProcess) -> None:
        """Take down what the process tells, until it ends."""
        finished = False
        try:
            while True:
                kind, *what = told.recv()
                if kind == "progress":
                    job.stage, job.done, job.total = what
                elif kind == "error":
                    job.error, finished = what[0], True
                else:
                    finished = True
        except EOFError:
            process.join()
        if not finished and not job.cancelled:
            job.error = CRASHED
            log.error("explaining battle %s ended with exit code %s", job.battle, process.exitcode)
        job.running = False


def _work(settings: Settings, asked: tuple[str, str, str, str, str], tell: Connection) -> None:
    """In the child: make the explanation and put it into the store."""
    from arena.explaining import explain
    from arena.explaining.api_judge import JudgeFailed
    from arena.store import Database

    last = 0.0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal last
        if done == 0 or time.monotonic() - last > TELL_EVERY:
            last = time.monotonic()
            tell.send(("progress", stage, done, total))

    database = Database(settings.database_url)
    try:
        battle, judge, method, about, heads = asked
        wanted = explain.ask(database, settings, battle, judge, method, about=about, heads=heads)
        explain.explain(database, settings, wanted, progress)
    except (ConfigError, DatabaseError, JudgeFailed) as problem:
        tell.send(("error", str(problem)))
    else:
        tell.send(("done",))
    finally:
        database.close()
