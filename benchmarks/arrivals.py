"""When the requests of a load test are due: constant, Poisson, gamma and recorded arrivals, at one rate or a rising one.

Schedules are absolute: slow replies delay no later request. The last request is due at ``requests / mean rate``, so that
each repeat has the same load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.errors import BadOption


@dataclass(frozen=True)
class Arrivals:
    """How requests arrive.

    `rate` is in requests per second. `burstiness` is the shape of the gamma distribution of the gaps, as in
    `vllm bench serve`: 1 is a Poisson process, less comes in bursts, more is steadier, and infinity is one request every
    ``1 / rate`` seconds. With `ramp_to` the rate changes from `rate` to that, linearly in time.
    """

    rate: float
    burstiness: float = 1.0
    ramp_to: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("rate", self.rate), ("ramp_to", self.ramp_to)):
            if value is not None and not 0 < value < math.inf:
                raise BadOption(f"{name} is {value}. Give a number above 0.")
        if not self.burstiness > 0:
            raise BadOption(f"burstiness is {self.burstiness}. Give a number above 0; 1 is a Poisson process.")

    @property
    def mean_rate(self) -> float:
        """Requests per second over the whole schedule."""
        return self.rate if self.ramp_to is None else (self.rate + self.ramp_to) / 2


def schedule(arrivals: Arrivals, requests: int, seed: int | Sequence[int] = 0) -> list[float]:
    """The times at which `requests` are due, in seconds from the start, rising, the last one at ``requests / mean_rate``."""
    if requests < 1:
        raise BadOption(f"{requests} requests are not valid. Give at least 1.")
    shape = arrivals.burstiness
    gaps = np.ones(requests)
    if math.isfinite(shape):
        gaps = np.random.default_rng(seed).gamma(shape, size=requests)
    done = np.cumsum(gaps)
    counts = requests * done / done[-1] if done[-1] > 0 else np.arange(1.0, requests + 1)
    return [float(time) for time in _times(counts, arrivals, requests)]


def _times(counts: np.ndarray, arrivals: Arrivals, requests: int) -> np.ndarray:
    """When so many requests were due in all: the inverse of the integral of a rate that is linear in time."""
    if arrivals.ramp_to is None or arrivals.ramp_to == arrivals.rate:
        return counts / arrivals.rate
    slope = (arrivals.ramp_to - arrivals.rate) * arrivals.mean_rate / requests  # of the rate, per second
    return (np.sqrt(arrivals.rate**2 + 2 * slope * counts) - arrivals.rate) / slope


def recorded(times: Sequence[float], rate: float | None = None) -> list[float]:
    """Recorded times from the start of the record, rising; stretched to `rate` requests per second if given."""
    if not times or not all(math.isfinite(time) for time in times):
        raise BadOption("A trace needs one finite time for each request.")
    shifted = np.sort(np.asarray(times, dtype=float)) - min(times)
    if rate is not None and shifted[-1] > 0:
        shifted = shifted * (len(times) / rate / shifted[-1])
    return [float(time) for time in shifted]
