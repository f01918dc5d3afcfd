"""Timing a model under load: requests on an absolute schedule, or so many at once, through its own endpoint."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.endpoints import Endpoint, EndpointError, Finish
from benchmarks.errors import BadOption
from benchmarks.speed import Timing, poisson

# Words that every tokenizer knows; prompts differ from the first word on, so that no server has them in its cache.
WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work government number night point home water room "
    "mother area money story fact month lot right study book eye job word business issue side kind head house"
)


@dataclass(frozen=True)
class Load:
    """`rate` requests a second on a Poisson schedule, or `concurrency` at once; with both, the schedule waits for
    one of the places, and the wait shows in the times since scheduled. The first `warmup` requests are sent in the
    same stream and left out."""

    requests: int = 50
    rate: float | None = None
    concurrency: int | None = None
    warmup: int = 5
    seed: int = 0
    timeout: float = 120.0  # seconds for one request

    def __post_init__(self) -> None:
        if self.rate is None and self.concurrency is None:
            raise BadOption("give a rate (requests a second), a concurrency, or both")
        for name, value, least in (
            ("requests", self.requests, 1), ("warmup", self.warmup, 0), ("concurrency", self.concurrency, 1),
        ):  # fmt: skip
            if value is not None and value < least:
                raise BadOption(f"{name} is {value}; at least {least}")
        for name, number in (("rate", self.rate), ("timeout", self.timeout)):
            if number is not None and not 0 < number < math.inf:
                raise BadOption(f"{name} is {number}; a number above 0")


def prompts(count: int, words: int, seed: int) -> list[str]:
    """So many prompts of random words; no two begin alike."""
    rng, known = random.Random(seed), WORDS.split()  # noqa: S311  (texts, no secrets)
    return [
        f"{seed}-{number}: write a story with these words: {' '.join(rng.choices(known, k=words))}"
        for number in range(count)
    ]


async def run(
    endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]], load: Load, seen: Callable[[Timing], None]
) -> list[Timing]:
    """One repeat: `load.warmup + load.requests` bodies are sent, and the timings of the latter come back."""
    places = asyncio.Semaphore(load.concurrency or len(bodies))
    began = time.perf_counter()
    due = [began] * len(bodies)
    if load.rate is not None:
        due = [began + wait for wait in poisson(load.rate, len(bodies), load.seed)]

    async def one(body: Mapping[str, Any], scheduled: float) -> Timing:
        await asyncio.sleep(max(0.0, scheduled - time.perf_counter()))
        async with places:
            now = time.perf_counter()
            timing = await timed(endpoint, body, now if load.rate is None else scheduled, load.timeout)
        seen(timing)
        return timing

    timings = await asyncio.gather(*(one(body, when) for body, when in zip(bodies, due, strict=True)))
    return timings[load.warmup :]


async def timed(endpoint: Endpoint, body: Mapping[str, Any], scheduled: float, patience: float) -> Timing:
    """One request, streamed. A failure is part of the result."""
    sent, chunks, finish, error = time.perf_counter(), [], None, None
    stream = endpoint.stream(body)
    try:
        async with asyncio.timeout(patience):
            async for event in stream:
                if isinstance(event, Finish):
                    finish = event
                elif event:
                    chunks.append(time.perf_counter())
    except EndpointError as problem:
        error = problem.failure.value
    except TimeoutError:
        error = "timeout"
    finally:
        await stream.aclose()
    ended = time.perf_counter()
    told = finish.usage.completion_tokens if finish else None
    return Timing(
        scheduled=scheduled,
        sent=sent,
        chunks=tuple(chunks),
        ended=ended,
        prompt_tokens=finish.usage.prompt_tokens if finish else None,
        output_tokens=told if told is not None else (len(chunks) or None),
        counted_by="usage" if told is not None else "chunks",
        error=error,
    )
