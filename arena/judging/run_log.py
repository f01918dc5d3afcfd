"""The judge runs of a reply cache: a file beside it with one line of JSON for each finished run.

A line has the configuration and the result, so that a run can be read again with the raw replies of the cache. A run
of the same configuration keeps its number, and its last line counts.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import ratings
from arena.engine import ModelClient
from arena.judging.config import JudgeRunConfig
from arena.judging.preparation import PreparedRun
from arena.judging.run_result import JudgeRunResult

SUFFIX = ".runs.jsonl"
# what changes how a run is made, and not what it is
HOW = {"budget", "concurrency", "timeout", "call_timeout", "reply_cache", "completion_rate", "unshared"}
COUNTS = ("model_a", "model_b", "wins", "losses", "ties", "both_bad")


class UnknownJudgeRun(Exception):
    """No judge run has this number."""


@dataclass(frozen=True)
class RunRecord:
    """A finished judge run. `result` is `JudgeRunResult.to_dict()`; `at` in seconds since 1970 (UTC)."""

    number: int
    key: str
    config: Mapping[str, Any]  # keys of `JudgeRunConfig`, as they were then
    result: Mapping[str, Any]
    counts: Mapping[str, Any] | None  # the votes that chose the battles, where not all pairs were judged
    at: float
    judges: Mapping[
        str, Mapping[str, Any]
    ]  # of each judge: identity, parameters and what it lacks, which make its keys

    def as_it_was(self, clients: Mapping[str, ModelClient]) -> dict[str, ModelClient]:
        """The clients of today with what made the keys of this run's calls: settings may have changed since."""
        return {
            name: replace(
                client,
                identity=self.judges[name]["identity"],
                parameters=self.judges[name]["parameters"],
                lacks=frozenset(self.judges[name]["lacks"]),
            )
            for name, client in clients.items()
        }

    @property
    def pair_counts(self) -> ratings.PairCounts | None:
        """The counts as the plan takes them."""
        if self.counts is None:
            return None
        columns: dict[str, Any] = {name: np.array(self.counts[name], dtype=np.int64) for name in COUNTS}
        return ratings.PairCounts(models=tuple(self.counts["models"]), **columns)


def log_path(reply_cache: Path) -> Path:
    """The file of the runs beside a reply cache."""
    return reply_cache.with_name(reply_cache.stem + SUFFIX)


def add_run(prepared: PreparedRun, result: JudgeRunResult) -> None:
    """Append a finished run, whose process holds the lock of the reply cache."""
    given = prepared.config
    config = given.model_copy(update={"models": tuple(prepared.models), "reply_cache": None})
    counts = prepared.counts
    line = {
        "key": _key(given),
        "config": config.model_dump(mode="json"),
        "result": result.to_dict(),
        "counts": None
        if given.battles is None or counts is None
        else {"models": counts.models, **{name: getattr(counts, name).tolist() for name in COUNTS}},
        "at": round(time.time(), 3),
        "judges": {
            name: {"identity": client.identity, "parameters": client.parameters, "lacks": sorted(client.lacks)}
            for name, client in prepared.clients.items()
        },
    }
    _append(log_path(prepared.reply_cache), json.dumps(line, ensure_ascii=False, default=asdict))


def _append(path: Path, line: str) -> None:
    """Append a line, and end one that a crash cut short."""
    with path.open("a+b") as file:
        file.seek(max(0, file.tell() - 1))
        cut = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * cut + line.encode("utf-8", "replace") + b"\n")


def judge_runs(reply_cache: Path) -> list[RunRecord]:
    """The runs of a reply cache by number, from 1; none where there is no file. A line cut short by a crash is none."""
    path = log_path(reply_cache)
    if not path.is_file():
        return []
    records: dict[str, RunRecord] = {}
    for line in path.read_bytes().splitlines():
        if (row := _row(line)) is None:
            continue
        number = records[row["key"]].number if row["key"] in records else len(records) + 1
        records[row["key"]] = RunRecord(number=number, **row)
    return list(records.values())


def _row(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None for one that a crash cut short."""
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return row


def judge_run(reply_cache: Path, number: int) -> RunRecord:
    """The run of a number. Raises `UnknownJudgeRun`."""
    records = {record.number: record for record in judge_runs(reply_cache)}
    if number not in records:
        numbers = ", ".join(map(str, records))
        advice = f"Judge runs: {numbers}." if numbers else "Run: arena judge pairwise --prompts SET --judge J"
        raise UnknownJudgeRun(f"Judge run {number} not found. {advice}")
    return records[number]


def _key(config: JudgeRunConfig) -> str:
    """Digest of a configuration without what does not change its verdicts."""
    content = config.model_dump(mode="json", exclude=HOW)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]
