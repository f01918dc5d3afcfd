"""A finished judge run, read again from its record, the store and the reply cache. No call is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from arena.config import Settings
from arena.engine import SavedCalls
from arena.errors import ConfigError
from arena.judging.calls import PlannedCase, plan_calls
from arena.judging.config import config_of
from arena.judging.preparation import PreparedRun, prepare
from arena.judging.run_log import RunRecord
from arena.judging.samples import CaseDetails, call_keys, case_details
from arena.store import Database
from judges.errors import JudgesError


@dataclass(frozen=True)
class ReopenedRun:
    """A run with its cases."""

    record: RunRecord
    prepared: PreparedRun
    planned: Sequence[PlannedCase]

    @contextmanager
    def details(self) -> Iterator[Iterator[CaseDetails]]:
        """Each case with its raw replies. Of people's battles, those that have come since the run are left out."""
        with SavedCalls(self.prepared.reply_cache, call_keys(self.planned)) as saved:
            asked = self.prepared.config.mode != "battles"
            own = [row for row in self.planned if asked or not row.keys or any(key in saved for key in row.keys)]
            yield case_details(own, saved)


def reopen(database: Database, settings: Settings, record: RunRecord, reply_cache: Path) -> ReopenedRun:
    """The run of a record. Raises `ConfigError`, such as for a judge that the settings no longer have."""
    try:
        prepared = prepare(database, settings, config_of(**record.config))
        counts = record.pair_counts or prepared.counts
        clients = record.as_it_was(prepared.clients)
        prepared = replace(prepared, counts=counts, reply_cache=reply_cache, clients=clients)
        return ReopenedRun(record, prepared, plan_calls(prepared.cases(), prepared.clients))
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem
