"""Tasks of inspect_ai, run by its own `eval` with the models of this arena, and saved as runs like any other."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.benchmarking.config import BenchmarkConfig
from arena.benchmarking.evaluated_models import EvaluatedModel, evaluated_models
from arena.benchmarking.events import Event, Replaced, TaskFinished, TaskStarted, Unprotected
from arena.benchmarking.inspect_samples import LoggedTask, bounds, logged_samples, main_metric, own_metrics
from arena.benchmarking.requests import SampleRequests
from arena.benchmarking.results import digest, save
from arena.benchmarking.run_result import ModelRun, replacement
from arena.benchmarking.scores import ModelResult
from arena.benchmarking.selection import SelectedTask, SelectionOptions
from arena.config import AnyModel, TransformersSettings
from arena.engine import CallSession, Engine, ModelClient, RetryPolicy, RunResult, Seen
from arena.errors import ConfigError, WorkFailed
from arena.store import Database
from benchmarks.report import report
from benchmarks.task import Sample, Source

if TYPE_CHECKING:
    from arena.benchmarking.inspect_model import Calls

PREFIX = "inspect:"
LOCAL, BUBBLEWRAP = "local", "bubblewrap"
UNPROTECTED = (
    "{task}: its sandbox is `local`, which protects nothing: programs that a model writes run as you, with your files "
    "and your network. Use --sandbox bubblewrap or --sandbox docker, or run it in a machine that you can lose."
)


@dataclass(frozen=True)
class InspectSelection(SelectionOptions):
    """What two models' runs of one task must share, in addition to its samples."""

    epochs: int | None = None
    task_args: Mapping[str, Any] = field(default_factory=dict)
    sandbox: str | None = None
    judge: str | None = None


def check(config: BenchmarkConfig) -> None:
    """Raises `ConfigError` without inspect_ai, and for options that mean nothing to its tasks."""
    try:
        import inspect_ai  # noqa: F401
    except ImportError as cause:
        raise ConfigError(
            f"Tasks `{PREFIX}…` need the extra 'inspect' ({cause}). Run `pip install 'arena[inspect]'`."
        ) from cause
    options = config.options
    given = {
        "--sample": config.sample, "--shots": options.shots is not None, "--compat": options.compat is not None,
        "--request-type": config.request_type is not None,
    }  # fmt: skip
    for option, is_given in given.items():
        if is_given:
            raise ConfigError(f"{option}: tasks of inspect_ai do not have this. Remove it, or give -T NAME=VALUE.")


