"""A judge run, from the store to the store: prepared, called, read, and published if complete enough.

```
config = JudgeRunConfig(mode="pairwise", prompts="starter", judge="gpt")
result = run_judging(Database(settings.database_url), settings, config)
print(result.to_dict())
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arena.config import Settings
from arena.engine import (
    CallSession,
    Progress,
    ReplyCache,
    RetryPolicy,
    RunResult,
    SavedCalls,
    Status,
    open_session,
    read_batch,
    write_batch,
)
from arena.errors import ConfigError
from arena.judging import calls
from arena.judging.config import JudgeRunConfig
from arena.judging.preparation import PreparedRun, prepare
from arena.judging.publication import publish
from arena.judging.results import RunVerdicts
from arena.judging.run_log import add_run
from arena.judging.run_result import JudgeRunResult, run_result
from arena.judging.samples import CaseDetails, call_keys, case_details
from arena.store import Database
from judges.completion_rate import why_not
from judges.errors import JudgesError


@dataclass(frozen=True)
class JudgeRun:
    """A prepared run over an open reply cache, with its cases and their keys."""

    database: Database
    prepared: PreparedRun
    session: CallSession
    planned: Sequence[calls.PlannedCase]

    def read_batch(self, path: Path) -> Counter[Status]:
        """Add the results of a batch to the reply cache; their counts by status. Raises `BatchFileError`."""
        return read_batch(path, calls.calls(self.planned, self.prepared.clients), self._replies)

    def write_batch(self, path: Path) -> int:
        """Write the missing requests as a batch file and return their number. Raises `BatchFileError`."""
        clients = self.prepared.clients
        return write_batch(path, calls.calls(self.planned, clients), clients, self._replies)

    def forecast(self) -> calls.Forecast:
        """The requests that a run would make, their tokens and cost."""
        return calls.forecast(self.planned, self.prepared.clients, self._replies)

    def run(self) -> JudgeRunResult:
        """Make the missing calls, read all verdicts and publish them if enough cases have one."""
        called = self.call()
        verdicts = RunVerdicts()
        failed = called.value or {}
        for case, result in calls.results(self.planned, self._replies, failed):
            verdicts.add(case, result)
        reason = why_not(len(verdicts.judged), verdicts.cases, self.prepared.config.completion_rate)
        new = 0
        if reason is None:  # reads the verdicts again: their texts are not held in memory
            new = publish(self.database, self.prepared, calls.results(self.planned, self._replies, failed))
        result = run_result(self.prepared, verdicts, called, reason, new)
        add_run(self.prepared, result)
        return result

    @contextmanager
    def details(self) -> Iterator[Iterator[CaseDetails]]:
        """Each case with its raw replies, tries and costs, for readers."""
        with SavedCalls(self.prepared.reply_cache, call_keys(self.planned)) as saved:
            yield case_details(self.planned, saved)

    def call(self) -> RunResult[dict[str, Status]]:
        """Make the missing calls; the value has the status of each without a readable reply, by key."""
        config, clients = self.prepared.config, self.prepared.clients
        return self.session.run(
            clients,
            lambda engine, seen: calls.run_calls(engine, self.planned, clients, seen),
            total=sum(len(row.keys) for row in self.planned),
            budget=config.budget,
            retry_policy=RetryPolicy.within(config.timeout, config.call_timeout),
        )

    @property
    def _replies(self) -> ReplyCache:
        return self.session.reply_cache


@contextmanager
def open_judge_run(
    database: Database, prepared: PreparedRun, progress: Progress | None = None
) -> Iterator[JudgeRun]:
    """The run over its reply cache. Raises `ConfigError`, `ReplyCacheError`."""
    try:
        with open_session(prepared.reply_cache, progress) as session:
            planned = calls.plan_calls(prepared.cases(), prepared.clients)
            yield JudgeRun(database, prepared, session, planned)
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem


def run_judging(
    database: Database, settings: Settings, config: JudgeRunConfig, progress: Progress | None = None
) -> JudgeRunResult:
    """Run the judge of `config` and publish its verdicts in `database`. Finished calls are not repeated.

    `progress` follows the calls and may stop them. Call it outside any event loop. Raises `ConfigError`,
    `ReplyCacheError`.
    """
    with open_judge_run(database, prepare(database, settings, config), progress) as run:
        return run.run()
