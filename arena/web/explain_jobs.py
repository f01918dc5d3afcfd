"""Jobs that compute explanations, one at a time, each in a process of its own that can be cancelled at once.

The judge's replies are cached, so a cancelled explanation resumes where it stopped.
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
from arena.explaining.request import ExplainConfig
from arena.messages import TranslatableError, gettext_noop

log = logging.getLogger(__name__)

REPORT_EVERY = 0.25  # seconds between two reports of progress
TERMINATE_SECONDS = 5.0  # between the signal to end and the kill
CRASHED = gettext_noop("The process of the explanation ended unexpectedly. The server log has its exit code.")


class Busy(TranslatableError):
    """Another explanation is being computed; the text is for the visitor."""


@dataclass
class Job:
    """An explanation being computed, or the end of the last one."""

    config: ExplainConfig
    stage: str = gettext_noop("starting")  # in English; a page translates it
    done: int = 0
    total: int = 0
    error: str | None = None
    running: bool = True
    cancelled: bool = False
    began: float = field(default_factory=time.monotonic)

    def to_dict(self) -> dict[str, Any]:
        parts = {name: value for name, value in vars(self).items() if name not in ("config", "began")}
        return {**_shown_config(self.config), **parts, "seconds": round(time.monotonic() - self.began)}


class ExplainJobs:
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

    def begin(self, config: ExplainConfig) -> Job:
        """Start a job, or return the running job of the same config. Raises `Busy`."""
        with self._lock:
            running = self.running()
            if running is not None:
                if running.config == config:
                    return running
                raise Busy(
                    "Another explanation is being computed; one runs at a time. Please try again in a minute."
                )
            job = self._jobs[config.battle] = Job(config)
            context = multiprocessing.get_context("spawn")
            receiver, sender = context.Pipe(duplex=False)
            self._process = context.Process(target=_work, args=(self._settings, config, sender), daemon=True)
            self._process.start()
            sender.close()
            threading.Thread(target=self._follow, args=(job, receiver, self._process), daemon=True).start()
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
            self._process.join(TERMINATE_SECONDS)
            if self._process.is_alive():
                self._process.kill()

    def _follow(self, job: Job, receiver: Connection, process: multiprocessing.process.BaseProcess) -> None:
        """Record the messages of the process until it ends."""
        finished = False
        try:
            while True:
                kind, *values = receiver.recv()
                if kind == "progress":
                    job.stage, job.done, job.total = values
                elif kind == "error":
                    job.error, finished = values[0], True
                else:
                    finished = True
        except EOFError:
            process.join()
        if not finished and not job.cancelled:
            job.error = CRASHED
            log.error("explaining battle %s ended with exit code %s", job.config.battle, process.exitcode)
        job.running = False


def _shown_config(config: ExplainConfig) -> dict[str, str | None]:
    """The config as the page shows it: one method a job."""
    return {
        "battle": config.battle,
        "judge": config.judge,
        "method": config.methods[0],
        "about": config.about,
        "heads": config.heads,
    }


def _work(settings: Settings, config: ExplainConfig, sender: Connection) -> None:
    """In the child process: compute the explanation and store it."""
    from arena.explaining.api_judge import JudgeFailed
    from arena.explaining.explain import explain_battle
    from arena.store import Database

    reported = 0.0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal reported
        if done == 0 or time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            sender.send(("progress", stage, done, total))

    database = Database(settings.database_url)
    try:
        explain_battle(database, settings, config, progress)
    except (ConfigError, DatabaseError, JudgeFailed) as problem:
        sender.send(("error", str(problem)))
    else:
        sender.send(("done",))
    finally:
        database.close()
