"""`arena view`: runs, prompt sets and comparisons as pages of this machine. Everything is read, and nothing is changed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from arena.config import Settings
from arena.errors import ConfigError
from arena.judging.reopened_run import ReopenedRun, reopen
from arena.judging.run_log import RunRecord, UnknownJudgeRun, judge_run
from arena.store import Database
from arena.store.benchmarks import UnknownRun
from arena.store.prompts import UnknownPromptSet
from arena.web.run_pages.bench_document import bench_document
from arena.web.run_pages.comparison_document import comparison_document
from arena.web.run_pages.document import RunDocument
from arena.web.run_pages.judge_document import judge_document, result_document
from arena.web.run_pages.prompt_document import prompt_document

KEPT = 4  # documents in memory: those that a person goes back and forth between
FRESH = 5.0  # seconds after which a page is made again: a run may have ended since
ABSENT = (UnknownJudgeRun, UnknownRun, UnknownPromptSet)


class NoSuchPage(Exception):
    """No run, set or comparison has this address; the text says which there are."""


@dataclass
class Documents:
    """The documents that were read last, by the two parts of their address."""

    database: Database
    settings: Settings
    reply_cache: Path
    _kept: OrderedDict[tuple[str, str], tuple[float, RunDocument]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def document(self, kind: str, name: str, *, fresh: bool = False) -> RunDocument:
        """The document of an address; a `fresh` one is not older than `FRESH`. Raises `NoSuchPage`, `ConfigError`."""
        with self._lock:
            made, known = self._kept.get((kind, name), (0.0, None))
            if known is None or (fresh and time.monotonic() - made > FRESH):
                known = self._made(kind, name)
                self._kept[kind, name] = time.monotonic(), known
            self._kept.move_to_end((kind, name))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return known

    def _made(self, kind: str, name: str) -> RunDocument:
        kinds: dict[str, Callable[[str], RunDocument]] = {
            "judge": self._judge,
            "bench": self._bench,
            "prompts": self._prompts,
            "compare": self._compare,
        }
        if kind not in kinds:
            raise NoSuchPage("There is no such page.")
        try:
            return kinds[kind](name)
        except ABSENT as problem:
            raise NoSuchPage(str(problem)) from problem

    def _judge(self, name: str) -> RunDocument:
        [record] = self._records(name, 1)
        made_at = datetime.fromtimestamp(record.at, UTC)
        try:
            run = self._reopened(record)
        except ConfigError as problem:
            return result_document(record.result, made_at, str(problem))
        with run.details() as details:
            return judge_document(run.prepared, run.planned, details, record.result, made_at)

    def _bench(self, name: str) -> RunDocument:
        with self.database.read() as session:
            return bench_document(session, _numbers(name))

    def _prompts(self, name: str) -> RunDocument:
        with self.database.read() as session:
            return prompt_document(session, name)

    def _compare(self, name: str) -> RunDocument:
        records = self._records(name, 2)
        names = [f"run {record.number} ({record.result['judge']})" for record in records]
        with ExitStack() as opened:
            first, second = (opened.enter_context(self._reopened(record).details()) for record in records)
            return comparison_document((names[0], names[1]), first, second)

    def _reopened(self, record: RunRecord) -> ReopenedRun:
        return reopen(self.database, self.settings, record, self.reply_cache)

    def _records(self, name: str, count: int) -> list[RunRecord]:
        numbers = _numbers(name)
        if len(numbers) != count:
            raise NoSuchPage(f"Name {count} judge run{'s' if count > 1 else ''}, with commas between them.")
        return [judge_run(self.reply_cache, number) for number in numbers]


def _numbers(name: str) -> list[int]:
    """Run numbers with commas between them. Raises `NoSuchPage`."""
    parts = name.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise NoSuchPage(f"{name!r} is no number of a run.")
    return [int(part) for part in parts]
