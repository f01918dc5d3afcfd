"""Simulated battles with known ratings, to measure what a method or a sampling policy is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ratings.data.columns import Codes
from ratings.data.counts import Floats, PairCounts, count_pairs
from ratings.data.outcomes import A_WINS, B_WINS, TIE
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile
from ratings.models.bradley_terry import PRIOR, bradley_terry
from ratings.scale import CENTRE, POINTS_PER_LOGIT
from ratings.tools.pair_sampling import draw_pairs

Policy = Callable[[PairCounts], Floats]


def simulate_outcomes(lead: Floats, rng: np.random.Generator, *, ties: float = 0.0) -> NDArray[np.uint8]:
    """Outcome codes (battles,) for leads xi_A - xi_B in logits.

    A battle is a tie with probability `ties`, otherwise Bradley–Terry decides it.
    """
    won = rng.random(len(lead)) < expit(lead)
    codes = np.where(won, A_WINS, B_WINS)
    return np.where(rng.random(len(lead)) < ties, TIE, codes).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Race:
    """What each policy reaches after `votes`; arrays are (policies, checkpoints), in points.

    `error` is the root mean square error of ratings, `width` the mean half-width of their intervals, `covered` the share
    of intervals that hold the truth. `slope` is that of the estimates against the truth: 1 without bias.
    """

    policies: tuple[str, ...]
    votes: tuple[int, ...]
    error: Floats
    width: Floats
    covered: Floats
    slope: Floats

    def needed(self, policy: str, error: float, measure: str = "error") -> float:
        """The votes until a measure, `error` or `width`, falls to a value, interpolated in logarithms; nan if never."""
        path = getattr(self, measure)[self.policies.index(policy)]
        if path.min() > error:
            return float("nan")
        logs = np.log(np.minimum.accumulate(path))[::-1]
        return float(np.exp(np.interp(np.log(error), logs, np.log(np.array(self.votes))[::-1])))

    def saved(self, policy: str, against: str, measure: str = "error") -> float:
        """The share of votes that `policy` saves to reach the final error, or `width`, of `against`."""
        end = float(getattr(self, measure)[self.policies.index(against), -1])
        return 1 - self.needed(policy, end, measure) / self.votes[-1]


def race(
    policies: dict[str, Policy],
    *,
    models: int = 30,
    votes: int = 6000,
    batch: int = 300,
    newcomers: int = 0,
    established: int = 0,
    spread: float = 110.0,
    runs: int = 20,
    seed: int = 0,
) -> Race:
    """The errors of sampling policies that each choose pairs in batches, on boards with known ratings.

    True ratings are normal with sd `spread` points. All policies get the same truths and start from `established`
    battles, drawn uniformly among all models but the last `newcomers`; `votes` are added to these.
    """
    checkpoints = tuple(range(batch, votes + 1, batch))
    measures = np.zeros((4, len(policies), len(checkpoints)))
    z = normal_quantile(CONFIDENCE_LEVEL)
    for run in range(runs):
        truth = np.random.default_rng([seed, run]).normal(0, spread / POINTS_PER_LOGIT, models)
        truth -= truth.mean()
        for k, policy in enumerate(policies.values()):
            rng = np.random.default_rng([seed, run, k])
            start = _established(truth, models - newcomers, established, rng)
            for step, counts in enumerate(_asked(policy, truth, start, batch, len(checkpoints), rng)):
                fit = bradley_terry(counts, prior=PRIOR)
                measures[:, k, step] += _measures(fit, truth * POINTS_PER_LOGIT, z) / runs
    measures[0] = np.sqrt(measures[0])
    return Race(tuple(policies), checkpoints, *measures)


def _measures(fit: Fit, truth: Floats, z: float) -> Floats:
    """Mean squared error, half-width and coverage of intervals, and the slope of the estimates against the truth."""
    off = fit.ratings - CENTRE - truth
    half = z * np.sqrt(np.diag(fit.covariance))
    slope = float(truth @ (off + truth) / (truth @ truth))
    return np.array([np.mean(off**2), np.mean(half), np.mean(np.abs(off) <= half), slope])


_Log = tuple[Codes, Codes, NDArray[np.uint8]]


def _established(truth: Floats, models: int, battles: int, rng: np.random.Generator) -> _Log:
    a = rng.integers(0, models, battles)
    b = (a + rng.integers(1, models, battles)) % models
    return a, b, simulate_outcomes(truth[a] - truth[b], rng)


def _asked(
    policy: Policy, truth: Floats, log: _Log, batch: int, steps: int, rng: np.random.Generator
) -> list[PairCounts]:
    """The counts after each batch of votes."""
    names = tuple(f"model {m:03}" for m in range(len(truth)))
    none = np.zeros(0, dtype=np.int64)
    boards = [
        count_pairs(*log, models=names) if len(log[0]) else PairCounts(names, none, none, none, none, none, none)
    ]
    for _ in range(steps):
        a, b = draw_pairs(policy(boards[-1]), batch, rng)
        outcome = simulate_outcomes(truth[a] - truth[b], rng)
        log = (np.r_[log[0], a], np.r_[log[1], b], np.r_[log[2], outcome])
        boards.append(count_pairs(*log, models=names))
    return boards[1:]
