"""Runs in the shared schema of Every Eval Ever (evalevalai.com), version 0.3.0.

data/TASK/DEVELOPER/MODEL/ID.json             the run: model, settings, each metric's value
data/TASK/DEVELOPER/MODEL/ID_samples.jsonl    one record for each sample and metric
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from arena.config.given_files import digest
from arena.exchange.files import write_json, write_rows
from arena.exchange.prompt_set import Written, file_name
from arena.exchange.sample_runs import Mean, RunSample, SampleRun

SCHEMA_VERSION = "0.3.0"
UNKNOWN = "unknown"
CONFIDENCE = 0.95
UNDEFINED = "this metric has no right answer; is_correct is false for every sample"


def write_every_eval_ever(folder: Path, runs: Sequence[SampleRun], written: Written) -> None:
    """Write each run that has a value; the schema has none for runs without."""
    without = 0
    for number, run in enumerate(runs):
        if not run.means:
            without += 1
            continue
        name = str(uuid.UUID(bytes=hashlib.sha256(f"{number} {_id(run)}".encode()).digest()[:16], version=4))
        developer, _, model = run.model.rpartition("/")
        place = folder / "data" / file_name(run.task) / file_name(developer or UNKNOWN) / file_name(model)
        place.mkdir(parents=True, exist_ok=True)
        samples = place / f"{name}_samples.jsonl"
        count = write_rows(samples, _instances(run))
        details = {
            "format": "jsonl",
            "file_path": samples.relative_to(folder).as_posix(),
            "hash_algorithm": "sha256",
            "checksum": digest(samples),
            "total_rows": count,
        }
        write_json(place / f"{name}.json", {**_evaluation(run), "detailed_evaluation_results": details})
        written.completions += run.completions
    if without:
        written.notes.append(f"{without} runs skipped: they have no scores, which the schema needs")


def _id(run: SampleRun) -> str:
    return f"{run.task}/{run.model}/{run.at.timestamp()}"


def _result_id(run: SampleRun, metric: str) -> str:
    return f"{_id(run)}#{metric}"


def _evaluation(run: SampleRun) -> dict[str, Any]:
    at = str(run.at.timestamp())
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": _id(run),
        "evaluation_timestamp": run.at.isoformat(),
        "retrieved_timestamp": at,
        "source_metadata": {
            "source_name": "arena export",
            "source_type": "evaluation_run",
            "source_organization_name": UNKNOWN,
            "evaluator_relationship": "other",
        },
        "eval_library": {"name": "arena", "version": version("arena")},
        "model_info": _model(run.model),
        "evaluation_results": [_result(run, name, mean) for name, mean in run.means.items()],
    }


def _model(name: str) -> dict[str, Any]:
    developer, _, _ = name.rpartition("/")
    details = {"deployment_type": UNKNOWN, "model_availability": UNKNOWN}
    return {"name": name, "id": name, "developer": developer or UNKNOWN, "additional_details": details}


def _result(run: SampleRun, metric: str, mean: Mean) -> dict[str, Any]:
    return {
        "evaluation_result_id": _result_id(run, metric),
        "evaluation_name": run.task,
        "source_data": {"dataset_name": run.task, "source_type": "other"},
        "metric_config": _metric(run, metric),
        "score_details": {"score": mean.value, "uncertainty": _uncertainty(run, metric, mean)},
        "generation_config": {"generation_args": {}, "additional_details": _texts(run.options)},
    }


def _metric(run: SampleRun, metric: str) -> dict[str, Any]:
    low, high = run.bounds.get(metric, (None, None))
    judges = [{"model_info": _model(run.judge)}] if run.judge else []
    judged = {"llm_scoring": {"judges": judges, "input_prompt": UNKNOWN}} if judges else {}
    return {
        "metric_id": f"{run.task}.{metric}",
        "metric_name": metric,
        "lower_is_better": metric in run.lower_is_better,
        "score_type": "continuous",
        "min_score": low,
        "max_score": high,
        **judged,
    }


def _uncertainty(run: SampleRun, metric: str, mean: Mean) -> dict[str, Any]:
    values: dict[str, Any] = {"num_samples": sum(metric in sample.metrics for sample in run.samples)}
    if mean.standard_error is not None:
        values["standard_error"] = {"value": mean.standard_error}
    if mean.lower is not None and mean.upper is not None:
        values["confidence_interval"] = {"lower": mean.lower, "upper": mean.upper, "confidence_level": CONFIDENCE}
    return values


def _texts(options: Mapping[str, Any]) -> dict[str, str]:
    """The options with values that are texts, as the schema wants every further detail."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in options.items()}


def _instances(run: SampleRun) -> Iterator[dict[str, Any]]:
    for sample in run.samples:
        for metric, value in sample.metrics.items():
            yield _instance(run, sample, metric, value)


def _instance(run: SampleRun, sample: RunSample, metric: str, value: float) -> dict[str, Any]:
    asked = "\n\n".join(message["content"] for message in sample.prompt.messages)
    reference = [sample.prompt.reference] if sample.prompt.reference else []
    turns = sample.turns or ()
    several = len(turns) > 1
    messages = [
        {"turn_idx": number, "role": message["role"], "content": message["content"]}
        for number, message in enumerate(sample.conversation)
    ]
    last = len(messages) - 1 if several else 0
    source = f"messages[{last}].content" if several else "output.raw"
    answer = {
        "turn_idx": last,
        "source": source,
        "extracted_value": sample.answer,
        "extraction_method": "custom",
        "is_terminal": True,
    }
    judged = {"judge": run.judge, "reason": sample.reason, "verdicts": list(sample.verdicts)} if run.judge else {}
    undefined = {} if metric in run.bounds else {"is_correct": UNDEFINED}
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": _id(run),
        "model_id": run.model,
        "evaluation_name": run.task,
        "evaluation_result_id": _result_id(run, metric),
        "sample_id": sample.prompt.key,
        "sample_hash": hashlib.sha256((asked + "".join(reference)).encode("utf-8", "surrogatepass")).hexdigest(),
        "interaction_type": "multi_turn" if several else "single_turn",
        "input": {"raw": asked, "reference": reference},
        **({"messages": messages} if several else {"output": {"raw": [*turns, *sample.repeats]}}),
        "answer_attribution": [answer] if sample.answer else [],
        "evaluation": {
            "score": value,
            "is_correct": _is_best(run, metric, value),
            "num_turns": max(len(turns), 1),
        },
        "metadata": _texts({"prompt": sample.record, **judged, **undefined}),
    }


def _is_best(run: SampleRun, metric: str, value: float) -> bool:
    """Whether the value is the best one of the metric's bounds."""
    if metric not in run.bounds:
        return False
    low, high = run.bounds[metric]
    return value <= low if metric in run.lower_is_better else value >= high
