"""The records of a finished run: its row and one row per sample, as the store keeps them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from arena.benchmarking.requests import SampleRequests
from arena.benchmarking.scores import ModelResult
from arena.benchmarking.selection import SelectedTask
from arena.store import Database
from arena.store.benchmarks import KeptRun, keep_run
from benchmarks.choice import label
from benchmarks.report import Report
from benchmarks.task import RequestType, Sample

PROMPT_LENGTH = 4000  # characters of a prompt that are saved for readers
REPORT_COLUMNS = (
    "task", "metric", "value", "standard_error", "lower", "upper", "worst", "best", "scored", "unparsed", "failed",
    "metrics", "subjects",
)  # fmt: skip


def save(
    database: Database,
    selected: SelectedTask,
    requests: Sequence[SampleRequests],
    result: ModelResult,
    report: Report,
    seconds: float | None,
    max_tokens: int | None,
) -> KeptRun:
    """Write the run and its samples, unless a stored one has newer replies."""
    settings, model = settings_of(selected, max_tokens), result.model
    if model.request_type is RequestType.GENERATE and selected.task.text_scorer > 1:
        settings["text_scorer"] = selected.task.text_scorer
    config = {"settings": settings, "rung": model.request_type, "identity": model.client.identity}
    values = report.to_dict()
    run = {name: values[name] for name in REPORT_COLUMNS} | {
        "dimension": selected.task.dimension,
        "settings": digest(settings),
        "config_hash": digest(config),
        "request_type": model.request_type.value,
        "options": {**settings, **({"adapted": dict(result.adapted)} if result.adapted else {})},
        "seconds": seconds,
        "cost": result.cost,
        "replies_at": datetime.fromtimestamp(result.replies_at, UTC) if result.replies_at else None,
    }
    rows = [sample_row(number, request, result) for number, request in enumerate(requests)]
    with database.write() as session:
        return keep_run(session, model.name, run, rows)


def settings_of(selected: SelectedTask, max_tokens: int | None) -> dict[str, Any]:
    """The settings that two models' runs must share so that their samples can be compared."""
    options = {name: value for name, value in asdict(selected.options).items() if value is not None}
    files = [source.sha256 or source.file for sources in selected.task.sources.values() for source in sources]
    return {
        "task": selected.task.name,
        "shots": selected.shots,
        "subjects": list(selected.subjects),
        "files": digest(files),
        **{name: value for name, value in options.items() if name != "shots"},
        **({"max_tokens": max_tokens} if max_tokens is not None else {}),
        **({"definition": digest(dict(selected.task.definition))} if selected.task.definition else {}),
    }


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sample_row(number: int, request: SampleRequests, result: ModelResult) -> Mapping[str, Any]:
    sample, outcome = request.sample, result.outcomes[number]
    return {
        "number": number,
        "sample": _clean(sample.id),
        "subject": _clean(sample.subject),
        "cluster": _clean(sample.cluster),
        "status": outcome.status.value,
        "metrics": json.dumps(dict(outcome.metrics)),
        "prompt": _clean(request.prompt)[:PROMPT_LENGTH],
        "target": _clean(target(sample)),
        "answer": _clean(outcome.answer),
        "reply": _clean(result.replies[number]),
        "reason": _clean(outcome.reason),
    }


def target(sample: Sample) -> str:
    """The right answer for readers: of a choice its letter and words."""
    if sample.choices and isinstance(sample.target, int) and 0 <= sample.target < len(sample.choices):
        return f"{label(sample.target)}. {sample.choices[sample.target]}"
    if isinstance(sample.target, str):
        return sample.target
    return json.dumps(sample.target, ensure_ascii=False, default=str)


def _clean(text: str) -> str:
    """`text` without the NUL character, which PostgreSQL does not store, and lone surrogates, which no database does."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
