"""Benchmark runs as a document: their values, and each sample with the completions of all models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from arena.benchmarking.boards import REQUEST_TYPES
from arena.benchmarking.direction import is_right
from arena.store import Session
from arena.store.benchmarks import StoredRun, outcomes, run
from arena.store.schema.benchmarks import BenchmarkOutcome
from arena.web.rendering import score
from arena.web.run_pages.bench_published import published_boards
from arena.web.run_pages.document import (
    Board,
    Cell,
    Completion,
    Filter,
    Mark,
    Message,
    Row,
    RunDocument,
    ShownSample,
)
from benchmarks.task import Status

FILTERS = (
    Filter("wrong", "wrong"),
    Filter("disagreement", "models disagree"),
    Filter("unparsed", "unparsed"),
    Filter("failed", "failed"),
)
Requests = Sequence[tuple[str, Sequence[Message]]]


@dataclass
class _Sample:
    """One sample with the rows of the runs that have it, by the run's place in the document."""

    first: BenchmarkOutcome
    rows: dict[int, BenchmarkOutcome] = field(default_factory=dict)


def bench_document(
    session: Session, numbers: Sequence[int], requests: Requests = (), made_at: datetime | None = None
) -> RunDocument:
    """The document of these runs; `requests` are some of their requests as they were sent. Raises `UnknownRun`."""
    runs = [run(session, number) for number in dict.fromkeys(numbers)]
    rows = {number: outcomes(session, stored.row.id or 0) for number, stored in enumerate(runs)}
    samples = _samples(runs, rows)
    tasks = list(dict.fromkeys(stored.row.task for stored in runs))
    return RunDocument(
        kind="Benchmark run" if len(runs) == 1 else f"{len(runs)} benchmark runs",
        title=f"{', '.join(tasks)} · {', '.join(dict.fromkeys(stored.model for stored in runs))}",
        made_at=made_at or max(stored.row.created_at for stored in runs).astimezone(UTC),
        facts=_facts(runs),
        boards=[
            *_boards(runs, samples),
            *published_boards(runs),
            *_costs(runs),
            *_reasons(runs, rows),
            *_subjects(runs),
        ],
        settings=_settings(runs),
        requests=requests,
        samples=samples,
        notices=_notices(runs),
        filters=FILTERS,
    )


def sent(requests: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, list[Message]]]:
    """Titles and bodies of requests as the texts of a document."""
    return [(title, _messages(body)) for title, body in requests]


def _messages(body: Mapping[str, Any]) -> list[Message]:
    texts = [Message(str(one["role"]), _text_of(one.get("content"))) for one in body.get("messages", ())]
    texts += [Message(name, str(body[name])) for name in ("context", "continuation", "text") if name in body]
    known = ("messages", "model", "context", "continuation", "text")
    others = ", ".join(f"{name} = {value}" for name, value in body.items() if name not in known)
    return [*texts, Message("parameters", others or "none")]


def _text_of(content: object) -> str:
    """The text of a message, with the place of each image."""
    if isinstance(content, list):
        return "".join(map(_part, content))
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _part(part: Mapping[str, Any]) -> str:
    if part.get("type") == "image_url":
        address = str(part["image_url"].get("url"))
        return f"[image: {len(address):,} characters]" if address.startswith("data:") else f"[image: {address}]"
    return str(part.get("text") or "")


def _samples(runs: Sequence[StoredRun], rows: Mapping[int, Sequence[BenchmarkOutcome]]) -> list[ShownSample]:
    """The samples of all runs, task by task; runs of one task share those of the same name."""
    found: dict[tuple[str, str, str], _Sample] = {}
    for number, stored in enumerate(runs):
        for row in rows[number]:
            key = (stored.row.task, stored.row.settings, row.sample)
            found.setdefault(key, _Sample(row)).rows[number] = row
    several = len({stored.row.task for stored in runs}) > 1
    return [_shown(sample, runs, task if several else "") for (task, _, _), sample in found.items()]


