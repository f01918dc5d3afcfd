"""Jobs that compute explanations, one at a time, each in a process of its own that can be cancelled at once.

The judge's replies are cached, so a cancelled explanation resumes where it stopped. A job is cancelled by the visitor who
started it, or by the operator, who ends its process: the log has its number.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from arena.config import Settings
from arena.errors import ConfigError, DatabaseError
from arena.explaining.request import ExplainConfig
from arena.rules.messages import TranslatableError, gettext_noop

log = logging.getLogger(__name__)

REPORT_EVERY = 0.25  # seconds between two reports of progress
TERMINATE_SECONDS = 5.0  # between the signal to end and the kill
ENDED = (-signal.SIGTERM, -signal.SIGINT)  # exit codes of a process that was asked to end
CRASHED = gettext_noop("The process of the explanation ended unexpectedly. The server log has its exit code.")


class NotTheStarter(TranslatableError):
    """A visitor wants to cancel what another one started; the text is for the visitor."""


class Busy(TranslatableError):
    """Another explanation is being computed; the text is for the visitor."""


@dataclass
class Job:
    """An explanation being computed, or the end of the last one. `starter` is the voter who started it."""

    config: ExplainConfig
    starter: str | None = None
    stage: str = gettext_noop("starting")  # in English; a page translates it
    done: int = 0
    total: int = 0
    error: str | None = None
    running: bool = True
    cancelled: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> int:
        """Since it began."""
        return round(time.monotonic() - self.began)

    def to_dict(self) -> dict[str, Any]:
        parts = {name: value for name, value in vars(self).items() if name not in ("config", "began", "starter")}
        return {**_shown_config(self.config), **parts, "seconds": self.seconds}


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

    def begin(self, config: ExplainConfig, starter: str | None = None) -> Job:
        """Start a job, or return the running job of the same config. Raises `Busy`."""
        with self._lock:
            running = self.running()
            if running is not None:
                if running.config == config:
                    return running
                raise Busy(
                    "Another explanation is being computed, by {judge} with {method}, for {seconds} s so far. One runs "
                    "at a time: try again when it has ended.",
                    judge=running.config.judge,
                    method=running.config.methods[0],
                    seconds=running.seconds,
                )
            job = self._jobs[config.battle] = Job(config, starter)
            context = multiprocessing.get_context("spawn")
            receiver, sender = context.Pipe(duplex=False)
            self._process = context.Process(target=_work, args=(self._settings, config, sender), daemon=True)
            self._process.start()
            sender.close()
            log.info(
                "explaining battle %s by %s with %s in process %s; end that process to cancel it",
                config.battle,
                config.judge,
                config.methods[0],
                self._process.pid,
            )
            threading.Thread(target=self._follow, args=(job, receiver, self._process), daemon=True).start()
            return job

    def cancel(self, battle: str, voter: str | None) -> None:
        """End the explanation of this battle, if one is running. Raises `NotTheStarter` for another visitor's."""
        with self._lock:
            job = self._jobs.get(battle)
            if job is None or not job.running:
                return
            if job.starter != voter:
                raise NotTheStarter(
                    "Another visitor started this explanation. Only they, or the operator of this arena, can cancel it."
                )
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
        if process.exitcode in ENDED:  # by the operator
            job.cancelled = True
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
    from arena.explaining.explain import explain_battle
    from arena.explaining.refusals import ExplanationRefused, JudgeFailed
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
    except (ExplanationRefused, JudgeFailed) as problem:
        sender.send(("error", problem.text))  # a phrase, which a page translates
    except (ConfigError, DatabaseError) as problem:
        sender.send(("error", str(problem)))
    else:
        sender.send(("done",))
    finally:
        database.close()
