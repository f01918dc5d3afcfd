"""The load of a load test: when requests are sent, how many, and what they ask."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from arena.benchmarking.conversations import Content, Conversation, Trace, conversations
from arena.errors import ConfigError
from benchmarks.arrivals import Arrivals, recorded, schedule
from benchmarks.errors import BadOption


@dataclass(frozen=True)
class Load:
    """`rate` conversations per second on a schedule, or up to `concurrency` requests at once.

    With both, a scheduled request waits for a free slot, and the wait is part of its time since scheduled. The first
    `warmup` conversations are sent in the same stream and excluded. `burstiness` and `ramp_to` are those of
    `benchmarks.arrivals.Arrivals`. A `trace` has a schedule of its own, which `rate` stretches. `step` is the number of
    the load test in a sweep from 0; each has texts and random arrivals of its own, which `seed` and `step` alone decide.
    """

    requests: int = 50
    rate: float | None = None
    concurrency: int | None = None
    warmup: int = 5
    seed: int = 0
    timeout: float = 120.0  # seconds for one request
    burstiness: float = 1.0
    ramp_to: float | None = None
    trace: Trace | None = None
    step: int = 0

    def __post_init__(self) -> None:
        if self.rate is None and self.concurrency is None and self.trace is None:
            raise BadOption("The load has no rate and no concurrency. Give at least one of them.")
        for name, value, least in (
            ("requests", self.requests, 1), ("warmup", self.warmup, 0), ("concurrency", self.concurrency, 1),
        ):  # fmt: skip
            if value is not None and value < least:
                raise BadOption(f"{name} is {value}. Give at least {least}.")
        for name, number in (("rate", self.rate), ("timeout", self.timeout)):
            if number is not None and not 0 < number < math.inf:
                raise BadOption(f"{name} is {number}. Give a number above 0.")
        if self.rate is None and (self.ramp_to is not None or self.burstiness != 1):
            raise BadOption("Burstiness and a ramp belong to a schedule. Give a rate too.")
        if self.trace is not None and (self.ramp_to is not None or self.burstiness != 1):
            raise BadOption("A trace has arrivals of its own. Remove the burstiness and the ramp.")
        if self.trace is not None and len(self.trace.times) < self.each:
            raise BadOption(
                f"The trace has {len(self.trace.times)} requests, and a repeat needs {self.each}, the warm-up "
                "included. Give fewer requests."
            )
        self.due()  # raises for arrivals that are not valid

    @property
    def label(self) -> str:
        """Seeds the texts and begins each of them, so that no step begins like one of another step or seed."""
        return f"{self.seed}.{self.step}" if self.step else str(self.seed)

    @property
    def each(self) -> int:
        """The conversations of one repeat, warm-up included."""
        return self.warmup + self.requests

    def due(self, repeat: int = 0) -> list[float] | None:
        """The seconds from the start at which each conversation is due; None if each waits for a free slot only.

        Random arrivals differ by repeat, counted from 0.
        """
        if self.trace is not None:
            return recorded(self.trace.times[: self.each], self.rate)
        if self.rate is None:
            return None
        return schedule(
            Arrivals(self.rate, self.burstiness, self.ramp_to), self.each, (self.seed, repeat, self.step)
        )


@dataclass(frozen=True)
class LoadTestConfig:
    """A load test: the load, sent `repeats` times with different texts."""

    load: Load
    repeats: int = 3  # intervals need at least two
    content: Content = field(default_factory=Content)
    objectives: Mapping[str, float] = field(default_factory=dict)  # seconds by latency, for the goodput
    fixed_output: bool = False  # each completion has exactly its token limit, where the server can do it

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise ConfigError("--repeats is at least 1. Give a larger number.")

    @property
    def conversations(self) -> int:
        """Of all repeats, warm-up included."""
        return self.repeats * self.load.each

    @cached_property
    def made(self) -> Sequence[Conversation]:
        """The conversations of all repeats, in order."""
        load = self.load
        if load.trace is not None:
            return load.trace.conversations(load.each, self.repeats, load.label)
        return conversations(self.conversations, self.content, load.label)
