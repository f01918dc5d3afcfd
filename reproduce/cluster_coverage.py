"""Simulated boards whose votes belong together: how often 95 % intervals of boards hold the truth, and their half width.

`reproduce/coverage.py` prints the table. Voters, and prompts, have a taste for each model, normal with the given standard
deviation in logits; the truth is the Bradley–Terry fit of the expected votes over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

import ratings
from ratings import CENTRE, POINTS_PER_LOGIT

SPREAD, TIES = 110.0, 0.25
Generator = np.random.Generator


@dataclass(frozen=True)
class Votes:
    """Simulated votes (votes,) with the truth (models,) in logits; `about` are the models whose intervals count."""

    truth: np.ndarray
    a: np.ndarray
    b: np.ndarray
    clusters: Mapping[str, np.ndarray]
    outcome: np.ndarray
    about: slice | list[int]


def marginal(xi: np.ndarray, taste: float) -> np.ndarray:
    """The fit (models,) of expected votes over all tastes: Gauss–Hermite over the difference of two."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    lead = (xi[:, None] - xi[None, :])[:, :, None] + taste * np.sqrt(2) * nodes
    points = (expit(lead) @ weights / weights.sum()) * (1 - TIES) + TIES / 2
    a, b = np.nonzero(~np.eye(len(xi), dtype=bool))
    nothing = np.zeros(len(a))
    counts = ratings.PairCounts(tuple(map(str, range(len(xi)))), a, b, points[a, b], nothing, nothing, nothing)
    return (ratings.bradley_terry(counts).ratings - CENTRE) / POINTS_PER_LOGIT


def strengths(rng: Generator, models: int) -> np.ndarray:
    xi = rng.normal(0, SPREAD / POINTS_PER_LOGIT, models)
    return xi - xi.mean()


def random_pairs(rng: Generator, votes: int, models: int) -> tuple[np.ndarray, np.ndarray]:
    a = rng.integers(0, models, votes)
    return a, (a + rng.integers(1, models, votes)) % models


def drawn(
    rng: Generator,
    a: np.ndarray,
    b: np.ndarray,
    models: int,
    tastes: Mapping[str, tuple[np.ndarray, float]],
    about: slice | list[int] = slice(None),
) -> Votes:
    """Votes on the pairs; `tastes` has by name the cluster of each vote and the size of the tastes of clusters."""
    xi = strengths(rng, models)
    lead = xi[a] - xi[b]
    for cluster, size in tastes.values():
        own = rng.normal(0, size, (int(cluster.max()) + 1, models))
        lead = lead + own[cluster, a] - own[cluster, b]
    truth = marginal(xi, float(np.sqrt(sum(size**2 for _, size in tastes.values()))))
    outcome = ratings.simulation.simulate_outcomes(lead, rng, ties=TIES)
    return Votes(truth, a, b, {name: cluster for name, (cluster, _) in tastes.items()}, outcome, about)


def people(voters: int, taste: float, each: int = 40, models: int = 20) -> Callable[[Generator], Votes]:
    def draw(rng: Generator) -> Votes:
        voter = np.repeat(np.arange(voters), each)
        return drawn(rng, *random_pairs(rng, len(voter), models), models, {"voters": (voter, taste)})

    return draw


