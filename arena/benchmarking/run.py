"""A benchmark run: tasks are selected, models called through the engine, replies scored, and results saved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arena.benchmarking import inspect_run
from arena.benchmarking.annotators import (
    annotator,
    cached_replies,
    judge_annotator,
    with_annotations,
    with_annotator,
)
from arena.benchmarking.config import BenchmarkConfig
from arena.benchmarking.evaluated_models import EvaluatedModel, evaluated_models, with_all_cores
from arena.benchmarking.events import Event, Noted, Replaced, Skipped, TaskFinished, TaskStarted, ignore
from arena.benchmarking.requests import Requests, build_requests, call_count, calls
from arena.benchmarking.results import save
from arena.benchmarking.run_result import BenchmarkRunResult, ModelRun, replacement
from arena.benchmarking.scores import ModelResult, score
from arena.benchmarking.selection import SelectedTask, data_folder, select
from arena.benchmarking.task_specs import TaskSpec, sample_specs, task_specs
from arena.config import AnyModel, Settings, TransformersSettings, reply_cache_path
from arena.engine import (
    CallSession,
    Engine,
    ModelClient,
    Progress,
    RetryPolicy,
    RunResult,
    Seen,
    Status,
    open_session,
)
from arena.errors import ConfigError, WorkFailed
from arena.serving import model_clients
from arena.store import Database
from benchmarks.annotations import AnnotatedTask, Annotator
from benchmarks.data import DataSources
from benchmarks.errors import BenchmarkError
from benchmarks.report import report
from benchmarks.sample_tasks import token_limit
from benchmarks.task import Task

CALL_TIMEOUT = 3600.0  # seconds: a local model reads thousands of texts before the last one has its reply


Failures = dict[str, str]  # why calls failed, by key


def run_benchmarks(
    database: Database,
    settings: Settings,
    config: BenchmarkConfig,
    progress: Progress | None = None,
    on_event: Callable[[Event], None] = ignore,
) -> BenchmarkRunResult:
    """Run every task on every model, save the results in `database` and return them.

    A task or model that cannot be run is skipped, and is an error if the config has a single task. `progress`
    follows the calls of each task. Call it outside any event loop. Raises `ConfigError`, `WorkFailed`.
    """
    inspect_tasks = [name for name in config.tasks if name.startswith(inspect_run.PREFIX)]
    if inspect_tasks:
        inspect_run.check(config)
    configured = model_clients.configured(settings)
    models = with_all_cores(model_clients.chosen(configured, config.models, "--models"))
    _check_prices(models, config.budget)
    clients = {model.name: model_clients.model_client(model) for model in models}
    try:
        with open_session(
            reply_cache_path(settings, config.reply_cache), progress, recompute=config.recompute
        ) as session:
            judge = None
            if config.judge is not None:
                [judge] = model_clients.chosen(configured, [config.judge], "--judge")
                if inspect_tasks and judge.name not in clients:
                    clients[judge.name] = model_clients.model_client(judge)
            annotator_of_judge = judge_annotator(judge, session) if judge else None
            specs = _specs(config, inspect_tasks)
            single = len(specs) + len(inspect_tasks) == 1
            benchmark = _Benchmark(
                database, session, config, models, clients, annotator_of_judge, on_event, single
            )
            runs = [run for selected in benchmark.select(specs) for run in benchmark.run(selected)]
            of_inspect = inspect_run.InspectBenchmark(
                database, session, config, models, clients, judge, on_event, benchmark.skip
            )
            runs += [run for name in inspect_tasks for run in of_inspect.run(name)]
            return BenchmarkRunResult(runs, benchmark.skipped)
    finally:
        asyncio.run(_close(clients))


def _specs(config: BenchmarkConfig, inspect_tasks: Sequence[str]) -> list[TaskSpec]:
    """The tasks that are no inspect tasks."""
    if config.sample:
        return sample_specs(config.tasks)
    if not config.tasks:
        raise ConfigError("No task is named. Name one, or use --sample to run the items that ship with Arena.")
    data_sources = config.data_sources or DataSources(data_folder(None))
    return task_specs([name for name in config.tasks if name not in inspect_tasks], data_sources.folder)


def _check_prices(models: Sequence[AnyModel], budget: float | None) -> None:
    unpriced = [model.name for model in models if model.price is None]
    if budget is not None and unpriced:
        raise ConfigError(
            f"--budget: {unpriced[0]} has no price. Add price = {{prompt = …, completion = …}} to it."
        )


async def _close(clients: Mapping[str, ModelClient]) -> None:
    for client in clients.values():
        await client.endpoint.close()


@dataclass(frozen=True)
class _Benchmark:
    """What all tasks of a run share."""

    database: Database
    session: CallSession
    config: BenchmarkConfig
    models: Sequence[AnyModel]
    clients: Mapping[str, ModelClient]
    judge: Annotator | None
    on_event: Callable[[Event], None]
    single: bool  # whether there is one task only, so that nothing is skipped
    skipped: list[str] = field(default_factory=list)

    def select(self, specs: Sequence[TaskSpec]) -> list[SelectedTask]:
        """The tasks whose data and annotators are there. Raises `ConfigError` if there is none."""
        data_sources = self.config.data_sources or DataSources(data_folder(None))
        selected, problems = [], []
        for spec in specs:
            try:
                with_annotator(spec.task, self.judge)  # raises before any call
                selected.append(select(spec, data_sources, self.config.options))
                for reason in spec.notes:
                    self.on_event(Noted(reason))
            except ConfigError as problem:
                problems.append(str(problem))
        if problems and not selected:
            raise ConfigError("\n".join(problems))
        for reason in problems:
            self._note(reason)
        return selected

    def run(self, selected: SelectedTask) -> Iterator[ModelRun]:
        """Call the models, score and save; one run per model that can take the task."""
        models = asyncio.run(
            evaluated_models(selected.task, self.models, self.clients, self.config.request_type, self.skip)
        )
        if not models:
            return
        self.on_event(TaskStarted(selected, models))
        requests = self._requests(selected, models)
        called = self._call(selected.task, models, requests)
        yield from self._finish(selected, models, requests, called)
        self.on_event(TaskFinished(called.call_counts))

    def _requests(self, selected: SelectedTask, models: Sequence[EvaluatedModel]) -> Requests:
        try:
            return build_requests(selected, models, self.config.max_tokens)
        except BenchmarkError as problem:
            raise ConfigError(f"{selected.task.name}: {problem}") from problem

    def _max_tokens(self, task: Task) -> int | None:
        """The token limit of each completion: the config's, or the most of samples; None if the task's own holds."""
        return self.config.max_tokens or token_limit(task)

    def _call(
        self, task: Task, models: Sequence[EvaluatedModel], requests: Requests
    ) -> RunResult[tuple[Failures, float]]:
        async def work(engine: Engine, seen: Seen) -> tuple[Failures, float]:
            return await run_calls(engine, task, requests, seen)

        return self.session.run(
            {model.name: model.client for model in models},
            work,
            total=call_count(requests),
            budget=self.config.budget,
            retry_policy=RetryPolicy(call_timeout=CALL_TIMEOUT),
            # the next task needs the weights of a model in this process
            keep_open=[model.name for model in models if isinstance(model.settings, TransformersSettings)],
        )

    def _finish(
        self,
        selected: SelectedTask,
        models: Sequence[EvaluatedModel],
        requests: Requests,
        called: RunResult[tuple[Failures, float]],
    ) -> list[ModelRun]:
        failures, seconds = called.value or ({}, 0.0)
        try:
            task = self._annotated(selected.task, requests)
            results = [
                score(task, model, requests[model.name], self.session.reply_cache, failures) for model in models
            ]
        except BenchmarkError as problem:
            raise ConfigError(f"{selected.task.name}: {problem}") from problem
        measured = seconds if called.call_counts.calls and not called.call_counts.replayed else None
        return [self._saved(selected, requests, result, measured, called) for result in results]

    def _saved(
        self,
        selected: SelectedTask,
        requests: Requests,
        result: ModelResult,
        seconds: float | None,
        called: RunResult[tuple[Failures, float]],
    ) -> ModelRun:
        summary = report(selected.task, selected.samples, result.outcomes)
        of_model = requests[result.model.name]
        max_tokens = self._max_tokens(selected.task)
        kept = save(self.database, selected, of_model, result, summary, seconds, max_tokens)
        if (reason := replacement(kept, result.model.name, summary)) is not None:
            self.on_event(Replaced(reason))
        first = next((body for request in of_model for body in request.bodies), None)
        return ModelRun(kept, selected, result, summary, seconds, called.call_counts, bool(called.stopped), first)

    def _annotated(self, task: Task, requests: Requests) -> Task:
        """`task` with the annotations of all replies; the task itself if it needs none."""
        if not isinstance(task, AnnotatedTask):
            return task
        replies = cached_replies(requests, self.session.reply_cache)
        return with_annotations(task, replies, annotator(task, self.judge))

    def skip(self, problem: ConfigError | WorkFailed) -> None:
        """Note why a task or a model is skipped; raise it if there is a single task."""
        if self.single:
            raise problem
        self._note(str(problem))

    def _note(self, reason: str) -> None:
        self.skipped.append(reason)
        self.on_event(Skipped(reason))


async def run_calls(engine: Engine, task: Task, requests: Requests, seen: Seen) -> tuple[Failures, float]:
    """Make the calls whose replies are not in the cache. Returns why calls failed, by key, and the seconds it took."""
    began = time.monotonic()
    failures: Failures = {}
    async for result in engine.run(calls(task, requests)):
        seen(result)
        if result.status is not Status.OK:
            failures[result.call.key] = result.status.value
    return failures, time.monotonic() - began
