"""Make the table "Coverage" of docs/ratings.md: how often 95 % intervals contain the truth, on simulated boards.

    python reproduce/coverage.py --runs 300
    python reproduce/coverage.py --runs 400 --clusters      # only the second table, of votes that belong together
    python reproduce/coverage.py --runs 400 --claims        # only ranks, `both` and rank correlations

Votes of a cluster (a voter, a prompt) share a taste for each model, normal with sd TASTE logits; the truth is then
the Bradley–Terry fit of the expected votes over all clusters.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from scipy.special import expit

import ratings
from ratings import CENTRE, POINTS_PER_LOGIT
from reproduce.claim_coverage import claim_rows
from reproduce.cluster_coverage import cluster_rows

MODELS, SPREAD, TASTE, TIES = 20, 110.0, 0.7, 0.25


def truth(rng, models=MODELS):
    xi = rng.normal(0, SPREAD / POINTS_PER_LOGIT, models)
    return xi - xi.mean()


def pairs(rng, battles, models=MODELS):
    a = rng.integers(0, models, battles)
    return a, (a + rng.integers(1, models, battles)) % models


def marginal(xi, taste=TASTE):
    """The fit (models,) of expected votes when every cluster has its own taste: Gauss–Hermite over the difference."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    lead = (xi[:, None] - xi[None, :])[:, :, None] + taste * np.sqrt(2) * nodes
    expected = expit(lead) @ weights / weights.sum()
    np.fill_diagonal(expected, 0.0)
    points = expected * (1 - TIES) + TIES / 2
    a, b = np.nonzero(~np.eye(len(xi), dtype=bool))
    nothing = np.zeros(len(a))
    names = tuple(map(str, range(len(xi))))
    counts = ratings.PairCounts(names, a, b, points[a, b], nothing, nothing, nothing)
    return (ratings.bradley_terry(counts).ratings - CENTRE) / POINTS_PER_LOGIT


def no_taste(xi):
    return marginal(xi, 0.0)


def inside(xi, interval):
    lower, upper = interval
    rating = CENTRE + POINTS_PER_LOGIT * xi
    return (lower <= rating) & (rating <= upper)


def independent(rng, battles=4000):
    xi = truth(rng)
    a, b = pairs(rng, battles)
    return xi, a, b, ratings.simulation.simulate_outcomes(xi[a] - xi[b], rng, ties=TIES)


def clustered(rng, clusters, size):
    xi = truth(rng)
    a, b = pairs(rng, clusters * size)
    group = np.repeat(np.arange(clusters), size)
    taste = rng.normal(0, TASTE, (clusters, MODELS))
    lead = xi[a] - xi[b] + taste[group, a] - taste[group, b]
    return xi, a, b, ratings.simulation.simulate_outcomes(lead, rng, ties=TIES), group


def run_independent(rng):
    xi, a, b, y = independent(rng)
    fit = ratings.bradley_terry(a, b, y)
    target = no_taste(xi)
    replicates = ratings.bootstrap(a, b, y)
    low, high = ratings.simultaneous_intervals(fit)
    gaps = np.abs(fit.ratings[:, None] - fit.ratings - POINTS_PER_LOGIT * (target[:, None] - target))
    variance = np.diag(fit.covariance)[:, None] + np.diag(fit.covariance) - 2 * fit.covariance
    upper = np.triu_indices(MODELS, 1)
    ranks = ratings.significance_ranks(fit)
    true_rank = 1 + (target[None, :] > target[:, None]).sum(axis=1)
    prior = ratings.bradley_terry(a, b, y, prior=ratings.PRIOR)
    return {
        "independent votes, sandwich": inside(target, fit.interval()).mean(),
        "independent votes, with the boards' prior": inside(target, prior.interval()).mean(),
        "independent votes, differences of two ratings": (gaps <= 1.96 * np.sqrt(variance))[upper].mean(),
        "independent votes, all ratings at once (`simultaneous_intervals`)": inside(target, (low, high)).all(),
        "independent votes, Poisson bootstrap, covariance": inside(target, replicates.fit(fit).interval()).mean(),
        "independent votes, Poisson bootstrap, percentiles of 100": inside(target, replicates.interval()).mean(),
        "rank spreads hold all true ranks at once": bool(
            ((ranks.low <= true_rank) & (true_rank <= ranks.high)).all()
        ),
    }


def run_newcomer(rng):
    xi, a, b, y = independent(rng, 20_000)
    met = (a == 0) | (b == 0)
    kept = ~met | (np.cumsum(met) <= 50)
    fit = ratings.bradley_terry(a[kept], b[kept], y[kept])
    return {
        "newcomer with 50 battles among 18,000": inside(no_taste(xi), fit.interval())[0],
    }