def _shown(sample: _Sample, runs: Sequence[StoredRun], task: str) -> ShownSample:
    first = sample.first
    right = {number: _is_right(runs[number], row) for number, row in sample.rows.items()}
    tags = {"wrong"} if not all(right.values()) else set()
    if len(set(right.values())) > 1:
        tags.add("disagreement")
    for number, row in sample.rows.items():
        state = "right" if right[number] else "wrong"
        tags |= {f"run-{number}", f"{state}-{number}", f"{row.status}-{number}", f"subject-{_slug(row.subject)}"}
        tags |= {row.status} if row.status != Status.SCORED else set()
        tags |= {f"reason-{_slug(row.reason)}"} if row.reason else set()
    completions = [_completion(runs[number], row, right[number]) for number, row in sample.rows.items()]
    marks = [
        Mark(f"{runs[number].model}: {_word(row, right[number])}", _level(row, right[number]))
        for number, row in sample.rows.items()
    ]
    category = " · ".join(filter(None, (task, first.subject)))
    return ShownSample(
        first.sample, category, [Message("prompt", first.prompt)], completions, (), first.target, marks[:4], frozenset(tags)
    )  # fmt: skip


def _completion(stored: StoredRun, row: BenchmarkOutcome, right: bool) -> Completion:
    metrics = {name: value for name, value in json.loads(row.metrics).items() if not name.startswith("_")}
    facts = [("Parsed answer", row.answer or "–")]
    facts += [("Why there is no score", row.reason)] if row.reason else []
    facts += [("Metrics", ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))] if metrics else []
    return Completion(
        stored.model, row.reply, marks=[Mark(_word(row, right), _level(row, right))], facts=facts, plain=True
    )


def _is_right(stored: StoredRun, row: BenchmarkOutcome) -> bool:
    value = json.loads(row.metrics).get(stored.row.metric)
    return row.status == Status.SCORED and (value is None or is_right(stored.row.task, value))


def _word(row: BenchmarkOutcome, right: bool) -> str:
    return ("right" if right else "wrong") if row.status == Status.SCORED else row.status


def _level(row: BenchmarkOutcome, right: bool) -> str:
    return "success" if right else "warning" if row.status == Status.UNPARSED else "danger"


def _facts(runs: Sequence[StoredRun]) -> list[tuple[str, Cell, str]]:
    """Counts of all runs together."""
    counts = {name: sum(getattr(stored.row, name) for stored in runs) for name in ("scored", "unparsed", "failed")}
    costs = [stored.row.cost for stored in runs if stored.row.cost is not None]
    return [
        ("Scored", Cell(f"{counts['scored']:,}"), f"of {sum(counts.values()):,} completions"),
        ("Unparsed", Cell(f"{counts['unparsed']:,}", "unparsed"), "count as wrong"),
        ("Failed", Cell(f"{counts['failed']:,}", "failed"), "are not scored"),
        ("Cost", Cell(f"${sum(costs):.2f}" if costs else "–"), "" if costs else "no price in the settings"),
    ]


def _notices(runs: Sequence[StoredRun]) -> list[Mark]:
    types = {(stored.row.task, stored.row.request_type) for stored in runs}
    mixed = [task for task, number in Counter(task for task, _ in types).items() if number > 1]
    text = f"Different request types: {', '.join(mixed)}. Such differences are not of the models alone."
    return [Mark(text, "warning")] if mixed else []


def _boards(runs: Sequence[StoredRun], samples: Sequence[ShownSample]) -> list[Board]:
    """One board a task and metric."""
    columns = ["model", "value", "95% interval", "could be", "right", "scored", "unparsed", "failed"]
    note = "“Could be”: the value if every sample without a score were wrong, or right."
    by_task: dict[tuple[str, str], list[int]] = {}
    for number, stored in enumerate(runs):
        by_task.setdefault((stored.row.task, stored.row.metric), []).append(number)
    return [
        Board(f"{task}: {metric}", columns, [_row(runs[number], number, samples) for number in own], metric, note)
        for (task, metric), own in by_task.items()
    ]


