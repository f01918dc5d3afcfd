"""The annotators of tasks that need more than a reply's words.

Programs run in the sandbox, a judge is called through the engine, and a toxicity scorer is a function of the
user's: ``ARENA_TOXICITY_SCORER=module:function``, which takes a list of texts and returns numbers from 0 to 1.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from arena import sandbox
from arena.benchmarking.model_replies import model_replies
from arena.benchmarking.requests import Requests
from arena.config import AnyModel
from arena.endpoints.parameters import with_parameters
from arena.engine import CallSession, ReplyCache
from arena.errors import ConfigError
from arena.serving import model_clients
from benchmarks.annotations import EXECUTION, TOXICITY, AnnotatedTask, Annotator
from benchmarks.code import Code
from benchmarks.replies import words
from benchmarks.task import Outcome, Reply, Sample, Task

SCORER = "ARENA_TOXICITY_SCORER"


def annotator(task: AnnotatedTask, judge: Annotator | None = None) -> Annotator:
    """The annotator that `task` needs. Raises `ConfigError`, also if this machine cannot isolate programs."""
    if task.needs == EXECUTION:
        sandbox.check()
        return program_runner(task.seconds if isinstance(task, Code) else 3.0)
    if task.needs == TOXICITY:
        return toxicity_scorer(task.name)
    if judge is None:
        raise ConfigError(f"{task.name}: A judge reads the completions of this task. Name a model with --judge.")
    return judge


def with_annotator(task: Task, judge: Annotator | None = None) -> Task:
    """`task` with its annotator; the task itself if it needs none. Raises `ConfigError`."""
    return replace(task, annotator=annotator(task, judge)) if isinstance(task, AnnotatedTask) else task


def with_annotations(
    task: AnnotatedTask, replies: Iterable[tuple[Sample, Reply]], annotate: Annotator
) -> AnnotatedTask:
    """`task` with the annotations of all these replies, computed in one call so that it can run in parallel."""
    items = {
        _key(item): item for sample, reply in replies if (item := task.to_annotate(sample, reply)) is not None
    }
    values = dict(zip(items, annotate(list(items.values())), strict=True))
    return replace(task, annotator=lambda wanted: [values[_key(item)] for item in wanted])


def cached_replies(requests: Requests, reply_cache: ReplyCache) -> Iterator[tuple[Sample, Reply]]:
    """Every reply to these requests in the cache, with its sample."""
    for of_model in requests.values():
        for request in of_model:
            for key in request.keys:
                if (reply := reply_cache.reply(key)) is not None:
                    yield request.sample, reply


def program_runner(seconds: float, workers: int | None = None) -> Callable[[Sequence[Any]], list[dict[str, Any]]]:
    """An annotator that runs programs, up to `seconds` each and one on every processor."""
    limits = sandbox.Limits(seconds=seconds)

    def run(programs: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {"passed": result.passed, "reason": result.reason, "output": result.output}
            for result in sandbox.run_all(list(map(_program, programs)), limits, workers)
        ]

    return run


def _program(item: Any) -> sandbox.Program:
    """The program of an item of `Code.to_annotate`; a text is a program that tests itself."""
    return sandbox.Program(item) if isinstance(item, str) else sandbox.Program(**item)


def toxicity_scorer(task: str) -> Annotator:
    """The user's function of texts. Raises `ConfigError`."""
    name = os.environ.get(SCORER)
    if not name:
        raise ConfigError(
            f"{task}: This task needs a toxicity scorer. Set {SCORER}=module:function, a function that takes a "
            "list of texts and returns one number from 0 to 1 for each."
        )
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{SCORER}={name}: {error}. Give module:function of an installed module.") from error

    def score(texts: Sequence[Any]) -> list[float]:
        values = [float(value) for value in function(list(texts))]
        if len(values) != len(texts) or any(not 0 <= value <= 1 for value in values):
            raise ConfigError(
                f"{SCORER}={name}: The function returned {values[:3]} … for {len(texts)} texts. "
                "It must return one number from 0 to 1 for each text."
            )
        return values

    return score


def judge_annotator(settings: AnyModel, session: CallSession) -> Annotator:
    """An annotator that calls a judge model and gives the text of each reply, "" for a failed call."""

    def judge(requests: Sequence[Any]) -> list[str]:
        bodies = [with_parameters(request, settings.parameters, body_wins=True) for request in requests]
        return [
            _text(reply)
            for reply in model_replies(session, settings, model_clients.model_client(settings), bodies)
        ]

    return judge


def _text(reply: Reply | None) -> str:
    text = words(reply)
    return "" if isinstance(text, Outcome) else text


def _key(item: Any) -> str:
    return json.dumps(item, sort_keys=True, ensure_ascii=False)