def run_clusters(rng, what, column, clusters, size):
    xi, a, b, y, group = clustered(rng, clusters, size)
    target = marginal(xi)
    naive = ratings.bradley_terry(a, b, y)
    honest = ratings.bradley_terry(a, b, y, cluster=group)
    z = rng.normal(size=len(a))
    return {
        f"{what}, `cluster={column}`": inside(target, honest.interval()).mean(),
        f"{what}, taken as independent (wrong)": inside(target, naive.interval()).mean(),
        f"{what}, style control, `cluster={column}`": inside(
            target, ratings.contextual(a, b, y, {"noise": z}, cluster=group).interval()
        ).mean(),
    }


def run_anchored(rng, judges):
    """Judges err together (a shared taste) and apart, prefer the first answer, and see more battles."""
    xi = truth(rng)
    shared = rng.normal(0, 0.3, MODELS)
    columns = {"a": [], "b": [], "y": [], "s": []}
    for k in range(judges + 1):
        a, b = pairs(rng, 2000 if k == 0 else 10_000)
        taste = 0 if k == 0 else shared + rng.normal(0, 0.2, MODELS)
        lead = xi[a] - xi[b] + (0 if k == 0 else 0.4 + taste[a] - taste[b])
        columns["a"].append(a)
        columns["b"].append(b)
        columns["y"].append(davidson_outcomes(lead, rng))
        columns["s"] += ["human" if k == 0 else f"judge:{k}"] * len(a)
    a, b, y = (np.concatenate(columns[name]) for name in "aby")
    result = ratings.human_anchored(a, b, y, columns["s"])
    covered = inside(xi, result.fit.interval()).mean()
    return {
        f"human-anchored fit, {judges} judge(s) that err together": covered,
        f"gain of {judges} judge(s) in votes": result.gain,
    }


def davidson_outcomes(lead, rng, log_nu=-0.5):
    odds = np.stack([np.exp(lead / 2), np.exp(-lead / 2), np.full(len(lead), np.exp(log_nu))], axis=1)
    edges = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return (rng.random(len(lead))[:, None] > edges[:, :2]).sum(axis=1)


def run_powered(rng):
    """People label a fifth; the judge agrees with the person on 75 % of these battles."""
    xi = truth(rng)
    a, b = pairs(rng, 15_000)
    y = ratings.simulation.simulate_outcomes(xi[a] - xi[b], rng)
    judge = np.where(rng.random(len(a)) < 0.75, y, 1 - y)
    names = np.array(["model_a", "model_b"])
    people = [names[v] if r < 0.2 else None for v, r in zip(y, rng.random(len(a)), strict=True)]
    powered = ratings.prediction_powered(a, b, names[judge], people)
    return {"prediction-powered, judge agrees on 75 %": inside(xi, powered.fit.interval()).mean(),
            "gain in votes, prediction-powered": powered.gain}  # fmt: skip


def simulate(runs, seed=0):
    """name -> values (runs,) of every quantity above."""
    results = {}
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        parts = [
            run_independent(rng),
            run_newcomer(rng),
            run_clusters(rng, "100 voters of 40 votes with a taste of their own", "voter", 100, 40),
            run_clusters(rng, "80 prompts of 100 verdicts each", "prompt", 80, 100),
            run_anchored(rng, 1),
            run_anchored(rng, 5),
            run_powered(rng),
        ]
        for name, value in ((n, v) for part in parts for n, v in part.items()):
            results.setdefault(name, []).append(float(value))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400, help="simulated boards")
    parser.add_argument("--clusters", action="store_true", help="only the table of votes that belong together")
    parser.add_argument("--claims", action="store_true", help="only ranks, `both` and rank correlations")
    given = parser.parse_args()
    runs = given.runs
    if given.claims:
        print("\n".join(claim_rows(runs)))
        return
    if given.clusters:
        print("\n".join(cluster_rows(runs)))
        return
    results = simulate(runs)
    print(f"| {runs} simulated boards of {MODELS} models | measured | ± (2 s.e.) |\n| --- | --- | --- |")
    for name, values in results.items():
        error = 2 * np.std(values) / np.sqrt(len(values))
        if name.startswith("gain"):
            print(f"| {name} | {np.mean(values):.2f} times | {error:.2f} |")
        else:
            print(f"| {name} | {100 * np.mean(values):.1f} % | {100 * error:.1f} |")
    print("\n" + "\n".join(cluster_rows(runs)))
    print("\n" + "\n".join(claim_rows(runs)))


if __name__ == "__main__":
    main()
