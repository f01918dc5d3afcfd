"""Stored completions as replies: our own JSONL, and the published output files that the specifications name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena.benchmarking.annotators import with_annotator
from arena.benchmarking.published_agreement import agreement, sample_key
from arena.benchmarking.selection import SelectedTask
from arena.errors import ConfigError
from benchmarks.annotations import EXECUTION, KINDS, AnnotatedTask
from benchmarks.data import location, read_file
from benchmarks.errors import BadData
from benchmarks.report import Report, report
from benchmarks.task import Outcome, Reply, RequestType, Row, Sample, Task

TEXTS = ("completion", "completions", "output", "prediction", "response", "generation", "text")
KEYS = ("id", "sample", "question_id", "task_id", "key", "prompt")
SOLUTION = "solution"  # what GSM8K's file of published solutions has for each of its models


@dataclass(frozen=True)
class ScoredFile:
    """One model's stored completions, scored. `missing` samples of the task are not in the file."""

    model: str
    samples: Sequence[Sample]
    outcomes: Sequence[Outcome]
    report: Report
    missing: int
    published: dict[str, Any] | None = None  # agreement with the verdicts in the file

    def to_dict(self) -> dict[str, Any]:
        values = self.report.to_dict()
        model = {"model": self.model} if self.model else {}
        published = {"published": self.published} if self.published else {}
        return {"task": values.pop("task"), **model, **values, "missing": self.missing, **published}


def score(selected: SelectedTask, path: Path) -> list[ScoredFile]:
    """The scores of a file, one for each model in it. Raises `ConfigError`, which names the line and the cure."""
    try:
        rows = read_file(path)
        if len(rows) == 1 and "outputs" in rows[0]:  # BIG-Bench Hard's published outputs, one file a subject
            selected, rows = _of_subject(selected, path), _inner(rows[0])
        models = [name for name in rows[0] if isinstance(rows[0][name], dict) and SOLUTION in rows[0][name]]
        if models:
            return [_scored(selected, _column(rows, name), name) for name in models]
        return [_scored(selected, rows, "")]
    except BadData as problem:
        raise ConfigError(str(problem)) from problem


def _scored(selected: SelectedTask, rows: Sequence[Row], model: str) -> ScoredFile:
    task = runnable(selected.task)
    pairs = _matched(selected.samples, rows)
    outcomes = []
    for sample, row in pairs:
        request_type, replies = _replies(row, len(sample.choices))
        if request_type not in task.request_types:
            raise BadData(
                f"{location(row)}: {task.name} cannot be scored by {request_type}. "
                f"Give replies of {' or '.join(task.request_types)}."
            )
        outcomes.append(task.score(sample, replies, request_type))
    samples = [sample for sample, _ in pairs]
    published = agreement(task, [row for _, row in pairs], outcomes)
    missing = len(selected.samples) - len(samples)
    return ScoredFile(model, samples, outcomes, report(task, samples, outcomes), missing, published)


def runnable(task: Task) -> Task:
    """A code task with its sandbox; any other task as it is, since the rows have its judgements and toxicities."""
    return with_annotator(task) if isinstance(task, AnnotatedTask) and task.needs == EXECUTION else task


def _matched(samples: Sequence[Sample], rows: Sequence[Row]) -> list[tuple[Sample, Row]]:
    """Rows with their samples: by a key that the samples have, else in order."""
    by_id = {sample.id: sample for sample in samples}
    for name in KEYS:
        if name in rows[0] and sample_key(rows[0][name]) in by_id:
            return _by_key(by_id, rows, name)
    by_prompt = {str(sample.fields["prompt"]): sample for sample in samples if "prompt" in sample.fields}
    if "prompt" in rows[0] and str(rows[0]["prompt"]) in by_prompt:
        return _by_key(by_prompt, rows, "prompt")
    for name in ("id", "question_id"):
        if name in rows[0] and not str(rows[0][name]).isdigit():
            ids = ", ".join(list(by_id)[:3])
            raise BadData(
                f"{location(rows[0])}: {name} {rows[0][name]!r} is not a sample of the task. Its ids are: {ids}, …"
            )
    if len(rows) > len(samples):
        raise BadData(
            f"{rows[0].get('_path')}: has {len(rows):,} rows and the task {len(samples):,} samples. "
            "Give each row the `id` of its sample."
        )
    return list(zip(samples, rows, strict=False))


def _by_key(by_id: Mapping[str, Sample], rows: Sequence[Row], name: str) -> list[tuple[Sample, Row]]:
    pairs: dict[str, tuple[Sample, Row]] = {}
    for row in rows:
        key = sample_key(row.get(name))
        if key not in by_id:
            raise BadData(f"{location(row)}: {name} {key!r} is not a sample of the task. Use the ids of its data.")
        if key in pairs:
            raise BadData(f"{location(row)}: {name} {key!r} occurs twice. Put several completions into a list.")
        pairs[key] = (by_id[key], row)
    return list(pairs.values())


def _replies(row: Row, choices: int) -> tuple[RequestType, list[Reply | None]]:
    """A row's completions, or its choices' log-probabilities, as an endpoint would have given them."""
    if isinstance(row.get("logprobs"), list):
        values = row["logprobs"]
        if choices and len(values) < choices:
            raise BadData(f"{location(row)}: {len(values)} log-probabilities for {choices} choices")
        return RequestType.LOGLIKELIHOOD, [
            {"logprob": float(value), "greedy": False, "tokens": 1} for value in values
        ]
    name = next((name for name in TEXTS if name in row), None)
    if name is None:
        columns = ", ".join(key for key in row if not key.startswith("_"))
        raise BadData(f"{location(row)}: Column `completion` is missing; the row has {columns}. Add the column.")
    texts = row[name] if isinstance(row[name], list) else [row[name]]
    return RequestType.GENERATE, [_chat(text, str(row.get("finish_reason") or "stop"), row) for text in texts]


def _chat(text: Any, finish: str, row: Row) -> Reply | None:
    """The completion as a chat reply; None, a failed call, for null."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise BadData(f"{location(row)}: the completion is a {type(text).__name__}. Give a text, a list or null.")
    message = {"role": "assistant", "content": text}
    annotations = {kind: row[kind] for kind in KINDS if kind in row}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], **annotations}


def _column(rows: Sequence[Row], model: str) -> list[Row]:
    return [{**row[model], "completion": row[model][SOLUTION], **_place(row)} for row in rows]


def _place(row: Row) -> dict[str, Any]:
    return {"_path": row["_path"], "_line": row["_line"]}


def _inner(row: Row) -> list[Row]:
    return [{**output, **_place(row), "_line": n} for n, output in enumerate(row["outputs"], 1)]


def _of_subject(selected: SelectedTask, path: Path) -> SelectedTask:
    """The task with the samples of the subject that the file is named after."""
    names = {sample.subject for sample in selected.samples if path.name.startswith(sample.subject)}
    if not names:
        raise BadData(
            f"{path}: The file name starts with no subject of {selected.task.name}. Keep the published name."
        )
    name = max(names, key=len)
    return replace(selected, samples=[sample for sample in selected.samples if sample.subject == name])
