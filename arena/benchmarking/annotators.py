"""What the application finds out about replies for tasks that need more than words.

Their programs are run in the sandbox, a judge is asked through the engine, and a toxicity scorer is a function of
the user's: ``ARENA_TOXICITY_SCORER=module:function``, which takes a list of texts and returns numbers from 0 to 1.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from arena import sandbox
from arena.config import AnyModel
from arena.engine import Call, Engine, ReplyCache
from arena.errors import ConfigError
from arena.serving import model_clients
from benchmarks.annotations import EXECUTION, TOXICITY, AnnotatedTask, Annotator
from benchmarks.code import Code
from benchmarks.replies import words
from benchmarks.task import Outcome, Reply, Sample, Task

SCORER = "ARENA_TOXICITY_SCORER"


def annotator(task: AnnotatedTask, judge: Annotator | None = None) -> Annotator:
    """Who finds out what `task` needs. Raises `ConfigError`, also where this machine cannot isolate programs."""
    if task.needs == EXECUTION:
        sandbox.check()
        return runner(task.seconds if isinstance(task, Code) else 3.0)
    if task.needs == TOXICITY:
        return scorer(task.name)
    if judge is None:
        raise ConfigError(f"{task.name}: its completions are read by a judge; name a model with --judge")
    return judge


def equipped(task: Task, judge: Annotator | None = None) -> Task:
    """`task` with its annotator; itself where it needs none. Raises `ConfigError`."""
    return replace(task, annotator=annotator(task, judge)) if isinstance(task, AnnotatedTask) else task


def looked_up(task: AnnotatedTask, given: Iterable[tuple[Sample, Reply]], ask: Annotator) -> AnnotatedTask:
    """`task` with everything about these replies found out at once, so that it can be done in parallel."""
    asked = {_key(one): one for sample, reply in given if (one := task.to_annotate(sample, reply)) is not None}
    values = dict(zip(asked, ask(list(asked.values())), strict=True))
    return replace(task, annotator=lambda questions: [values[_key(one)] for one in questions])


def runner(seconds: float, workers: int | None = None) -> Callable[[Sequence[Any]], list[dict[str, Any]]]:
    """Runs programs with a limit of `seconds` each, one on every processor."""
    limits = sandbox.Limits(seconds=seconds)

    def run(programs: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {"passed": one.passed, "reason": one.reason, "output": one.output}
            for one in sandbox.run_all(programs, limits, workers)
        ]

    return run


def scorer(task: str) -> Annotator:
    """The user's function of texts. Raises `ConfigError`."""
    named = os.environ.get(SCORER)
    if not named:
        raise ConfigError(
            f"{task}: needs a toxicity scorer; set {SCORER}=module:function, a function that takes a list of "
            "texts and returns as many numbers from 0 to 1"
        )
    module, _, function = named.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"{SCORER}={named}: {error}; give module:function of something that is installed"
        ) from error

    def score(texts: Sequence[Any]) -> list[float]:
        values = [float(value) for value in found(list(texts))]
        if len(values) != len(texts) or any(not 0 <= value <= 1 for value in values):
            raise ConfigError(f"{SCORER}={named}: {values[:3]} … for {len(texts)} texts; from 0 to 1, one a text")
        return values

    return score


def judged_by(settings: AnyModel, reply_cache: ReplyCache) -> Annotator:
    """Asks a model through the engine; its replies are kept, and asked for once. Silence is an empty judgement."""

    def ask(requests: Sequence[Any]) -> list[str]:
        target = model_clients.target(settings)
        bodies = [{**settings.parameters, **body, "model": settings.name} for body in requests]
        keys = [model_clients.key(target.identity, body) for body in bodies]
        engine = Engine({settings.name: target}, reply_cache)

        async def run() -> None:
            try:
                calls = [Call(key, settings.name, body) for key, body in zip(keys, bodies, strict=True)]
                async for _ in engine.run(iter(calls)):
                    pass
            finally:
                await target.endpoint.close()

        asyncio.run(run())
        return [_said(reply_cache.reply(key)) for key in keys]

    return ask


def _said(reply: Reply | None) -> str:
    text = words(reply)
    return "" if isinstance(text, Outcome) else text


def _key(question: Any) -> str:
    return json.dumps(question, sort_keys=True, ensure_ascii=False)