def uneven_people(taste: float, voters: int = 100, models: int = 20) -> Callable[[Generator], Votes]:
    """The n-th voter gave 1000 / n votes."""

    def draw(rng: Generator) -> Votes:
        voter = np.repeat(np.arange(voters), 1000 // np.arange(1, voters + 1))
        return drawn(rng, *random_pairs(rng, len(voter), models), models, {"voters": (voter, taste)})

    return draw


def judge(prompts: int, taste: float, models: int = 12) -> Callable[[Generator], Votes]:
    """A judge on all pairs of models of each prompt."""

    def draw(rng: Generator) -> Votes:
        i, j = np.triu_indices(models, 1)
        prompt = np.repeat(np.arange(prompts), len(i))
        return drawn(rng, np.tile(i, prompts), np.tile(j, prompts), models, {"prompts": (prompt, taste)})

    return draw


def on_shared_prompts(voters: int, prompts: int, tastes: tuple[float, float]) -> Callable[[Generator], Votes]:
    """40 votes of each voter, each on one of the prompts."""

    def draw(rng: Generator) -> Votes:
        voter = np.repeat(np.arange(voters), 40)
        prompt = rng.integers(0, prompts, len(voter))
        pairs = random_pairs(rng, len(voter), 20)
        return drawn(rng, *pairs, 20, {"voters": (voter, tastes[0]), "prompts": (prompt, tastes[1])})

    return draw


def newcomer(votes: int, by: int, taste: float, models: int = 20) -> Callable[[Generator], Votes]:
    """A model with few votes, given by a few of a hundred voters; the interval of this model alone."""

    def draw(rng: Generator) -> Votes:
        voter = np.concatenate([np.repeat(np.arange(100), 40), rng.integers(0, by, votes)])
        a, b = random_pairs(rng, 4000, models - 1)
        a = np.concatenate([a + 1, np.zeros(votes, int)])
        b = np.concatenate([b + 1, rng.integers(1, models, votes)])
        return drawn(rng, a, b, models, {"voters": (voter, taste)}, [0])

    return draw


CASES = {
    **{f"100 voters of 40 votes, taste {size}": people(100, size) for size in (0.0, 0.35, 0.7, 1.0)},
    "100 voters, the n-th with 1000 / n votes, taste 0.7": uneven_people(0.7),
    **{f"{number} voters of 40 votes, taste 0.7": people(number, 0.7) for number in (2, 3, 10, 20)},
    **{f"a judge on all 66 pairs of 80 prompts, taste {size}": judge(80, size) for size in (0.5, 0.9, 1.15)},
    "a judge on all 66 pairs of 10 prompts, taste 0.7": judge(10, 0.7),
    "100 voters on 30 prompts, tastes 0.5 and 0.5": on_shared_prompts(100, 30, (0.5, 0.5)),
    "20 voters on 80 prompts, tastes 0.5 and 0.5": on_shared_prompts(20, 80, (0.5, 0.5)),
    "100 voters on 30 prompts, no taste": on_shared_prompts(100, 30, (0.0, 0.0)),
    **{f"a newcomer with 50 votes of {by} voter(s), taste 0.7": newcomer(50, by, 0.7) for by in (1, 3, 10)},
}


def cluster_rows(runs: int, seed: int = 0) -> list[str]:
    """The table in Markdown: coverage in percent ± two standard errors, and the mean half width in points."""
    rows = [
        "| votes | independent votes | ± half | clustered boards | ± half |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, draw in CASES.items():
        cells = []
        for held, half in zip(*_measured(draw, runs, seed), strict=True):
            cells += [
                f"{100 * np.mean(held):.1f} % ± {200 * np.std(held) / np.sqrt(runs):.1f}",
                f"{np.mean(half):.0f}",
            ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def _measured(draw: Callable[[Generator], Votes], runs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(2, runs) twice: the share of intervals that hold the truth, and their mean half width, without and with clusters."""
    held, half = np.empty((2, runs)), np.empty((2, runs))
    for run in range(runs):
        votes = draw(np.random.default_rng([seed, run]))
        models = tuple(f"{number:03}" for number in range(len(votes.truth)))
        outcome = votes.outcome.astype(np.uint8)
        clustered = ratings.ClusteredVotes(models, votes.a, votes.b, outcome, votes.clusters)
        truth = CENTRE + POINTS_PER_LOGIT * votes.truth
        for place, clusters in enumerate((None, clustered)):
            fit = ratings.bradley_terry(clustered.counts(), prior=ratings.PRIOR, clusters=clusters)
            lower, upper = fit.interval()
            held[place, run] = ((lower <= truth) & (truth <= upper))[votes.about].mean()
            half[place, run] = ((upper - lower) / 2)[votes.about].mean()
    return held, half
