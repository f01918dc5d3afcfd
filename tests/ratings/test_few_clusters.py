"""Elo, style control and joint boards hold for few clusters as Bradley–Terry does: a wider variance, Student's t."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import ratings
from ratings.data.clusters import MANY

MODELS = 4
NAMES = tuple(f"m{k}" for k in range(MODELS))


def drawn(seed, voters, each, taste=1.0):
    """Columns of votes and their voters, of models alike on average; each voter has tastes of their own."""
    rng = np.random.default_rng(seed)
    voter = np.repeat(np.arange(voters), each)
    a = rng.integers(0, MODELS, len(voter))
    b = (a + rng.integers(1, MODELS, len(voter))) % MODELS
    own = rng.normal(0, taste, (voters, MODELS))
    won = rng.random(len(voter)) < expit(own[voter, a] - own[voter, b])
    names = np.array(NAMES)
    columns = names[a].tolist(), names[b].tolist(), np.where(won, "model_a", "model_b").tolist()
    return columns, voter, rng.normal(0, 1, len(voter))


def clustered(columns, voter):
    return ratings.cluster_votes(*columns, {"voters": voter.tolist()}, models=NAMES)


def covered(fit, truth=1000.0):
    lower, upper = fit.interval()
    return float(np.mean((lower <= truth) & (truth <= upper)))


def test_style_control_of_few_voters_has_the_intervals_of_bradley_terry():
    columns, voter, noise = drawn(1, 6, 60)
    votes = clustered(columns, voter)
    plain = ratings.bradley_terry(ratings.count_pairs(*columns), prior=ratings.PRIOR, clusters=votes)
    fit = ratings.contextual(*columns, {"noise": 1e-6 * noise}, prior=ratings.PRIOR, penalty=1.0, clusters=votes)
    assert fit.models == plain.models
    assert fit.degrees == pytest.approx(plain.degrees)
    assert fit.standard_errors == pytest.approx(plain.standard_errors, rel=1e-3)
    assert fit.design_effect == pytest.approx(plain.design_effect, rel=1e-3)
    assert fit.parameters["clusters"] == {"voters": 6}


def test_style_control_of_few_voters_covers():
    held, before = [], []
    for seed in range(40):
        columns, voter, noise = drawn(seed, 8, 40)
        held.append(
            covered(
                ratings.contextual(
                    *columns, {"noise": noise}, prior=ratings.PRIOR, clusters=clustered(columns, voter)
                )
            )
        )
        before.append(covered(ratings.contextual(*columns, {"noise": noise}, prior=ratings.PRIOR, cluster=voter)))
    assert np.mean(held) > 0.93
    assert np.mean(before) < np.mean(held) - 0.02


def test_clusters_of_other_battles_are_refused():
    columns, voter, noise = drawn(1, 6, 20)
    short = [column[:-1] for column in columns]
    with pytest.raises(ratings.BadOption, match="clusters are of other battles"):
        ratings.contextual(*short, {"noise": noise[:-1]}, clusters=clustered(columns, voter))


@pytest.mark.parametrize("in_visits", [True, False])
def test_elo_intervals_hold_where_voters_have_tastes(in_visits):
    """Whether the votes of a voter follow each other, or come between those of others."""
    held, before = [], []
    for seed in range(60):
        columns, voter, _ = drawn(seed, 25, 40)
        if not in_visits:
            order = np.random.default_rng(seed).permutation(len(voter))
            columns, voter = [[column[n] for n in order] for column in columns], voter[order]
        held.append(covered(ratings.elo(*columns, rounds=60, cluster=voter)))
        before.append(covered(ratings.elo(*columns, rounds=60)))
    assert np.mean(held) > 0.92
    assert np.mean(before) < 0.88


def test_elo_by_single_votes_is_elo_of_independent_ones():
    columns, _, _ = drawn(3, 40, 10, taste=0.0)
    plain = ratings.elo(*columns, rounds=400)
    single = ratings.elo(*columns, rounds=400, cluster=np.arange(len(columns[0])))
    assert single.standard_errors == pytest.approx(plain.standard_errors, rel=0.2)
    assert single.degrees.min() > 100


def test_joint_boards_have_the_degrees_of_their_parts():
    columns, voter, _ = drawn(5, 8, 40)
    people = ratings.count_pairs(*columns)
    judged, prompt, _ = drawn(6, 30, 20, taste=0.5)
    counts = {"human": people, "judge:x": ratings.count_pairs(*judged)}
    clusters = {"human": clustered(columns, voter), "judge:x": clustered(judged, prompt)}
    fit = ratings.human_anchored_counts(counts, prior=ratings.PRIOR, clusters=clusters).fit
    human, judge = (
        ratings.bradley_terry(counts[name], prior=ratings.PRIOR, clusters=clusters[name]).degrees
        for name in counts
    )
    assert (fit.degrees >= np.minimum(human, judge) - 1e-9).all()
    assert (fit.degrees <= human + judge + 1e-9).all()
    lower, upper = fit.interval()
    assert (upper - lower > 2 * 1.96 * fit.standard_errors).all()
    independent = ratings.human_anchored_counts(counts, prior=ratings.PRIOR).fit
    assert independent.degrees is None


def test_clusters_of_many_votes_are_counted_part_by_part():
    rng = np.random.default_rng(0)
    number = MANY + 1000
    a = rng.integers(0, MODELS, number)
    voters = rng.integers(0, 5_000, number)
    voters[a == 3] = rng.integers(0, 7, int((a == 3).sum()))
    b = (a + rng.integers(1, 3, number)) % 3
    votes = ratings.ClusteredVotes(NAMES, a, b, np.zeros(number, dtype=np.int64), {"voters": voters})
    counted = votes.clusters_of_models()
    assert (counted[:3] >= 1_000).all()
    assert counted[3] == 7
