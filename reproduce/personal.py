"""Make the table of docs/decisions/personal-leaderboard.md: is a planted taste found, and do the intervals hold it?

    python reproduce/personal.py --runs 300

A crowd of voters with tastes of their own votes on 12 models; then one person with a planted taste, normal with sd
TASTE points a model, casts a number of votes. The truth is the Bradley–Terry fit of the person's expected votes less
that of the crowd's. Beside the pooled differences stand those of the best single prior (the tau of the highest
marginal likelihood) and of no pooling at all.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

import ratings
from ratings import POINTS_PER_LOGIT
from ratings.models import personal as pooling
from reproduce.coverage import SPREAD, TIES, marginal

MODELS, VOTERS, VOTES_EACH, CROWD_TASTE = 12, 60, 30, 0.5
TASTES, VOTES = (0, 50, 100, 200), (20, 50, 100, 300)
NAMES = [f"model {m:02}" for m in range(MODELS)]


def draw(rng, size):
    a = rng.integers(0, MODELS, size)
    return a, (a + rng.integers(1, MODELS, size)) % MODELS


def columns(a, b, outcome):
    return [NAMES[m] for m in a], [NAMES[m] for m in b], outcome


def crowd_fit(rng, xi):
    a, b = draw(rng, VOTERS * VOTES_EACH)
    voter = np.repeat(np.arange(VOTERS), VOTES_EACH)
    taste = rng.normal(0, CROWD_TASTE, (VOTERS, MODELS))
    lead = xi[a] - xi[b] + taste[voter, a] - taste[voter, b]
    outcome = ratings.simulation.simulate_outcomes(lead, rng, ties=TIES)
    return ratings.bradley_terry(*columns(a, b, outcome), prior=ratings.PRIOR, cluster=voter)


def one(rng, taste, votes):
    """The planted differences of the person's models, and the estimates with their errors, by method."""
    xi = rng.normal(0, SPREAD / POINTS_PER_LOGIT, MODELS)
    planted = rng.normal(0, taste / POINTS_PER_LOGIT, MODELS)
    crowd = crowd_fit(rng, xi)
    a, b = draw(rng, votes)
    lead = (xi + planted)[a] - (xi + planted)[b]
    own = columns(a, b, ratings.simulation.simulate_outcomes(lead, rng, ties=TIES))
    fit = ratings.personal(*own, crowd)
    index = [NAMES.index(name) for name in fit.models]
    truth = (marginal(xi + planted, 0.0) - marginal(xi, CROWD_TASTE))[index] * POINTS_PER_LOGIT
    return truth - truth.mean(), {
        "pooled": (fit.difference, fit.difference_errors),
        "best tau": best_tau(own, crowd),
        "not pooled": alone(own, crowd, index),
    }


def best_tau(own, crowd):
    grid = pooling.TAUS
    fits = []
    try:
        for tau in grid:
            pooling.TAUS = np.array([tau])
            fits.append((_log_weight(own, crowd, tau), ratings.personal(*own, crowd)))
    finally:
        pooling.TAUS = grid
    _, fit = max(fits, key=lambda pair: pair[0])
    return fit.difference, fit.difference_errors


def _log_weight(own, crowd, tau):
    counts = ratings.count_pairs(*own)
    rows = [crowd.index(name) for name in counts.models]
    even = np.full(len(rows), 1 / len(rows))
    covariance = pooling.relative_covariance(crowd.covariance[np.ix_(rows, rows)], even) / POINTS_PER_LOGIT**2
    centre = crowd.ratings[rows] - crowd.ratings[rows].mean()
    votes = pooling._Votes(pooling.score_matrix(counts), centre / POINTS_PER_LOGIT, covariance)
    return votes.posterior(float(tau)).log_weight


def alone(own, crowd, index):
    """The person's own fit with the prior of boards, less the crowd's: what a table without pooling would show."""
    fit = ratings.bradley_terry(*own, prior=ratings.PRIOR)
    theirs = crowd.ratings[index] - crowd.ratings[index].mean()
    difference = fit.ratings - fit.ratings.mean() - theirs
    return difference, np.sqrt(fit.standard_errors**2 + crowd.standard_errors[index] ** 2)


def measure(runs, taste, votes, seed=0):
    """method -> (coverage, root mean square error, share flagged of models, share of flags with a wrong sign)."""
    parts = {}
    for run in range(runs):
        truth, methods = one(np.random.default_rng([seed, taste, votes, run]), taste, votes)
        for name, (difference, error) in methods.items():
            inside = np.abs(difference - truth) <= 1.96 * error
            flagged = np.abs(difference) > 1.96 * error
            wrong = flagged & (np.sign(difference) != np.sign(truth))
            rows = np.stack([inside, (difference - truth) ** 2, flagged, wrong])
            parts.setdefault(name, []).append(rows)
    return {name: _summary(np.concatenate(rows, axis=1)) for name, rows in parts.items()}


def _summary(rows):
    inside, squared, flagged, wrong = rows
    return inside.mean(), float(np.sqrt(squared.mean())), flagged.mean(), wrong.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300, help="simulated people a row")
    runs = parser.parse_args().runs
    print(f"{runs} people a row, {MODELS} models, crowd of {VOTERS} voters with {VOTES_EACH} votes each\n")
    print("| planted taste | votes | method | 95 % intervals hold the truth | error | flagged | wrong sign |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for taste in TASTES:
        for votes in VOTES:
            for name, (held, error, flagged, wrong) in measure(runs, taste, votes).items():
                print(
                    f"| {taste} points | {votes} | {name} | {100 * held:.1f} % | {error:.0f} points | "
                    f"{100 * flagged:.1f} % | {100 * wrong:.1f} % |"
                )


if __name__ == "__main__":
    main()
