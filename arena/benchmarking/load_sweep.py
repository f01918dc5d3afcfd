"""The highest load that a model serves within its objectives, found by load tests at one load after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from arena.benchmarking.load import LoadTestConfig
from arena.errors import ConfigError
from benchmarks.speed import SpeedReport
from benchmarks.speed_json import row

FACTOR = 2.0  # between loads until one passes and one fails
CLOSE = 1.1  # a passing and a failing load within this factor end the search
MOST_STEPS = 24
SHORTEST = 1.0  # seconds of a schedule


@dataclass(frozen=True)
class Step:
    """A load test of the sweep, at `load` requests per second or at once; `passed` if enough met every objective."""

    load: float
    report: SpeedReport
    passed: bool


@dataclass(frozen=True)
class Sweep:
    """The steps in the order of their loads. `highest` is the largest passing load; None if none passed.

    `bounded` is False if no load failed: the true one is above `highest`, and more requests are needed to find it.
    """

    by: str  # `rate` or `concurrency`
    share: float
    steps: tuple[Step, ...]
    highest: float | None
    bounded: bool

    @property
    def unit(self) -> str:
        """Of the loads."""
        return "requests per second" if self.by == "rate" else "requests at once"


def sweep(
    config: LoadTestConfig,
    share: float,
    test: Callable[[LoadTestConfig], SpeedReport],
    seen: Callable[[Step], None] = lambda _: None,
) -> Sweep:
    """Test loads by powers of two from that of `config`, then between the last passing and the first failing one.

    A load passes if at least `share` of all its requests met every objective. The load is the rate if there is one, and
    the number of requests at once if not. No load is tested that the requests of a repeat do not make: a rate at which
    all are sent within `SHORTEST` seconds, or more at once than there are. Steps differ in their texts and, with a rate,
    in the gaps between arrivals; the same seed gives the same steps. Raises `ConfigError`.
    """
    if not config.objectives:
        raise ConfigError("A sweep needs an objective. Give --objective, such as --objective ttft=0.5.")
    if not 0 < share <= 1:
        raise ConfigError(f"--share is {share}. Give a share of the requests above 0, and at most 1.")
    if config.load.trace is not None or config.load.ramp_to is not None:
        raise ConfigError("A sweep tests one rate after another. Remove --trace and --ramp-to.")
    by = "rate" if config.load.rate is not None else "concurrency"
    steps: dict[float, Step] = {}
    while len(steps) < MOST_STEPS and (load := _next(steps, config, by)) is not None:
        report = test(_at(config, by, load, step=len(steps)))
        passed = report.goodput is not None and report.goodput.share >= share
        steps[load] = Step(load, report, passed)
        seen(steps[load])
    highest, failing = _ends(steps)
    return Sweep(by, share, tuple(step for _, step in sorted(steps.items())), highest, failing is not None)


def _first(config: LoadTestConfig) -> float:
    return config.load.rate if config.load.rate is not None else float(config.load.concurrency or 1)


def _at(config: LoadTestConfig, by: str, load: float, step: int) -> LoadTestConfig:
    """The test of a step, counted from 0. Its texts are its own, or a prefix cache would flatter all but the first."""
    changed = {"rate": load} if by == "rate" else {"concurrency": int(load)}
    return replace(config, load=replace(config.load, step=step, **changed))


def _most(config: LoadTestConfig, by: str) -> float:
    """The largest load that the requests of one repeat make."""
    return config.load.each / SHORTEST if by == "rate" else float(config.load.each)


def _ends(steps: dict[float, Step]) -> tuple[float | None, float | None]:
    """The largest passing load below every failing one, and the smallest failing one."""
    failing = min((load for load, step in steps.items() if not step.passed), default=None)
    passing = [load for load, step in steps.items() if step.passed and (failing is None or load < failing)]
    return max(passing, default=None), failing


def _next(steps: dict[float, Step], config: LoadTestConfig, by: str) -> float | None:
    """The load to test after these; None at the end of the search."""
    highest, failing = _ends(steps)
    if failing is None:
        load = _first(config) if highest is None else highest * FACTOR
        return load if highest is None or load <= _most(config, by) else None
    if highest is None:
        lower = failing / FACTOR
        return lower if by == "rate" else _whole_below(lower, failing)
    if by == "concurrency":
        middle = float(round(math.sqrt(highest * failing)))
        return middle if highest < middle < failing else _between(highest, failing)
    return math.sqrt(highest * failing) if failing / highest > CLOSE else None


def _whole_below(lower: float, failing: float) -> float | None:
    return float(max(1, math.floor(lower))) if failing > 1 else None


def _between(highest: float, failing: float) -> float | None:
    return highest + 1 if failing - highest > 1 and failing / highest > CLOSE else None


def sentence(found: Sweep) -> str:
    """The highest load that a sweep found."""
    wanted = f"{found.share:.0%} of requests within every objective"
    if found.highest is None:
        return f"No load that was tested has {wanted}."
    said = f"The highest load with {wanted} is {found.highest:.3g} {found.unit}"
    return said + ("." if found.bounded else " or more: none that was tested has less. Give more --requests.")


def rows(found: Sweep) -> Iterator[dict[str, Any]]:
    """A row a step, for tables and CSV: milliseconds, requests and tokens per second."""
    for step in found.steps:
        report = step.report
        ttft, tpot = (row(name, report.latencies[name]) for name in ("ttft", "tpot"))
        good = report.goodput
        yield {
            found.by: step.load,
            "passed": "yes" if step.passed else "no",
            "share": good.share if good else None,
            "share_lower": good.lower if good else None,
            "share_upper": good.upper if good else None,
            "requests_per_second": report.request_throughput.value,
            "tokens_per_second": report.output_throughput.value if report.output_throughput else None,
            "ttft_p50_ms": ttft["p50"],
            "ttft_p99_ms": ttft["p99"],
            "tpot_p50_ms": tpot["p50"],
            "tpot_p99_ms": tpot["p99"],
            "failed": report.requests - report.succeeded,
        }
