"""Runs as evalscope keeps them: predictions, reviews and reports, each in the folder of its model.

    predictions/MODEL/TASK_SUBSET.jsonl    one record a sample: messages and the model's output
    reviews/MODEL/TASK_SUBSET.jsonl        one record a scored sample
    reports/MODEL/TASK.json                the shape of version 1, which releases from 0.8 on read

A subset is a category of prompts or a subject of a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.exchange.files import write_json, write_rows
from arena.exchange.prompt_set import Written, file_name
from arena.exchange.sample_runs import SCORE, Mean, RunSample, SampleRun
from arena.rules.votes import OVERALL

# evalscope refuses the name `score`, and reads it in older files as a share from 0 to 1, which a judge's score is not
NAMES = {SCORE: "judge_score"}


def write_evalscope(folder: Path, runs: Sequence[SampleRun], written: Written) -> None:
    """Write each run. A second run in the files of one task and model has the next number after the task's name."""
    seen: set[tuple[str, str]] = set()
    for run in runs:
        model, task, number = file_name(run.model), file_name(run.task), 1
        while (model, task) in seen:
            number += 1
            task = f"{file_name(run.task)}-{number}"
        seen.add((model, task))
        _write(folder, run, model, task)
        written.completions += run.completions


def _write(folder: Path, run: SampleRun, model: str, task: str) -> None:
    places = {name: folder / name / model for name in ("predictions", "reviews", "reports")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    subsets: dict[str, list[tuple[int, RunSample]]] = {}
    for index, sample in enumerate(run.samples):
        subsets.setdefault(file_name(sample.prompt.category), []).append((index, sample))
    for subset, samples in subsets.items():
        name = f"{task}_{subset}.jsonl"
        write_rows(places["predictions"] / name, [_prediction(index, each, run) for index, each in samples])
        reviews = [_review(index, each, run) for index, each in samples if each.metrics]
        if reviews:
            write_rows(places["reviews"] / name, reviews)
    write_json(places["reports"] / f"{task}.json", _report(run, task))


def _prediction(index: int, sample: RunSample, run: SampleRun) -> dict[str, Any]:
    texts = (sample.turns[-1], *sample.repeats) if sample.turns else ()
    choices = [{"message": {"role": "assistant", "content": text}, "stop_reason": "stop"} for text in texts]
    error = {} if sample.turns else {"error": sample.reason or "no text"}
    return {
        "index": index,
        "model": run.model,
        "model_output": {"model": run.model, "choices": choices, **error},
        "messages": sample.conversation,
        "metadata": sample.record,
    }


def _review(index: int, sample: RunSample, run: SampleRun) -> dict[str, Any]:
    judged = {"judge": run.judge, "verdicts": list(sample.verdicts)} if run.judge else {}
    values = {NAMES.get(name, name): value for name, value in sample.metrics.items()}
    main = NAMES.get(run.metric or "", run.metric)
    score = {
        "value": values,
        "extracted_prediction": sample.answer or None,
        "prediction": sample.turns[-1] if sample.turns else None,
        "explanation": sample.reason or None,
        "metadata": judged,
        "main_score_name": main if main in values else next(iter(values)),
    }
    return {
        "index": index,
        "target": sample.prompt.reference,
        "messages": sample.conversation,
        "sample_score": {
            "score": score,
            "sample_id": index,
            "group_id": index,
            "sample_metadata": sample.record,
        },
    }


def _report(run: SampleRun, task: str) -> dict[str, Any]:
    """The report. Its reader computes each metric again, as the mean of the subsets weighted by their samples."""
    metrics = [_metric(name, mean, run) for name, mean in run.means.items()]
    return {
        "name": f"{run.model}@{task}",
        "dataset_name": task,
        "dataset_pretty_name": run.task,
        "dataset_description": "",
        "model_name": run.model,
        "score": run.means[run.metric].value if run.metric else 0.0,
        "metrics": metrics,
        "analysis": "N/A",
        **({"primary_metric_name": NAMES.get(run.metric, run.metric)} if run.metric else {}),
    }


def _metric(name: str, mean: Mean, run: SampleRun) -> dict[str, Any]:
    groups = run.groups.get(name) or {OVERALL: (mean.value, len(run.samples))}
    subsets = [{"name": subset, "score": value, "num": number} for subset, (value, number) in groups.items()]
    count, macro = sum(number for _, number in groups.values()), sum(value for value, _ in groups.values())
    values = {"num": count, "score": mean.value, "macro_score": macro / len(groups)}
    return {
        "name": NAMES.get(name, name),
        **values,
        "categories": [{"name": ["default"], **values, "subsets": subsets}],
    }
