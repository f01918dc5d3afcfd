"""A load test of one model: requests on a schedule or a fixed number at once, timed through its own endpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.benchmarking.conversations import Conversation
from arena.benchmarking.load import Load, LoadTestConfig
from arena.config import AnyModel
from arena.endpoints import Endpoint, EndpointError, Finish
from arena.endpoints.endpoint import Thinking, Timeable, complete
from arena.errors import ConfigError
from arena.serving.configured_endpoints import make_endpoint
from arena.serving.model_clients import no_answer
from arena.serving.models import Message, ServedModel
from benchmarks.errors import BenchmarkError
from benchmarks.speed import SpeedReport, report
from benchmarks.timing import Timing

logger = logging.getLogger(__name__)


def ignore(_: Timing) -> None:
    """The default `seen`, which ignores results."""


def run_load_test(
    settings: AnyModel, config: LoadTestConfig, seen: Callable[[Timing], None] = ignore
) -> SpeedReport:
    """Latencies, throughput and goodput of one model. `seen` is called with every timing.

    Call it outside any event loop. Raises `ConfigError`, `WorkFailed`.
    """
    return reported(timed_repeats(settings, config, seen), config)


def reported(repeats: Sequence[Sequence[Timing]], config: LoadTestConfig) -> SpeedReport:
    """The report of the timings of each repeat. Raises `ConfigError`."""
    try:
        return report(repeats, dict(config.objectives))
    except BenchmarkError as error:
        raise ConfigError(str(error)) from error


def timed_repeats(
    settings: AnyModel, config: LoadTestConfig, seen: Callable[[Timing], None] = ignore
) -> list[list[Timing]]:
    """The timings of every repeat, each with texts of its own. Raises as `run_load_test`."""
    return asyncio.run(_timings(settings, config, seen))


async def _timings(
    settings: AnyModel, config: LoadTestConfig, seen: Callable[[Timing], None]
) -> list[list[Timing]]:
    model, load, made = ServedModel(settings, make_endpoint(settings)), config.load, config.made
    client = Client(model.endpoint, model.request, config.fixed_output, load.timeout)
    try:
        await model.endpoint.start()
        if isinstance(model.endpoint, Timeable):
            await _settle(model.endpoint, client.body([{"role": "user", "content": made[0].prompts[0]}], 1))
        return [
            await timed_repeat(client, made[start : start + load.each], load, seen, repeat)
            for repeat, start in enumerate(range(0, len(made), load.each))
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


@dataclass(frozen=True)
class Client:
    """What is timed: an endpoint, and how a request to it looks."""

    endpoint: Endpoint
    request: Callable[[Sequence[Message]], Mapping[str, Any]]
    fixed_output: bool = False
    timeout: float = 120.0  # seconds for one request

    def body(self, messages: Sequence[Message], max_tokens: int) -> Mapping[str, Any]:
        """The request. A fixed output is asked for by the names of vLLM, SGLang and llama.cpp."""
        exact = {"ignore_eos": True, "min_tokens": max_tokens} if self.fixed_output else {}
        return {**self.request(list(messages)), "max_tokens": max_tokens, **exact}


async def timed_repeat(
    client: Client, made: Sequence[Conversation], load: Load, seen: Callable[[Timing], None], repeat: int = 0
) -> list[Timing]:
    """The timings of one repeat: `load.each` conversations are sent, and those of the warm-up are excluded."""
    slots = asyncio.Semaphore(load.concurrency or len(made))
    began, due = time.perf_counter(), load.due(repeat)

    async def send(conversation: Conversation, wait: float | None) -> list[Timing]:
        await asyncio.sleep(max(0.0, began + wait - time.perf_counter()) if wait is not None else 0)
        messages: list[Message] = []
        timings: list[Timing] = []
        scheduled = None if wait is None else began + wait
        for turn, (prompt, limit) in enumerate(zip(conversation.prompts, conversation.max_tokens, strict=True)):
            messages.append({"role": "user", "content": prompt})
            async with slots:
                timing, text = await timed(client, client.body(messages, limit), scheduled, turn)
            seen(timing)
            timings.append(timing)
            if not timing.ok:
                return timings + _unsent(timing, conversation, seen)
            messages.append({"role": "assistant", "content": text})
            scheduled = timing.ended
        return timings

    waits = due if due is not None else [None] * len(made)
    done = await asyncio.gather(*(send(one, wait) for one, wait in zip(made, waits, strict=True)))
    return [timing for timings in done[load.warmup :] for timing in timings]


def _unsent(failed: Timing, conversation: Conversation, seen: Callable[[Timing], None]) -> list[Timing]:
    """The turns after one that failed: they were due, and count as failures of their own kind."""
    when = failed.ended or failed.sent
    left = [
        Timing(when, when, ended=when, turn=turn, error="turn before it failed")
        for turn in range(failed.turn + 1, len(conversation.prompts))
    ]
    for timing in left:
        seen(timing)
    return left


async def timed(
    client: Client, body: Mapping[str, Any], scheduled: float | None, turn: int = 0
) -> tuple[Timing, str]:
    """The timing of one streamed request, and the text; never retried, and a failure is part of the timing.

    A request without a schedule was due when it was sent.
    """
    endpoint, texts = client.endpoint, []
    sent, chunks, finish, error = time.perf_counter(), [], None, None
    thinking: list[float] = []
    stream = endpoint.attempt(body) if isinstance(endpoint, Timeable) else endpoint.stream(body)
    try:
        async with asyncio.timeout(client.timeout):
            async for event in stream:
                if isinstance(event, Finish):
                    finish = event
                elif isinstance(event, Thinking):
                    thinking.append(time.perf_counter())
                elif event:
                    chunks.append(time.perf_counter())
                    texts.append(event)
    except EndpointError as problem:
        error = problem.failure.value
    except TimeoutError:
        error = "timeout"
    finally:
        await stream.aclose()
    ended = time.perf_counter()
    counted = finish.usage.completion_tokens if finish else None
    timing = Timing(
        scheduled=sent if scheduled is None else scheduled,
        sent=sent,
        chunks=tuple(sorted([*thinking, *chunks])),
        first_content=chunks[0] if chunks else None,
        thinking_chunks=len(thinking),
        ended=ended,
        prompt_tokens=finish.usage.prompt_tokens if finish else None,
        output_tokens=counted if counted is not None else (len(thinking) + len(chunks) or None),
        counted_by="usage" if counted is not None else "chunks",
        error=error,
        turn=turn,
    )
    return timing, "".join(texts)
