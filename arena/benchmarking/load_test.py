"""A load test of one model: requests on a schedule or a fixed number at once, timed through its own endpoint."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.config import AnyModel
from arena.endpoints import Endpoint, EndpointError, Finish
from arena.endpoints.endpoint import Thinking, Timeable, complete
from arena.errors import ConfigError
from arena.serving.configured_endpoints import make_endpoint
from arena.serving.model_clients import no_answer
from arena.serving.models import ServedModel
from benchmarks.errors import BadOption, BenchmarkError
from benchmarks.speed import SpeedReport, poisson, report
from benchmarks.timing import Timing

logger = logging.getLogger(__name__)

# Words of every tokenizer's vocabulary. Prompts differ from the first word on, so that no server caches them.
WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work government number night point home water room "
    "mother area money story fact month lot right study book eye job word business issue side kind head house"
)


@dataclass(frozen=True)
class Load:
    """`rate` requests per second on a Poisson schedule, or up to `concurrency` at once. With both, a scheduled
    request waits for a free slot, and the wait is part of its time since scheduled. The first `warmup` requests are
    sent in the same stream and excluded."""

    requests: int = 50
    rate: float | None = None
    concurrency: int | None = None
    warmup: int = 5
    seed: int = 0
    timeout: float = 120.0  # seconds for one request

    def __post_init__(self) -> None:
        if self.rate is None and self.concurrency is None:
            raise BadOption("The load has no rate and no concurrency. Give at least one of them.")
        for name, value, least in (
            ("requests", self.requests, 1), ("warmup", self.warmup, 0), ("concurrency", self.concurrency, 1),
        ):  # fmt: skip
            if value is not None and value < least:
                raise BadOption(f"{name} is {value}. Give at least {least}.")
        for name, number in (("rate", self.rate), ("timeout", self.timeout)):
            if number is not None and not 0 < number < math.inf:
                raise BadOption(f"{name} is {number}. Give a number above 0.")


@dataclass(frozen=True)
class LoadTestConfig:
    """A load test: the load, sent `repeats` times with different prompts."""

    load: Load
    repeats: int = 3  # intervals need at least two
    max_tokens: int = 128
    prompt_words: int = 128
    objectives: Mapping[str, float] = field(default_factory=dict)  # seconds by latency, for the goodput

    def __post_init__(self) -> None:
        if min(self.repeats, self.max_tokens, self.prompt_words) < 1:
            raise ConfigError("--repeats, --max-tokens and --prompt-words are at least 1. Give larger numbers.")

    @property
    def requests(self) -> int:
        """The requests of all repeats, warm-up included."""
        return self.repeats * (self.load.warmup + self.load.requests)


def ignore(_: Timing) -> None:
    """The default `seen`, which ignores results."""


def run_load_test(
    settings: AnyModel, config: LoadTestConfig, seen: Callable[[Timing], None] = ignore
) -> SpeedReport:
    """Latencies, throughput and goodput of one model. `seen` is called with every timing.

    Call it outside any event loop. Raises `ConfigError`, `WorkFailed`.
    """
    try:
        return report(asyncio.run(_timings(settings, config, seen)), dict(config.objectives))
    except BenchmarkError as error:
        raise ConfigError(str(error)) from error


async def _timings(
    settings: AnyModel, config: LoadTestConfig, seen: Callable[[Timing], None]
) -> list[list[Timing]]:
    """The timings of every repeat, each with prompts of its own."""
    model, load = ServedModel(settings, make_endpoint(settings)), config.load
    bodies = [
        {**model.request([{"role": "user", "content": text}]), "max_tokens": config.max_tokens}
        for text in prompts(config.requests, config.prompt_words, load.seed)
    ]
    each = load.warmup + load.requests
    try:
        await model.endpoint.start()
        if isinstance(model.endpoint, Timeable):
            await _settle(model.endpoint, bodies[0])
        return [
            await timed_repeat(model.endpoint, bodies[start : start + each], load, seen)
            for start in range(0, len(bodies), each)
        ]
    except EndpointError as error:
        raise no_answer(settings.name, error) from error
    finally:
        await model.endpoint.close()


async def _settle(endpoint: Endpoint, body: Mapping[str, Any]) -> None:
    """Call the endpoint once, untimed, so that it learns what its server does not support. Failures show in the timings."""
    try:
        await complete(endpoint, {**body, "max_tokens": 1})
    except EndpointError as error:
        logger.info("The call before the load test failed: %s", error.detail)


def prompts(count: int, words: int, seed: int) -> list[str]:
    """`count` prompts of `words` random words; no two start alike."""
    rng, vocabulary = random.Random(seed), WORDS.split()  # noqa: S311  (texts, no secrets)
    return [
        f"{seed}-{number}: write a story with these words: {' '.join(rng.choices(vocabulary, k=words))}"
        for number in range(count)
    ]


async def timed_repeat(
    endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]], load: Load, seen: Callable[[Timing], None]
) -> list[Timing]:
    """The timings of one repeat: `load.warmup + load.requests` bodies are sent, and the warm-up is excluded."""
    slots = asyncio.Semaphore(load.concurrency or len(bodies))
    began = time.perf_counter()
    due = [began] * len(bodies)
    if load.rate is not None:
        due = [began + wait for wait in poisson(load.rate, len(bodies), load.seed)]

    async def send(body: Mapping[str, Any], scheduled: float) -> Timing:
        await asyncio.sleep(max(0.0, scheduled - time.perf_counter()))
        async with slots:
            now = time.perf_counter()
            timing = await timed(endpoint, body, now if load.rate is None else scheduled, load.timeout)
        seen(timing)
        return timing

    timings = await asyncio.gather(*(send(body, when) for body, when in zip(bodies, due, strict=True)))
    return timings[load.warmup :]


async def timed(endpoint: Endpoint, body: Mapping[str, Any], scheduled: float, limit: float) -> Timing:
    """The timing of one streamed request, never retried; a failure is part of it."""
    sent, chunks, finish, error = time.perf_counter(), [], None, None
    thinking: list[float] = []
    stream = endpoint.attempt(body) if isinstance(endpoint, Timeable) else endpoint.stream(body)
    try:
        async with asyncio.timeout(limit):
            async for event in stream:
                if isinstance(event, Finish):
                    finish = event
                elif isinstance(event, Thinking):
                    thinking.append(time.perf_counter())
                elif event:
                    chunks.append(time.perf_counter())
    except EndpointError as problem:
        error = problem.failure.value
    except TimeoutError:
        error = "timeout"
    finally:
        await stream.aclose()
    ended = time.perf_counter()
    counted = finish.usage.completion_tokens if finish else None
    return Timing(
        scheduled=scheduled,
        sent=sent,
        chunks=tuple(sorted([*thinking, *chunks])),
        first_content=chunks[0] if chunks else None,
        thinking_chunks=len(thinking),
        ended=ended,
        prompt_tokens=finish.usage.prompt_tokens if finish else None,
        output_tokens=counted if counted is not None else (len(thinking) + len(chunks) or None),
        counted_by="usage" if counted is not None else "chunks",
        error=error,
    )
