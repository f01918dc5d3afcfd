"""Exports and seals that an operator starts: one at a time on this server, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.accounts.audit import record
from arena.config import Settings
from arena.exchange.folder import Exported, export_arena
from arena.exchange.ledger_keys import read_key
from arena.exchange.sealing import seal
from arena.rules.messages import TranslatableError, gettext_noop
from arena.rules.roles import Actor
from arena.store import Database
from arena.store.schema.battles import now

log = logging.getLogger(__name__)

FILE = "arena-export.zip"
FAILED = gettext_noop("The job failed and is in the log of the server. Mend the cause there, then start it again.")


class JobRefused(TranslatableError):
    """A second job was not started; the text is for the operator."""


@dataclass
class LongJob:
    """One export or seal. `number` is that of the exported votes or of the new seals."""

    kind: str  # export or seal
    by: str
    began: datetime = field(default_factory=now)
    ended: datetime | None = None
    number: int | None = None
    problem: str = ""
    file: Path | None = None

    @property
    def seconds(self) -> int:
        """Since it began, or until it ended."""
        return round(((self.ended or now()) - self.began).total_seconds())


class LongJobs:
    """The jobs of this server. Thread-safe. A file stays until the next export begins, or the server stops."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._lock = threading.Lock()
        self._folder: TemporaryDirectory[str] | None = None
        self.last: dict[str, LongJob] = {}

    @property
    def running(self) -> LongJob | None:
        """The job that has not ended."""
        return next((job for job in self.last.values() if job.ended is None), None)

    def begin_export(self, actor: Actor) -> None:
        """Start an export of everything that may be published. Raises `JobRefused`."""
        self._begin("export", actor, self._export)

    def begin_seal(self, actor: Actor) -> None:
        """Start to seal the votes that are not sealed yet. Raises `JobRefused`."""
        self._begin("seal", actor, self._seal)

    def close(self) -> None:
        """Delete the exported file."""
        if self._folder is not None:
            self._folder.cleanup()

    def _begin(self, kind: str, actor: Actor, work: Callable[[LongJob], None]) -> None:
        with self._lock:
            if (running := self.running) is not None:
                raise JobRefused(
                    "Another job runs since {seconds} s, started by {name}. Wait until it has ended.",
                    seconds=running.seconds,
                    name=running.by,
                )
            self._record(actor, f"{kind}.begin", {})
            job = self.last[kind] = LongJob(kind, actor.name)
        threading.Thread(target=self._run, args=(job, actor, work), name=kind, daemon=True).start()

    def _run(self, job: LongJob, actor: Actor, work: Callable[[LongJob], None]) -> None:
        try:
            work(job)
            self._record(actor, f"{job.kind}.end", {"number": job.number})
        except Exception:
            log.exception("The %s that %s started failed.", job.kind, actor.name)
            job.problem = FAILED
        finally:
            job.ended = now()

    def _export(self, job: LongJob) -> None:
        self.close()
        self._folder = TemporaryDirectory(prefix="arena-export-")  # which nobody else can read
        ledger, file = self._settings.ledger, Path(self._folder.name) / FILE
        with self._database.patient() as patient:
            done: Exported = export_arena(
                patient,
                file,
                version=ledger.filter,
                show_judged=self._settings.web.show_judged,
                signer=read_key(ledger.key),
            )
        job.number, job.file = done.votes, file

    def _seal(self, job: LongJob) -> None:
        with self._database.patient() as patient:
            job.number = len(seal(patient, self._settings.ledger.filter).new)

    def _record(self, actor: Actor, action: str, details: dict[str, int | None]) -> None:
        with self._database.write() as session:
            record(session, actor, action, details=details)