def _row(stored: StoredRun, number: int, samples: Sequence[ShownSample]) -> Row:
    row, right = stored.row, sum(f"right-{number}" in sample.tags for sample in samples)
    cells = [
        Cell("–" if row.value is None else score(row.value)),
        Cell(_span(row.lower, row.upper, row.value)),
        Cell(_span(row.worst, row.best, row.value)),
        Cell(f"{right:,}", f"right-{number}"),
        *(Cell(f"{getattr(row, name):,}", f"{name}-{number}") for name in ("scored", "unparsed", "failed")),
    ]
    return Row(Cell(stored.model, f"run-{number}"), cells, row.value, row.lower, row.upper)


def _span(low: float | None, high: float | None, beside: float | None) -> str:
    return "–" if low is None or high is None else f"{score(low, beside)} – {score(high, beside)}"


def _costs(runs: Sequence[StoredRun]) -> list[Board]:
    rows = [
        Row(
            Cell(f"{stored.row.task} · {stored.model}"),
            [
                Cell("–" if stored.row.seconds is None else f"{stored.row.seconds:,.1f}"),
                Cell("–" if stored.row.cost is None else f"${stored.row.cost:.4f}"),
                Cell(f"{stored.row.replies_at:%Y-%m-%d %H:%M}" if stored.row.replies_at else "–"),
                Cell(str(stored.row.id)),
            ],
        )
        for stored in runs
    ]
    note = "Seconds are missing where replies came from the reply cache."
    return [Board("Costs and times", ["run", "seconds", "cost", "newest reply", "number"], rows, note=note)]


def _reasons(runs: Sequence[StoredRun], rows: Mapping[int, Sequence[BenchmarkOutcome]]) -> list[Board]:
    """Why samples have no score, with their number in each run."""
    counted = {number: Counter(row.reason for row in own if row.reason) for number, own in rows.items()}
    reasons = sum(counted.values(), Counter[str]()).most_common()
    table = [
        Row(Cell(reason, f"reason-{_slug(reason)}"), [Cell(f"{counted[number][reason]:,}") for number in rows])
        for reason, _ in reasons
    ]
    columns = ["reason", *(f"{stored.row.task} · {stored.model}" for stored in runs)]
    return [Board("Why there is no score", columns, table)] if table else []


def _subjects(runs: Sequence[StoredRun]) -> list[Board]:
    """The value in each subject, where there are several."""
    by_run = [json.loads(stored.row.subjects) for stored in runs]
    names = sorted({name for subjects in by_run for name in subjects})
    rows = [
        Row(
            Cell(name, f"subject-{_slug(name)}"),
            [Cell(score(own[name]["value"]) if name in own else "–") for own in by_run],
        )
        for name in names
    ]
    columns = ["subject", *(f"{stored.row.task} · {stored.model}" for stored in runs)]
    return [Board("Subjects", columns, rows)] if len(rows) > 1 else []


def _settings(runs: Sequence[StoredRun]) -> list[tuple[str, str]]:
    """What each run was made with; the same settings of several runs once."""
    found: dict[str, None] = {}
    for stored in runs:
        options = json.loads(stored.row.options)
        parts = [
            f"{name} {_text(value)}"
            for name, value in options.items()
            if name not in ("task", "files") and value != []
        ]
        kind = REQUEST_TYPES.get(stored.row.request_type, stored.row.request_type)
        found[f"{stored.row.task}: {', '.join([kind, *parts])}"] = None
    return [tuple(text.split(": ", 1)) for text in found]  # type: ignore[misc]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


def _slug(text: str) -> str:
    """A text as a word of a tag."""
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower())[:60] or "none"
