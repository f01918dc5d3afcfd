"""Simulated boards that show no difference, or show it falsely: how often ranks, `both` and rank correlations mislead.

`reproduce/coverage.py --claims` prints the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import asin, pi, sqrt

import numpy as np
from scipy.special import expit

import ratings
from arena.benchmarking.rank_correlation import correlation
from ratings import CENTRE, POINTS_PER_LOGIT
from ratings.inference.ranks import pairwise_z_scores

Generator = np.random.Generator
MODELS = 20


def claim_rows(runs: int, seed: int = 0) -> list[str]:
    """The three tables in Markdown; every share with two standard errors of the simulation."""
    return [*_rank_rows(runs, seed), "", *_anchored_rows(runs, seed), "", *_correlation_rows(runs, seed)]


def _share(held: list[bool] | np.ndarray) -> str:
    share = float(np.mean(held))
    return f"{100 * share:.1f} % ± {200 * sqrt(share * (1 - share) / len(held)):.1f}"


def _rank_rows(runs: int, seed: int) -> Iterator[str]:
    yield "| equal models: boards that put one of them below first | each pair by itself | ranks of boards |"
    yield "| --- | --- | --- |"
    for models, battles in ((10, 20), (20, 20), (30, 20), (4, 4), (10, 2)):
        alone, together = [], []
        for run in range(runs):
            counts = _equal(np.random.default_rng([seed, run]), models, battles)
            fit = ratings.bradley_terry(counts, prior=ratings.PRIOR)
            alone.append(bool((pairwise_z_scores(fit) > ratings.normal_quantile(0.95)).any()))
            rows = ratings.leaderboard(counts, fit=fit, minimum_battles=0).rows
            together.append(any(row.rank is not None and row.rank > 1 for row in rows))
        yield f"| {models} models, {battles} battles a pair | {_share(alone)} | {_share(together)} |"


def _equal(rng: Generator, models: int, battles: int) -> ratings.PairCounts:
    a, b = np.triu_indices(models, 1)
    wins = rng.binomial(battles, 0.5, len(a))
    zero = np.zeros(len(a), dtype=int)
    return ratings.PairCounts(tuple(f"m{n:02}" for n in range(models)), a, b, wins, battles - wins, zero, zero)


# name -> (how far judges err, logits; how much they favour the first model; people's votes on it, None: all 2,000)
PANELS = {
    "judges err by 0.3 logits": (0.3, 0.0, None),
    "judges err by 0.1 logits": (0.1, 0.0, None),
    "they favour one model by a logit": (0.1, 1.0, None),
    "the same, a newcomer with 80 votes of people": (0.1, 1.0, 80),
    "the same, 40 votes": (0.1, 1.0, 40),
    "the same, 20 votes": (0.1, 1.0, 20),
    "the same, 10 votes": (0.1, 1.0, 10),
}


def _anchored_rows(runs: int, seed: int) -> Iterator[str]:
    yield "| `both`: five judges of 10,000 verdicts | all models | that model | that model, people alone | gain in votes |"
    yield "| --- | --- | --- | --- | --- |"
    for name, panel in PANELS.items():
        everyone, favoured, alone, gain = [], [], [], []
        for run in range(runs):
            xi, counts = _log(np.random.default_rng([seed, run]), *panel)
            joint = ratings.human_anchored_counts(counts, prior=ratings.PRIOR)
            truth = CENTRE + POINTS_PER_LOGIT * xi
            lower, upper = joint.fit.interval()
            held = (lower <= truth) & (truth <= upper)
            low, high = joint.human.interval()
            everyone.append(held.mean())
            favoured.append(bool(held[0]))
            alone.append(bool(low[0] <= truth[0] <= high[0]))
            gain.append(joint.gain)
        cells = (_share(everyone), _share(favoured), _share(alone), f"{np.mean(gain):.2f} times")
        yield f"| {name} | {' | '.join(cells)} |"


def _log(
    rng: Generator, errs: float, favour: float, votes: int | None
) -> tuple[np.ndarray, Mapping[str, ratings.PairCounts]]:
    """The truth in logits, and the counts of people and of five judges that share half of their errors."""
    xi = rng.normal(0, 0.6, MODELS)
    xi -= xi.mean()
    shared = rng.normal(0, errs / sqrt(2), MODELS)
    shared[0] = favour
    counts = {}
    for number in range(6):
        battles = 2000 if number == 0 else 10_000
        a = rng.integers(0, MODELS, battles)
        b = (a + rng.integers(1, MODELS, battles)) % MODELS
        if number == 0 and votes is not None:
            met = (a == 0) | (b == 0)
            kept = ~met | (np.cumsum(met) <= votes)
            a, b = a[kept], b[kept]
        taste = np.zeros(MODELS) if number == 0 else shared + rng.normal(0, errs / sqrt(2), MODELS)
        lead = xi[a] - xi[b] + taste[a] - taste[b] + (0.0 if number == 0 else 0.4)
        name = "human" if number == 0 else f"judge:{number}"
        counts[name] = _counted(a, b, _outcomes(rng, lead))
    return xi, counts


def _outcomes(rng: Generator, lead: np.ndarray, log_nu: float = -0.5) -> np.ndarray:
    """Wins, losses and ties of Davidson's model."""
    tie = np.exp(log_nu)
    total = np.exp(lead / 2) + np.exp(-lead / 2) + tie
    drawn = rng.random(len(lead)) < tie / total
    return np.where(drawn, 2, np.where(rng.random(len(lead)) < expit(lead), 0, 1))


def _counted(a: np.ndarray, b: np.ndarray, outcome: np.ndarray) -> ratings.PairCounts:
    table = np.zeros((MODELS * MODELS, 4), dtype=int)
    np.add.at(table, (a * MODELS + b, outcome), 1)
    pairs = np.flatnonzero(table.sum(axis=1))
    return ratings.PairCounts(
        tuple(f"m{n:02}" for n in range(MODELS)), pairs // MODELS, pairs % MODELS, *table[pairs].T
    )


def _correlation_rows(runs: int, seed: int) -> Iterator[str]:
    yield "| rank correlation of scores and ratings | Fisher's z | intervals of `/benchmarks` |"
    yield "| --- | --- | --- |"
    for models, truth in ((4, 0.48), (4, 0.79), (4, 0.95), (6, 0.79), (10, 0.79), (30, 0.79)):
        rng = np.random.default_rng([seed, models])
        r = 2 * np.sin(pi * truth / 6)
        fisher, ours = [], []
        for _ in range(4 * runs):
            x, noise = rng.standard_normal((2, models))
            found = correlation(x.tolist(), (r * x + sqrt(1 - r * r) * noise).tolist())
            assert found is not None
            half = 1.96 * sqrt((1 + found.value**2 / 2) / (models - 3))
            middle = np.arctanh(np.clip(found.value, -1 + 1e-9, 1 - 1e-9))
            fisher.append(bool(np.tanh(middle - half) <= truth <= np.tanh(middle + half)))
            ours.append(found.lower <= 6 / pi * asin(r / 2) <= found.upper)
        yield f"| {models} models, true value {truth} | {_share(fisher)} | {_share(ours)} |"
