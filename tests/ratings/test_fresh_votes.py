"""A model chosen among variants is overrated by the votes of the choice, and rated fairly by later ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import ratings
from ratings import POINTS_PER_LOGIT

OTHERS = 5


def chosen(rng, variants, stale=120, fresh=1_000, each=200):
    """Counts of all votes and of fresh ones: of equal variants the one with the highest score is published."""
    names = ["chosen", *(f"m{k}" for k in range(OTHERS))]
    xi = np.array([0.0, *np.linspace(-0.8, 0.8, OTHERS)])
    against = rng.integers(1, OTHERS + 1, (variants, stale))
    won = rng.random((variants, stale)) < expit(-xi[against])
    best = int(np.argmax(won.mean(axis=1)))
    later = rng.integers(1, OTHERS + 1, fresh)
    wins = rng.random(fresh) < expit(-xi[later])
    pairs = [(i, j) for i in range(1, OTHERS + 1) for j in range(i + 1, OTHERS + 1)]
    a, b = np.repeat(pairs, each, axis=0).T
    among = rng.random(len(a)) < expit(xi[a] - xi[b])

    def counts(opponents, outcomes):
        left = np.concatenate([np.zeros(len(opponents), int), a])
        right, first = np.concatenate([opponents, b]), np.concatenate([outcomes, among])
        key, row = np.unique(left * len(names) + right, return_inverse=True)
        w, n = np.bincount(row, first), np.bincount(row)
        nothing = np.zeros(len(key), dtype=int)
        table = (w.astype(int), (n - w).astype(int), nothing, nothing)
        return ratings.PairCounts(tuple(names), key // len(names), key % len(names), *table)

    every = counts(np.concatenate([against[best], later]), np.concatenate([won[best], wins]))
    return every, counts(later, wins), 1000 + POINTS_PER_LOGIT * (xi - xi.mean())


def test_the_best_of_twenty_equal_variants_is_rated_as_it_is():
    rng = np.random.default_rng(1)
    errors, excess, expected, held = [], [], [], []
    for _ in range(60):
        every, fresh, truth = chosen(rng, 20)
        found = ratings.fresh_votes(every, fresh, {"chosen": 20})
        (row,) = found.chosen
        errors.append([found.every.rating("chosen") - truth[0], found.fit.rating("chosen") - truth[0]])
        excess.append(row.excess)
        expected.append(row.expected)
        lower, upper = found.fit.interval()
        held.append((lower[0] <= truth[0]) & (truth[0] <= upper[0]))
    of_all, of_fresh = np.mean(errors, axis=0)
    assert of_all > 4
    assert abs(of_fresh) < 3
    assert np.mean(expected) == pytest.approx(of_all, abs=3)
    assert np.mean(excess) == pytest.approx(np.mean(expected), abs=3)
    assert np.mean(held) > 0.9


def test_without_stale_votes_it_is_bradley_terry():
    every, _, _ = chosen(np.random.default_rng(2), 2)
    found = ratings.fresh_votes(every, every, {"chosen": 2})
    assert found.fit.ratings == pytest.approx(ratings.bradley_terry(every, prior=ratings.PRIOR).ratings)
    assert [(row.stale, row.excess, row.expected) for row in found.chosen] == [(0, 0.0, 0.0)]
    assert "chosen, best of 2: +0.0 points by 0 of 1120 battles" in str(found)


@pytest.mark.parametrize(
    ("number", "expected"), [(1, 0), (2, 1 / np.sqrt(np.pi)), (3, 1.5 / np.sqrt(np.pi)), (10_000, 3.8516)]
)
def test_the_expected_maximum_is_the_one_of_the_tables(number, expected):
    """Teichroew, Annals of Mathematical Statistics 27 (1956), table I; by numerical integration for 10,000."""
    assert ratings.expected_maximum(number) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda every, fresh: (every, fresh, {}), "no model was chosen among variants"),
        (lambda every, fresh: (every, fresh, {"x": 2}), "'x' is not among the 6 models"),
        (lambda every, fresh: (every, fresh, {"chosen": 1}), "1 variants of 'chosen'. Give at least two"),
        (lambda every, fresh: (fresh, every, {"chosen": 2}), "some pair has more fresh votes than votes"),
        (lambda _, fresh: (ratings.count_pairs(["a"], ["b"], ["tie"]), fresh, {"a": 2}), "on other models"),
    ],
)
def test_what_has_no_fresh_rating_is_refused(change, message):
    every, fresh, _ = chosen(np.random.default_rng(3), 2)
    with pytest.raises(ratings.BadOption, match=message):
        ratings.fresh_votes(*change(every, fresh))
