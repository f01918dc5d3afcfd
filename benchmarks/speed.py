"""Latencies and throughput of timed requests, with intervals.

Unmeasured values are None, never 0. Percentiles are numpy's linear ones. Latencies are defined in `benchmarks.timing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.errors import BadOption
from benchmarks.intervals import CONFIDENCE, Interval, bootstrap, wilson
from benchmarks.timing import LATENCIES, PER_REQUEST, Timing

PERCENTILES = (50, 90, 95, 99)
RESAMPLES = 500


def poisson(rate: float, requests: int, seed: int = 0) -> list[float]:
    """The send times of `requests`, in seconds from the start, at `rate` per second on average.

    Exponential gaps, stretched so that the last one is due at ``requests / rate``: an absolute schedule, which
    slow replies do not delay, and the same load in every repeat.
    """
    if rate <= 0 or requests < 1:
        raise BadOption(
            f"rate {rate} and {requests} requests are not valid. Give a rate above 0 and at least 1 request."
        )
    times = np.cumsum(np.random.default_rng(seed).exponential(size=requests))
    return [float(time) for time in times * (requests / rate / times[-1])]


@dataclass(frozen=True)
class Spread:
    """A measure's mean and percentiles over successful requests, of latencies in seconds; None without a measurement."""

    measured: int
    mean: Interval | None = None
    percentiles: Mapping[int, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Goodput:
    """Requests that met every objective: their share of *all* requests with Wilson's interval, and per second."""

    share: float
    lower: float
    upper: float
    per_second: float


@dataclass(frozen=True)
class SpeedReport:
    """The report of several repeats of one load. Intervals over repeats include the variation between repeats."""

    requests: int
    succeeded: int
    errors: Mapping[str, int]
    duration: float  # seconds of all repeats
    latencies: Mapping[str, Spread]
    itl: Spread
    itl_per_request: Spread
    per_request: Mapping[str, Spread]  # chunks ("packages"), input and output tokens
    request_throughput: Interval  # per second, over repeats
    output_throughput: Interval | None  # tokens per second, over repeats
    counted_by: str
    peak_concurrency: int
    goodput: Goodput | None
    repeats: int
    confidence: float = CONFIDENCE


def report(runs: Sequence[Sequence[Timing]], objectives: Mapping[str, float] | None = None) -> SpeedReport:
    """The report of `runs`, each one repeat's timings; `objectives` are seconds by the names of `LATENCIES`.

    Latencies are resampled by whole repeats where there are several, since requests of one repeat
    are not independent; throughputs have one value per repeat.
    """
    every = [timing for run in runs for timing in run]
    if not every or not all(runs):
        raise BadOption("A repeat has no requests. Time at least one request in each.")
    done = [timing for timing in every if timing.ok]
    groups = [str(number) for number, run in enumerate(runs) for timing in run if timing.ok]
    clusters = groups if len(runs) > 1 else None
    spans = [span(run) for run in runs]
    tokens = [sum(timing.output_tokens or 0 for timing in run if timing.ok) for run in runs]
    gaps = [(gap, group) for timing, group in zip(done, groups, strict=True) for gap in timing.gaps]
    means = [
        (float(np.mean(timing.gaps)), group) for timing, group in zip(done, groups, strict=True) if timing.gaps
    ]
    return SpeedReport(
        requests=len(every),
        succeeded=len(done),
        errors=dict(Counter(timing.error or "no text" for timing in every if not timing.ok)),
        duration=sum(spans),
        latencies={name: _latency(done, measure, clusters) for name, measure in LATENCIES.items()},
        itl=_spread(*_columns(gaps), len(runs)),
        itl_per_request=_spread(*_columns(means), len(runs)),
        per_request={name: _latency(done, measure, clusters) for name, measure in PER_REQUEST.items()},
        request_throughput=over_repeats([sum(t.ok for t in run) / s for run, s in zip(runs, spans, strict=True)]),
        output_throughput=over_repeats([n / s for n, s in zip(tokens, spans, strict=True)])
        if any(tokens)
        else None,
        counted_by=", ".join(sorted({timing.counted_by for timing in done if timing.counted_by})),
        peak_concurrency=max(map(peak, runs)),
        goodput=goodput(every, objectives, sum(spans)) if objectives else None,
        repeats=len(runs),
    )


def span(run: Sequence[Timing]) -> float:
    """Seconds from the first request due to the last thing that happened."""
    ends = [max(timing.sent, timing.ended or 0.0, *timing.chunks[-1:]) for timing in run]
    return max(max(ends) - min(timing.scheduled for timing in run), 1e-9)


def peak(run: Sequence[Timing]) -> int:
    """The most requests that were under way at once."""
    changes = sorted(
        [(timing.sent, 1) for timing in run] + [(timing.ended or timing.sent, -1) for timing in run],
        key=lambda change: (change[0], change[1]),
    )
    return int(np.max(np.cumsum([change for _, change in changes])))


def goodput(timings: Sequence[Timing], objectives: Mapping[str, float], seconds: float) -> Goodput:
    """The share of requests that meet every objective; failed or unmeasured requests do not."""
    if unknown := [name for name in objectives if name not in LATENCIES]:
        raise BadOption(f"Objective {unknown[0]!r} is unknown. Use one of: {', '.join(LATENCIES)}.")
    if bad := [f"{name}={limit}" for name, limit in objectives.items() if limit <= 0]:
        raise BadOption(f"Objective {bad[0]} is not positive. Give a number of seconds above 0.")
    met = sum(
        timing.ok and all(_within(timing, name, limit) for name, limit in objectives.items()) for timing in timings
    )
    share = met / len(timings)
    lower, upper = wilson(share, len(timings), float(norm.ppf(0.5 + CONFIDENCE / 2)))
    return Goodput(share, lower, upper, met / seconds)


def over_repeats(values: Sequence[float]) -> Interval:
    """The mean over repeats with a percentile bootstrap; no interval from a single repeat."""
    return bootstrap(lambda drawn: float(np.mean(drawn)), list(values))


def _within(timing: Timing, name: str, limit: float) -> bool:
    value = LATENCIES[name](timing)
    return value is not None and value <= limit


def _latency(
    done: Sequence[Timing], measure: Callable[[Timing], float | None], clusters: list[str] | None
) -> Spread:
    pairs = [(measure(timing), clusters[place] if clusters else "") for place, timing in enumerate(done)]
    kept = [(value, group) for value, group in pairs if value is not None]
    return _spread(*_columns(kept), 2 if clusters else 1)


def _columns(pairs: Sequence[tuple[float, str]]) -> tuple[list[float], list[str]]:
    return [value for value, _ in pairs], [group for _, group in pairs]


def _spread(values: Sequence[float], groups: Sequence[str], repeats: int) -> Spread:
    if not values:
        return Spread(0)
    estimates = _bootstrapped(np.asarray(values), np.asarray(groups) if repeats > 1 else None)
    return Spread(len(values), estimates[0], dict(zip(PERCENTILES, estimates[1:], strict=True)))


def _statistics(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean, then the percentiles; several times as fast as `np.percentile`, whose they are."""
    places = (values.size - 1) * np.array(PERCENTILES) / 100
    return np.concatenate([[values.mean()], np.interp(places, np.arange(values.size), np.sort(values))])


def _bootstrapped(values: NDArray[np.float64], groups: NDArray[Any] | None) -> list[Interval]:
    """Of each of `_statistics`, over resamples of whole groups and of the values within them."""
    own = [float(value) for value in _statistics(values)]
    if values.size < 2:
        return [Interval(value, None, None, None) for value in own]
    rng = np.random.default_rng(0)
    members = [values] if groups is None else [values[groups == name] for name in np.unique(groups)]
    drawn = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(len(members), size=len(members))
        drawn.append(_statistics(np.concatenate([rng.choice(members[at], members[at].size) for at in chosen])))
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    errors = np.std(drawn, axis=0, ddof=1)
    return [Interval(*map(float, numbers)) for numbers in zip(own, errors, low, high, strict=True)]
