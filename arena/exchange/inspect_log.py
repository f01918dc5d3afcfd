"""Runs as logs of inspect_ai, one `.eval` file a run, written by its own writer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from arena.errors import ConfigError
from arena.exchange.prompt_set import Written
from arena.exchange.sample_runs import RunSample, SampleRun

UNSAFE = re.compile(r"[^\w.-]+")


def write_inspect(folder: Path, runs: Sequence[SampleRun], written: Written) -> None:
    """Write each run as `TIME_TASK_ID.eval`. Raises `ConfigError` without inspect_ai."""
    inspect = _inspect()
    for number, run in enumerate(runs):
        name = hashlib.sha256(f"{number} {run.task} {run.model} {run.at}".encode()).hexdigest()[:22]
        time = run.at.isoformat(timespec="seconds").replace(":", "-")
        path = folder / f"{time}_{UNSAFE.sub('-', run.task)}_{name}.eval"
        inspect.log.write_eval_log(_log(inspect, run, name), str(path))
        written.completions += run.completions


def _inspect() -> Any:
    try:
        import inspect_ai.log
        import inspect_ai.model
        import inspect_ai.scorer
    except ImportError as cause:
        raise ConfigError(
            f"--format inspect needs the extra 'inspect' ({cause}). Run `pip install 'arena[inspect]'`."
        ) from cause
    return SimpleNamespace(log=inspect_ai.log, model=inspect_ai.model, scorer=inspect_ai.scorer)


def _log(inspect: Any, run: SampleRun, name: str) -> Any:
    log, at = inspect.log, run.at.isoformat()
    ids = [sample.prompt.key for sample in run.samples]
    judge = {"judge": run.judge} if run.judge else {}
    spec = log.EvalSpec(
        created=at,
        eval_id=name,
        run_id=name,
        task_id=name,
        task=run.task,
        dataset=log.EvalDataset(name=run.task, samples=len(ids), sample_ids=ids),
        model=run.model,
        config=log.EvalConfig(),
        packages={"arena": version("arena")},
        metadata={**judge, **run.options},
    )
    scored = sum(bool(sample.metrics) for sample in run.samples)
    results = log.EvalResults(
        total_samples=len(ids),
        completed_samples=run.completions,
        scores=[_score(log, metric, run, scored) for metric in run.means],
    )
    return log.EvalLog(
        status="success",
        eval=spec,
        results=results,
        stats=log.EvalStats(started_at=at, completed_at=at),
        samples=[_sample(inspect, sample, run) for sample in run.samples],
    )


def _score(log: Any, metric: str, run: SampleRun, scored: int) -> Any:
    """The score of a metric: its mean, and what is known of its uncertainty."""
    mean = run.means[metric]
    values = {"mean": mean.value, "stderr": mean.standard_error, "lower": mean.lower, "upper": mean.upper}
    metrics = {name: log.EvalMetric(name=name, value=value) for name, value in values.items() if value is not None}
    return log.EvalScore(
        name=metric,
        scorer=metric,
        scored_samples=scored,
        unscored_samples=len(run.samples) - scored,
        metrics=metrics,
    )


def _sample(inspect: Any, sample: RunSample, run: SampleRun) -> Any:
    """A sample with the whole conversation as its messages; one whose call failed has an error."""
    model, record = inspect.model, sample.record
    classes = {
        "system": model.ChatMessageSystem,
        "user": model.ChatMessageUser,
        "assistant": model.ChatMessageAssistant,
    }

    def messages(given: Sequence[Mapping[str, str]]) -> list[Any]:
        return [classes[message["role"]](content=message["content"]) for message in given]

    given = [dict(message) for message in sample.prompt.messages]
    alone = len(given) == 1 and given[0]["role"] == "user"
    texts = (sample.turns[-1], *sample.repeats) if sample.turns else ()
    choices = [
        model.ChatCompletionChoice(
            message=model.ChatMessageAssistant(content=text, model=run.model), stop_reason="stop"
        )
        for text in texts
    ]
    details = {"judge": run.judge, "verdicts": list(sample.verdicts)} if run.judge else None
    score = inspect.scorer.Score
    return inspect.log.EvalSample(
        id=sample.prompt.key,
        epoch=1,
        input=given[0]["content"] if alone else messages(given),
        target=sample.prompt.reference or "",
        messages=messages(sample.conversation),
        output=model.ModelOutput(model=run.model, choices=choices),
        scores={
            name: score(
                value=value, answer=sample.answer or None, explanation=sample.reason or None, metadata=details
            )
            for name, value in sample.metrics.items()
        },
        metadata={name: value for name, value in record.items() if name not in ("id", "messages", "reference")},
        error=None if sample.turns or sample.metrics else _error(inspect, sample),
    )


def _error(inspect: Any, sample: RunSample) -> Any:
    message = sample.reason or "no reply"
    return inspect.log.EvalError(message=message, traceback="", traceback_ansi="")
