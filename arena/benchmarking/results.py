"""What a run leaves in the store, and how it is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from arena.benchmarking.run import Taken
from arena.benchmarking.selection import Chosen
from arena.store import Database
from arena.store.benchmarks import keep_run
from benchmarks.report import Report, report
from benchmarks.task import Request, Sample

SHOWN = 4000  # characters of a prompt that are kept for reading


def reported(chosen: Chosen, taken: Taken) -> Report:
    return report(chosen.task, chosen.samples, taken.outcomes)


def keep(
    database: Database, chosen: Chosen, taken: Taken, found: Report, seconds: float | None, max_tokens: int | None
) -> int:
    """Write the run and its samples; returns the run's number."""
    settings = settings_of(chosen, max_tokens)
    config_hash = {
        "settings": settings,
        "rung": taken.player.request_type,
        "identity": taken.player.target.identity,
    }
    told = found.to_dict()
    run = {name: told[name] for name in (
        "task", "metric", "value", "standard_error", "lower", "upper", "worst", "best", "scored", "unparsed",
        "failed", "metrics", "subjects",
    )}  # fmt: skip
    run |= {
        "dimension": chosen.task.dimension,
        "settings": digest(settings),
        "design": digest(config_hash),
        "rung": taken.player.request_type.value,
        "options": settings,
        "seconds": seconds,
        "cost": taken.cost,
    }
    outcomes = [_row(chosen, taken, number) for number in range(len(chosen.samples))]
    with database.write() as session:
        return keep_run(session, taken.player.name, run, outcomes)


def settings_of(chosen: Chosen, max_tokens: int | None) -> dict[str, Any]:
    """All that two models' runs must share so that their samples can be compared."""
    options = {name: value for name, value in asdict(chosen.options).items() if value is not None}
    files = [source.sha256 or source.file for sources in chosen.task.sources.values() for source in sources]
    more = {"max_tokens": max_tokens} if max_tokens is not None else {}
    return {
        "task": chosen.task.name,
        "shots": chosen.shots,
        "subjects": list(chosen.subjects),
        "files": digest(files),
        **{name: value for name, value in options.items() if name != "shots"},
        **more,
    }


def digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _row(chosen: Chosen, taken: Taken, number: int) -> Mapping[str, Any]:
    sample, outcome = chosen.samples[number], taken.outcomes[number]
    requests = chosen.task.requests(sample, (), taken.player.request_type)
    return {
        "number": number,
        "sample": sample.id,
        "subject": sample.subject,
        "cluster": sample.cluster,
        "status": outcome.status.value,
        "metrics": json.dumps(dict(outcome.metrics)),
        "prompt": _clean(shown(requests[0] if requests else {}))[:SHOWN],
        "target": _clean(target(sample)),
        "answer": _clean(outcome.answer),
        "reply": _clean(taken.replies[number]),
        "reason": outcome.reason,
    }


def shown(request: Request) -> str:
    """The words of a request, whatever its kind."""
    if "messages" in request:
        return "\n\n".join(str(message.get("content") or "") for message in request["messages"])
    return str(request.get("context", request.get("text", "")))


def target(sample: Sample) -> str:
    """The right answer, for people: of a choice its letter and words."""
    if sample.choices and isinstance(sample.target, int) and 0 <= sample.target < len(sample.choices):
        return f"{chr(ord('A') + sample.target)}. {sample.choices[sample.target]}"
    if isinstance(sample.target, str):
        return sample.target
    return json.dumps(sample.target, ensure_ascii=False, default=str)


def _clean(text: str) -> str:
    """Without the zero character, which PostgreSQL does not keep."""
    return text.replace("\x00", "\ufffd")
