"""Latencies and throughput of timed requests, with intervals.

Unmeasured values are None, never 0. Percentiles are numpy's linear ones. Latencies are defined in `benchmarks.timing`.
"""

from __future__ import annotations

import math
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


def needed(percentile: int, confidence: float = CONFIDENCE) -> int:
    """The least number of independent measurements of which one is above the percentile with this confidence.

    With fewer no upper bound of the percentile can be given without a model of the distribution:
    ``n >= ln(1 - confidence) / ln(percentile / 100)``.
    """
    return math.ceil(math.log(1 - confidence) / math.log(percentile / 100))


@dataclass(frozen=True)
class Spread:
    """A measure's mean and percentiles over successful requests, of latencies in seconds; None without a measurement."""

    measured: int
    mean: Interval | None = None
    percentiles: Mapping[int, Interval] = field(default_factory=dict)
    deviation: float | None = None  # standard deviation of the measurements

    @property
    def too_few(self) -> tuple[int, ...]:
        """The percentiles that are read from too few measurements (`needed`)."""
        return tuple(percentile for percentile in self.percentiles if self.measured < needed(percentile))


@dataclass(frozen=True)
class Totals:
    """Of successful requests in all repeats; tokens are None where a server sends no usage of the input."""

    input_tokens: int | None
    output_tokens: int
    most_output_tokens: float  # in the best second of a repeat


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
    totals: Totals
    turns: tuple[Spread, ...]  # time to first token by turn, if conversations have several
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
        totals=totals(runs),
        turns=_by_turn(done, clusters),
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


def totals(runs: Sequence[Sequence[Timing]]) -> Totals:
    """The sums of tokens over all repeats."""
    done = [timing for run in runs for timing in run if timing.ok]
    inputs = [timing.prompt_tokens for timing in done]
    return Totals(
        input_tokens=sum(count or 0 for count in inputs) if None not in inputs else None,
        output_tokens=sum(timing.output_tokens or 0 for timing in done),
        most_output_tokens=max(float(np.max(tokens_by_second(run), initial=0.0)) for run in runs),
    )


def tokens_by_second(run: Sequence[Timing]) -> NDArray[np.float64]:
    """Output tokens that arrived in each second from the first request due, shape (seconds,).

    The tokens of a request are spread evenly over its chunks.
    """
    start = min(timing.scheduled for timing in run)
    seconds = [int(chunk - start) for timing in run if timing.ok for chunk in timing.chunks]
    shares = [
        (timing.output_tokens or len(timing.chunks)) / len(timing.chunks)
        for timing in run
        if timing.ok
        for _ in timing.chunks
    ]
    return np.bincount(seconds, weights=shares).astype(np.float64) if seconds else np.zeros(0)


def _by_turn(done: Sequence[Timing], clusters: list[str] | None) -> tuple[Spread, ...]:
    turns = range(max((timing.turn for timing in done), default=0) + 1)
    if len(turns) < 2:
        return ()
    found = []
    for turn in turns:
        places = [place for place, timing in enumerate(done) if timing.turn == turn]
        of_turn = [clusters[place] for place in places] if clusters else None
        found.append(_latency([done[place] for place in places], LATENCIES["ttft"], of_turn))
    return tuple(found)


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
    return Spread(
        len(values), estimates[0], dict(zip(PERCENTILES, estimates[1:], strict=True)), float(np.std(values))
    )


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
