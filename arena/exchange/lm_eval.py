"""Runs as lm-evaluation-harness writes them: `MODEL/results_TIME.json` and `MODEL/samples_TASK_TIME.jsonl`.

The layout is that of `lm_eval --output_path OUT --log_samples`, version 0.4.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from arena.exchange.files import write_json, write_rows
from arena.exchange.prompt_set import Written
from arena.exchange.sample_runs import RunSample, SampleRun

FILTER = "none"  # of lm-eval: the completion as it is
UNSAFE_IN_MODEL, UNSAFE_IN_TASK = re.compile(r'["<>:/|\\?*\[\]]+'), re.compile(r"\W")


def write_lm_eval(folder: Path, runs: Sequence[SampleRun], written: Written) -> None:
    """Write each run into the folder of its model, with results of its own: a run has its own time."""
    for run in runs:
        place = folder / _model_folder(run.model)
        place.mkdir(exist_ok=True)
        time = _time(run, place)
        rows = [_sample(position, sample, run) for position, sample in enumerate(run.samples)]
        write_rows(place / f"samples_{UNSAFE_IN_TASK.sub('_', run.task)}_{time}.jsonl", rows)
        write_json(place / f"results_{time}.json", _results(run, rows))
        written.completions += run.completions


def _model_folder(model: str) -> str:
    """The name that lm-eval gives the folder of a model; `..` would be another folder."""
    return UNSAFE_IN_MODEL.sub("__", model).lstrip(".") or "_"


def _time(run: SampleRun, place: Path) -> str:
    """The time of the run in a file name; of two runs at one time the second is a microsecond later."""
    at = run.at.replace(tzinfo=None)
    while True:
        time = at.isoformat(timespec="microseconds").replace(":", "-")
        if not (place / f"results_{time}.json").exists():
            return time
        at += timedelta(microseconds=1)


def _sample(position: int, sample: RunSample, run: SampleRun) -> dict[str, Any]:
    """A record of the sample; a conversation has a request for each turn that the model completed."""
    document, target = sample.record, sample.prompt.reference or ""
    contexts = list(_contexts(sample))
    turns = sample.turns or ()
    texts = [[turn] for turn in turns] or [[] for _ in contexts]
    if sample.repeats and turns:
        texts[-1] += sample.repeats
    return {
        "doc_id": position,
        "doc": document,
        "target": target,
        "arguments": {f"gen_args_{n}": {"arg_0": context, "arg_1": {}} for n, context in enumerate(contexts)},
        "resps": texts,
        "filtered_resps": [sample.answer] if sample.answer else [repeats[0] for repeats in texts if repeats],
        "filter": FILTER,
        "metrics": list(sample.metrics),
        "doc_hash": _hash(json.dumps(document, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(contexts[0]),
        "target_hash": _hash(target),
        **sample.metrics,
        **_judged(sample, run),
    }


def _judged(sample: RunSample, run: SampleRun) -> dict[str, Any]:
    """Fields that lm-eval does not have and does not read: who judged, and why."""
    reason = {"reason": sample.reason} if sample.reason else {}
    return reason | ({"judge": run.judge, "verdicts": list(sample.verdicts)} if run.judge else {})


def _contexts(sample: RunSample) -> Iterable[str]:
    """The text of each request: a single user's message, or else the messages as JSON, as for chat models."""
    conversation = sample.conversation
    ends = [n for n, message in enumerate(conversation, 1) if message["role"] == "user"][-sample.prompt.turns :]
    for end in ends if sample.turns else ends[-1:]:
        before = conversation[:end]
        yield before[0]["content"] if len(before) == 1 else json.dumps(before, ensure_ascii=False)


def _results(run: SampleRun, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The aggregated results; `n-shot` and the like come from the run's settings, if it has any."""
    values: dict[str, Any] = {"alias": run.task}
    for name, mean in run.means.items():
        values[f"{name},{FILTER}"] = mean.value
        values[f"{name}_stderr,{FILTER}"] = "N/A" if mean.standard_error is None else mean.standard_error
    hashes = "".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows)
    better = {name: name not in run.lower_is_better for name in run.means}
    config = {"task": run.task, "output_type": "generate_until", "metadata": {"version": 0, **run.options}}
    count = len(run.samples)
    return {
        "results": {run.task: values},
        "group_subtasks": {run.task: []},
        "configs": {run.task: config},
        "versions": {run.task: 0},
        "n-shot": {run.task: run.options.get("shots", 0)},
        "higher_is_better": {run.task: better},
        "n-samples": {run.task: {"original": count, "effective": count}},
        "config": {"model": "arena", "model_args": {"model": run.model}, "limit": run.options.get("limit")},
        "git_hash": None,
        "date": run.at.timestamp(),
        "task_hashes": {run.task: _hash(hashes)},
        "model_source": "arena",
        "model_name": run.model,
        "model_name_sanitized": _model_folder(run.model),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