def load(name: str, task_args: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The tasks of `PACKAGE/TASK`, `FILE.py@TASK` or `FILE.py`, with the names of their runs. Raises `ConfigError`."""
    from inspect_ai._eval.loader import load_tasks
    from inspect_ai._util.error import PrerequisiteError

    spec = name.removeprefix(PREFIX)
    file = Path(spec.partition("@")[0])
    if file.suffix == ".py" and not file.is_file():
        raise ConfigError(f"{name}: File {file} not found. Give PACKAGE/TASK or FILE.py@TASK.")
    try:
        tasks = load_tasks([spec], dict(task_args))
    except PrerequisiteError as problem:
        raise ConfigError(f"{name}: {problem.message}") from problem
    except Exception as problem:  # the code of a task may raise anything
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        reason = f"{type(problem).__name__}: {problem}"
        raise ConfigError(f"{name}: {reason} ({frame.filename}:{frame.lineno})") from problem
    if not tasks:
        raise ConfigError(f"{name}: Task not found. Install its package, or give FILE.py@TASK.")
    return [(f"{PREFIX}{file.name}@{task.name}" if file.suffix == ".py" else name, task) for task in tasks]


@dataclass(frozen=True)
class InspectBenchmark:
    """What all inspect tasks of a run share. `judge` is the model of the role `grader`."""

    database: Database
    session: CallSession
    config: BenchmarkConfig
    models: Sequence[AnyModel]
    clients: Mapping[str, ModelClient]
    judge: AnyModel | None
    on_event: Callable[[Event], None]
    skip: Callable[[ConfigError | WorkFailed], None]

    def run(self, name: str) -> Iterator[ModelRun]:
        """Run the tasks of this name on every model, score and save; one run per task and model."""
        try:
            loaded = load(name, self.config.inspect.task_args)
        except ConfigError as problem:
            self.skip(problem)
            return
        for number, (title, task) in enumerate(loaded):
            selected = self._selected(title, task)
            models = asyncio.run(evaluated_models(selected.task, self.models, self.clients, None, self.skip))
            if not models:
                continue
            if LOCAL in self._sandboxes(task):
                self.on_event(Unprotected(UNPROTECTED.format(task=title)))
            self.on_event(TaskStarted(selected, models))
            for model in models:
                try:  # a task has a state, so each model has its own
                    yield self._evaluated(load(name, self.config.inspect.task_args)[number][1], selected, model)
                except (ConfigError, WorkFailed) as problem:
                    self.skip(problem)

    def _selected(self, title: str, task: Any) -> SelectedTask:
        config, options = self.config, self.config.options
        kept = list(task.dataset)[: options.limit]
        texts = [[sample.id, _plain(sample.input), sample.target, sample.choices] for sample in kept]
        limits = [task.version, task.message_limit, task.token_limit, task.time_limit, task.working_limit]
        source = Source(title, digest([texts, limits, _plain(task.config)]))
        selection = InspectSelection(
            options.limit, None, options.seed, None, epochs=options.repeats, task_args=config.inspect.task_args,
            sandbox=config.inspect.sandbox, judge=config.judge,
        )  # fmt: skip
        logged = LoggedTask(
            name=title, dimension="inspect", metric="score", licence="of the task", sources={"test": (source,)}
        )
        samples = [Sample(str(number)) for number, _ in enumerate(kept)]
        return SelectedTask(logged, samples, (), False, 0, selection, ())

    def _sandboxes(self, task: Any) -> set[str]:
        """The types of sandboxes that the samples of a task run in."""
        if self.config.inspect.sandbox is not None:
            return {self.config.inspect.sandbox.partition(":")[0]}
        given = [task.sandbox, *(sample.sandbox for sample in task.dataset)]
        return {sandbox.type for sandbox in given if sandbox is not None}

    def _evaluated(self, task: Any, selected: SelectedTask, model: EvaluatedModel) -> ModelRun:
        """One model's run of one task. Raises `WorkFailed` if there is no sample in the log."""
        from arena.benchmarking.inspect_model import PROVIDER

        with _log_folder(self.config.inspect.log_dir) as folder:
            began = time.monotonic()
            called = self._call(task, selected, model, folder)
            if called.value is None:
                raise WorkFailed(
                    f"{selected.task.name}: {model.name}: interrupted. Nothing was saved of its scores."
                )
            calls, log = called.value[0], _read(called.value[1], selected.task.name, model.name)
            seconds = (
                time.monotonic() - began if called.call_counts.calls and not called.call_counts.replayed else None
            )
        metric = main_metric(log)
        logged = logged_samples(log, f"{PROVIDER}/{model.name}", metric)
        task_of_log = replace(selected.task, metric=metric, bounds=bounds(logged, metric))
        selected = replace(selected, task=task_of_log, samples=[one.sample for one in logged])
        result = ModelResult(model, [one.outcome for one in logged], [one.reply for one in logged])
        result.replies_at = calls.replies_at
        result.adapted.update(called.call_counts.adapted.get(model.name, {}))
        for one in logged:
            result.prompt_tokens += one.tokens[0]
            result.completion_tokens += one.tokens[1]
            if price := model.client.price:
                result.costs.append(price.of(*one.tokens))
        summary = report(selected.task, selected.samples, result.outcomes)
        summary = replace(summary, metrics={**own_metrics(log), **summary.metrics})
        requests = [SampleRequests(one.sample, one.prompt, (), ()) for one in logged]
        kept = save(self.database, selected, requests, result, summary, seconds, self.config.max_tokens)
        if (reason := replacement(kept, model.name, summary)) is not None:
            self.on_event(Replaced(reason))
        self.on_event(TaskFinished(called.call_counts))
        return ModelRun(
            kept, selected, result, summary, seconds, called.call_counts, bool(called.stopped), calls.first
        )

    def _call(
        self, task: Any, selected: SelectedTask, model: EvaluatedModel, folder: Path
    ) -> RunResult[tuple[Calls, Any]]:
        from arena.benchmarking.inspect_model import CURRENT, PROVIDER, Calls

        models = {model.name: model} | ({self.judge.name: self._grader(self.judge, model)} if self.judge else {})

        async def work(engine: Engine, seen: Seen) -> tuple[Calls, Any]:
            calls = Calls(engine, seen, models, selected.task.name)
            CURRENT.set(calls)
            return calls, await self._log(task, f"{PROVIDER}/{model.name}", folder)

        return self.session.run(
            {name: one.client for name, one in models.items()},
            work,
            total=len(selected.samples) * (self.config.options.repeats or task.epochs or 1),
            budget=self.config.budget,
            retry_policy=RetryPolicy(),
            keep_open=[name for name, one in models.items() if isinstance(one.settings, TransformersSettings)],
        )

    def _grader(self, judge: AnyModel, model: EvaluatedModel) -> EvaluatedModel:
        return (
            model if judge.name == model.name else replace(model, settings=judge, client=self.clients[judge.name])
        )

    async def _log(self, task: Any, model: str, folder: Path) -> Any:
        """The location of inspect's log. Raises `WorkFailed` with the reason of an evaluation that did not begin."""
        from inspect_ai import eval_async
        from inspect_ai._util.error import PrerequisiteError
        from inspect_ai.util import display_type

        from arena.benchmarking import inspect_sandbox  # noqa: F401  registers `bubblewrap`
        from arena.benchmarking.inspect_model import PROVIDER

        os.environ.setdefault("INSPECT_DISPLAY", "none")
        display_type()  # reads the variable, which `eval_async` alone does not
        limits = {} if self.config.max_tokens is None else {"max_tokens": self.config.max_tokens}
        try:
            [log] = await eval_async(
                task,
                model=model,
                model_roles={"grader": f"{PROVIDER}/{self.judge.name}"} if self.judge else None,
                sandbox=self.config.inspect.sandbox,
                limit=self.config.options.limit,
                epochs=self.config.options.repeats,
                fail_on_error=False,
                log_dir=str(folder),
                log_format="eval",
                log_realtime=False,
                score_display=False,
                ctl_server=False,
                **limits,
            )
        except PrerequisiteError as problem:
            raise WorkFailed(f"{task.name}: {problem.message}") from problem
        return log.location


@contextmanager
def _log_folder(given: Path | None) -> Iterator[Path]:
    """The folder of inspect's logs: the user's, or one that is removed."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="arena-inspect-") as folder:
        yield Path(folder)


def _read(location: str, task: str, model: str) -> Any:
    """The log as inspect reads it. Raises `WorkFailed` for an evaluation without an end, whose samples are not all."""
    from inspect_ai.log import read_eval_log

    log = read_eval_log(location)
    if log.status != "success" or not log.samples:
        reason = " ".join(log.error.message.split()) if log.error else "it has no samples"
        raise WorkFailed(
            f"{task}: {model}: inspect_ai ended with the status {log.status} ({reason}). No score was saved; finished "
            "calls are not repeated."
        )
    return log


def _plain(value: Any) -> Any:
    """A text, or the JSON of messages and settings without ids, which are random."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return json.loads(value.model_dump_json(exclude={"id"}, exclude_none=True))
