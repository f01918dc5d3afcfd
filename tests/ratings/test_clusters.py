"""Votes by cluster: the covariance is that of the votes themselves, cluster by cluster, and few clusters are not many."""

import numpy as np
import pytest
from scipy.special import expit

import ratings
from ratings.data.clusters import ALONE, ClusteredVotes, StreamedVotes
from ratings.inference import clusters as inference
from ratings.inference import score_sums, streamed_clusters
from ratings.inference.packed_scores import vote_scores
from ratings.models.bradley_terry import _scorer
from ratings.scale import CENTRE, POINTS_PER_LOGIT

MODELS = tuple(f"model-{number:02}" for number in range(8))
PRIOR = 0.25


def draw(votes=900, voters=40, prompts=25, seed=3, taste=0.8):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, len(MODELS), votes)
    b = (a + rng.integers(1, len(MODELS), votes)) % len(MODELS)
    voter, prompt = rng.integers(0, voters, votes), rng.integers(0, prompts, votes)
    own, of_prompt = rng.normal(0, taste, (voters, len(MODELS))), rng.normal(0, taste, (prompts, len(MODELS)))
    lead = own[voter, a] - own[voter, b] + of_prompt[prompt, a] - of_prompt[prompt, b]
    outcome = ratings.simulation.simulate_outcomes(lead, rng, ties=0.2).astype(np.uint8)
    outcome[rng.random(votes) < 0.05] = 3
    return a, b, outcome, voter, prompt


def counts_of(a, b, outcome):
    return ratings.count_pairs(a, b, outcome.astype(np.uint8), models=MODELS)


def votes_of(a, b, outcome, **clusters):
    return ClusteredVotes(MODELS, a, b, outcome, clusters)


def half_tie_scores(fit, a, b, outcome):
    """(votes, models): the score of each vote, one row each."""
    xi = (fit.ratings - CENTRE) / POINTS_PER_LOGIT
    x = np.eye(len(MODELS))[a] - np.eye(len(MODELS))[b]
    return (np.array([1, 0, 0.5, 0.5])[outcome] - expit(xi[a] - xi[b]))[:, None] * x


def davidson_scores(fit, a, b, outcome):
    """(votes, models + 1): gradients of log P by hand, from Davidson's three probabilities."""
    xi, log_nu = (fit.ratings - CENTRE) / POINTS_PER_LOGIT, fit.coefficients[0].value
    utility = np.stack([xi[a], xi[b], log_nu + (xi[a] + xi[b]) / 2], axis=1)
    p = np.exp(utility) / np.exp(utility).sum(axis=1, keepdims=True)
    chosen = np.array([0, 1, 2, 2])[outcome]
    score = np.zeros((len(a), len(MODELS) + 1))
    rows = np.arange(len(a))
    score[rows, a] = (chosen == 0) + (chosen == 2) / 2 - p[:, 0] - p[:, 2] / 2
    score[rows, b] = (chosen == 1) + (chosen == 2) / 2 - p[:, 1] - p[:, 2] / 2
    score[:, -1] = (chosen == 2) - p[:, 2]
    return score


def summed(score, *clusters):
    """The middle of the sandwich for one way to cluster: a plain loop over clusters."""
    keys = list(zip(*clusters, strict=True))
    total = np.zeros((score.shape[1],) * 2)
    for key in (distinct := set(keys)):
        own = score[[place for place, other in enumerate(keys) if other == key]].sum(axis=0)
        total += np.outer(own, own)
    return total * len(distinct) / (len(distinct) - 1)


def without_negative(meat):
    values, vectors = np.linalg.eigh(meat)
    return (vectors * np.clip(values, 0, None)) @ vectors.T


def relative(hessian, meat, size):
    """The covariance of ratings relative to their mean, in points, by plain inverses."""
    prior = np.diag([PRIOR] * size + [0.0] * (len(meat) - size))
    bread = np.linalg.inv(hessian)
    centred = np.eye(size) - 1 / size
    covariance = (bread @ (meat + prior) @ bread)[:size, :size]
    return POINTS_PER_LOGIT**2 * centred @ covariance @ centred.T


def half_tie_hessian(fit, a, b):
    xi = (fit.ratings - CENTRE) / POINTS_PER_LOGIT
    p = expit(xi[a] - xi[b])
    x = np.eye(len(MODELS))[a] - np.eye(len(MODELS))[b]
    return (x * (p * (1 - p))[:, None]).T @ x + PRIOR * np.eye(len(MODELS))


def davidson_hessian(fit, a, b):
    """The expected information: the sum of P s s' over the outcomes of each battle."""
    xi, log_nu = (fit.ratings - CENTRE) / POINTS_PER_LOGIT, fit.coefficients[0].value
    utility = np.stack([xi[a], xi[b], log_nu + (xi[a] + xi[b]) / 2], axis=1)
    p = np.exp(utility) / np.exp(utility).sum(axis=1, keepdims=True)
    total = np.diag([PRIOR] * len(MODELS) + [0.0])
    for outcome in range(3):
        score = davidson_scores(fit, a, b, np.full(len(a), outcome))
        total = total + (score * p[:, [outcome]]).T @ score
    return total


def without_widening(monkeypatch):
    """The covariance as it is for many clusters."""
    nothing = (None, None)
    for module in ("ratings.models.bradley_terry", "ratings.inference.fit"):
        monkeypatch.setattr(f"{module}.widened", lambda covariance, *_: (covariance, *nothing))


FITS = {
    "half ties": (ratings.bradley_terry, half_tie_scores, half_tie_hessian),
    "Davidson": (ratings.davidson, davidson_scores, davidson_hessian),
}


@pytest.mark.parametrize("model", FITS)
def test_the_covariance_of_counts_by_cluster_is_that_of_the_votes(model, monkeypatch):
    without_widening(monkeypatch)
    rate, scores, hessian = FITS[model]
    a, b, outcome, voter, _ = draw()
    fit = rate(counts_of(a, b, outcome), prior=PRIOR, clusters=votes_of(a, b, outcome, voter=voter))
    expected = relative(hessian(fit, a, b), summed(scores(fit, a, b, outcome), voter), len(MODELS))
    np.testing.assert_allclose(fit.covariance, expected, atol=1e-7, rtol=1e-9)
    assert fit.parameters["clusters"] == {"voter": 40}
    assert fit.parameters["covariance"] == "clustered sandwich"


@pytest.mark.parametrize("model", FITS)
def test_two_ways_are_added_and_what_they_share_is_taken_away(model, monkeypatch):
    without_widening(monkeypatch)
    rate, scores, hessian = FITS[model]
    a, b, outcome, voter, prompt = draw()
    clusters = votes_of(a, b, outcome, voter=voter, prompt=prompt)
    fit = rate(counts_of(a, b, outcome), prior=PRIOR, clusters=clusters)
    score = scores(fit, a, b, outcome)
    meat = without_negative(summed(score, voter) + summed(score, prompt) - summed(score, voter, prompt))
    np.testing.assert_allclose(
        fit.covariance, relative(hessian(fit, a, b), meat, len(MODELS)), atol=1e-7, rtol=1e-9
    )
    assert fit.parameters["clusters"] == {"voter": 40, "prompt": 25}


def test_three_ways_follow_inclusion_and_exclusion(monkeypatch):
    without_widening(monkeypatch)
    a, b, outcome, voter, prompt = draw()
    judge = np.arange(len(a)) % 12
    clusters = votes_of(a, b, outcome, voter=voter, prompt=prompt, judge=judge)
    fit = ratings.bradley_terry(counts_of(a, b, outcome), prior=PRIOR, clusters=clusters)
    score = half_tie_scores(fit, a, b, outcome)
    meat = sum(summed(score, way) for way in (voter, prompt, judge))
    meat -= summed(score, voter, prompt) + summed(score, voter, judge) + summed(score, prompt, judge)
    meat = without_negative(meat + summed(score, voter, prompt, judge))
    expected = relative(half_tie_hessian(fit, a, b), meat, len(MODELS))
    np.testing.assert_allclose(fit.covariance, expected, atol=1e-7, rtol=1e-9)


def test_it_is_the_covariance_of_the_column_of_clusters(monkeypatch):
    without_widening(monkeypatch)
    a, b, outcome, voter, _ = draw()
    fit = ratings.bradley_terry(
        counts_of(a, b, outcome), prior=PRIOR, clusters=votes_of(a, b, outcome, voter=voter)
    )
    column = ratings.bradley_terry(a, b, outcome, prior=PRIOR, cluster=voter)
    np.testing.assert_allclose(fit.covariance, column.covariance, atol=1e-8)


def test_rows_that_count_equal_votes_are_as_many_rows():
    a, b, outcome, voter, _ = draw()
    rows, number = np.unique(np.stack([a, b, outcome, voter]), axis=1, return_counts=True)
    counted = ClusteredVotes(MODELS, *rows[:3], {"voter": rows[3]}, number)
    counts = counts_of(a, b, outcome)
    fits = [
        ratings.bradley_terry(counts, prior=PRIOR, clusters=clusters)
        for clusters in (counted, votes_of(a, b, outcome, voter=voter))
    ]
    np.testing.assert_allclose(fits[0].covariance, fits[1].covariance, rtol=1e-9)
    np.testing.assert_allclose(fits[0].degrees, fits[1].degrees)


def test_votes_alone_in_their_cluster_are_clusters_of_one():
    a, b, outcome, voter, prompt = draw()
    alone, own = voter.copy(), voter.copy()
    alone[::3], own[::3] = ALONE, 1000 + np.arange(len(voter[::3]))
    of_some = np.where(prompt < 12, prompt, ALONE)
    of_all = np.where(prompt < 12, prompt, 1000 + np.arange(len(prompt)))
    counts = counts_of(a, b, outcome)
    for first, second in (
        ({"voter": alone}, {"voter": own}),
        ({"voter": voter, "prompt": of_some}, {"voter": voter, "prompt": of_all}),
    ):
        fits = [
            ratings.bradley_terry(counts, prior=PRIOR, clusters=votes_of(a, b, outcome, **clusters))
            for clusters in (first, second)
        ]
        np.testing.assert_allclose(fits[0].degrees, fits[1].degrees, rtol=1e-9)
        # the factors C / (C - 1) count only clusters that repeat
        np.testing.assert_allclose(fits[0].standard_errors, fits[1].standard_errors, rtol=5e-3)


def test_votes_that_are_all_alone_are_independent_votes():
    a, b, outcome, *_ = draw()
    counts, alone = counts_of(a, b, outcome), votes_of(a, b, outcome, voter=np.full(len(a), ALONE))
    clustered, plain = ratings.bradley_terry(counts, clusters=alone), ratings.bradley_terry(counts)
    assert clustered.parameters == plain.parameters
    np.testing.assert_array_equal(clustered.covariance, plain.covariance)


def test_a_single_cluster_leaves_votes_independent_and_a_second_way_of_few_is_left_out():
    a, b, outcome, voter, prompt = draw()
    counts = counts_of(a, b, outcome)
    plain = ratings.bradley_terry(counts, prior=PRIOR)
    single = ratings.bradley_terry(counts, prior=PRIOR, clusters=votes_of(a, b, outcome, voter=np.zeros_like(a)))
    assert (single.parameters, single.degrees) == (plain.parameters, None)
    np.testing.assert_array_equal(single.covariance, plain.covariance)
    few = votes_of(a, b, outcome, voter=voter, prompt=prompt % (score_sums.FEWEST - 1))
    assert ratings.bradley_terry(counts, clusters=few).parameters["clusters"] == {"voter": 40}
    by_prompt = votes_of(a, b, outcome, voter=np.zeros_like(a), prompt=prompt)
    assert ratings.bradley_terry(counts, clusters=by_prompt).parameters["clusters"] == {"prompt": 25}


def test_more_clusters_than_groups_keep_the_variance_without_bias(monkeypatch):
    a, b, outcome, voter, _ = draw(votes=6000, voters=600)
    xi = np.zeros(len(MODELS))
    votes = votes_of(a, b, outcome, voter=voter)
    exact = inference.clustered_meat(votes, _scorer(xi, None), len(MODELS)).meat
    monkeypatch.setattr(score_sums, "MOST_GROUPS", 64)
    grouped = []
    for seed in range(200):
        codes = np.random.default_rng(seed).integers(0, 2**40, 600)
        votes = votes_of(a, b, outcome, voter=codes[voter])
        grouped.append(np.diag(inference.clustered_meat(votes, _scorer(xi, None), len(MODELS)).meat))
    mean, error = np.mean(grouped, axis=0), np.std(grouped, axis=0) / np.sqrt(len(grouped))
    total = inference._sums(
        votes, inference._grouped(np.zeros(6000, np.int64), 64), _scorer(xi, None), 8, counted=False
    )
    within = np.diag(exact) * 599 / 600
    expected = within + (total[0][0] ** 2 - within) / 64
    assert (np.abs(mean - expected * 64 / 63) < 4 * error).all()
    assert np.std(grouped, axis=0).max() / mean.min() < 0.5


def streamed(votes, rows=100):
    """The same votes in parts."""

    def parts():
        for start in range(0, len(votes), rows):
            part = slice(start, start + rows)
            codes = {name: column[part] for name, column in votes.clusters.items()}
            yield ClusteredVotes(
                votes.models, votes.model_a[part], votes.model_b[part], votes.outcome[part], codes
            )

    return StreamedVotes(votes.models, len(votes), parts)


@pytest.mark.parametrize("model", FITS)
@pytest.mark.parametrize("some_alone", [False, True])
def test_votes_that_come_in_parts_give_the_same_covariance(model, some_alone):
    rate = FITS[model][0]
    a, b, outcome, voter, _ = draw()
    voter = np.where(some_alone & (np.arange(len(a)) % 3 == 0), ALONE, voter)
    votes, counts = votes_of(a, b, outcome, voter=voter), counts_of(a, b, outcome)
    whole, parted = (rate(counts, prior=PRIOR, clusters=clusters) for clusters in (votes, streamed(votes)))
    np.testing.assert_allclose(parted.covariance, whole.covariance, rtol=1e-6 if some_alone else 1e-9, atol=1e-7)
    np.testing.assert_allclose(parted.degrees, whole.degrees)
    # votes that are alone get numbers, which small codes of clusters may equal
    most = 0.1 if some_alone else 0.0
    np.testing.assert_allclose(streamed(votes).clusters_of_models(), votes.clusters_of_models(), rtol=most)


def test_what_two_ways_share_is_summed_up_in_groups_when_votes_come_in_parts():
    a, b, outcome, voter, prompt = draw(votes=4000, voters=60)
    for second in (prompt, np.where(prompt < 14, prompt, ALONE)):
        votes, counts = votes_of(a, b, outcome, voter=voter, prompt=second), counts_of(a, b, outcome)
        whole, parted = (
            ratings.bradley_terry(counts, prior=PRIOR, clusters=clusters) for clusters in (votes, streamed(votes))
        )
        assert parted.parameters["clusters"] == whole.parameters["clusters"]
        np.testing.assert_allclose(parted.standard_errors, whole.standard_errors, rtol=0.05)


def test_parts_without_clusters_that_repeat_leave_votes_independent():
    a, b, outcome, _, _ = draw()
    votes = streamed(votes_of(a, b, outcome, voter=np.full(len(a), ALONE)))
    fit, plain = (ratings.bradley_terry(counts_of(a, b, outcome), clusters=clusters) for clusters in (votes, None))
    np.testing.assert_array_equal(fit.covariance, plain.covariance)


def test_more_clusters_than_groups_in_parts_are_grouped_by_their_codes(monkeypatch):
    monkeypatch.setattr(score_sums, "MOST_GROUPS", 64)
    a, b, outcome, voter, _ = draw(votes=6000, voters=600)
    votes, counts = votes_of(a, b, outcome, voter=voter), counts_of(a, b, outcome)
    whole, parted = (ratings.bradley_terry(counts, clusters=clusters) for clusters in (votes, streamed(votes)))
    np.testing.assert_allclose(parted.covariance, whole.covariance, rtol=1e-9)


SECOND_WAYS = {
    "none": lambda prompt: np.full(len(prompt), ALONE),
    "some": lambda prompt: np.where(prompt < 20, prompt, ALONE),
    "too few to count": lambda prompt: np.where(prompt < 5, prompt, ALONE),
    "more than groups": lambda prompt: np.arange(len(prompt)) // 3,
}


@pytest.mark.parametrize("second", SECOND_WAYS)
@pytest.mark.parametrize("voters", [100, 600])
def test_one_pass_gives_what_two_passes_give(monkeypatch, voters, second):
    monkeypatch.setattr(score_sums, "MOST_GROUPS", 64)
    a, b, outcome, voter, prompt = draw(votes=6000, voters=voters)
    votes = streamed(votes_of(a, b, outcome, voter=voter, prompt=SECOND_WAYS[second](prompt)), rows=700)
    score = _scorer(np.linspace(-1, 1, len(MODELS)), None)
    scores = vote_scores(score, len(MODELS), len(MODELS))
    one = streamed_clusters._in_one_pass(votes, scores, 64)
    two = streamed_clusters._in_two_passes(votes, scores, 64)
    assert (one is None) == (second == "more than groups")
    if one is None:
        assert streamed_clusters.streamed_meat(votes, score, len(MODELS), 64).clusters["prompt"] == 2000
        return
    once, twice = map(streamed_clusters._meat, (one, two))
    assert once.clusters == twice.clusters
    np.testing.assert_allclose(once.meat, twice.meat, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(once.effective, twice.effective)


def test_few_clusters_are_seen_before_they_are_summed_up(monkeypatch):
    monkeypatch.setattr(score_sums, "MOST_GROUPS", 64)
    a, b, outcome, voter, _ = draw(votes=6000, voters=60)
    votes = streamed(votes_of(a, b, outcome, voter=voter), rows=3000)
    assert not streamed_clusters._promises_many(votes, 128)
    scores = vote_scores(_scorer(np.zeros(len(MODELS)), None), len(MODELS), len(MODELS))
    assert streamed_clusters._in_one_pass(votes, scores, 64) is None  # a wrong guess is found out


def test_no_rating_is_surer_than_with_independent_votes():
    a, b, outcome, voter, _ = draw(taste=0.0)
    counts = counts_of(a, b, outcome)
    plain = ratings.bradley_terry(counts, prior=PRIOR)
    clustered = ratings.bradley_terry(counts, prior=PRIOR, clusters=votes_of(a, b, outcome, voter=voter))
    assert (clustered.standard_errors >= plain.standard_errors * (1 - 1e-12)).all()
    np.testing.assert_allclose(clustered.design_effect, (clustered.standard_errors / plain.standard_errors) ** 2)
    assert (np.array(clustered.interval()) - np.array(plain.interval()))[1].min() > 0


def test_twenty_even_votes_of_one_voter_are_not_a_certain_rating():
    """Their sum is zero at the fit, so that the plain cluster sandwich gives an interval of hardly any width."""
    a, b, outcome, voter, _ = draw()
    others = a + b
    keep = (a != 0) & (b != 0)
    a, b, outcome, voter = (column[keep] for column in (a, b, outcome, voter))
    new = np.tile([0, 1], 10).astype(np.uint8)
    a, b = np.concatenate([a, np.zeros(20, int)]), np.concatenate([b, 1 + others[:20] % 7])
    outcome, voter = np.concatenate([outcome, new]), np.concatenate([voter, np.zeros(20, int)])
    counts = counts_of(a, b, outcome)
    fit = ratings.bradley_terry(counts, prior=PRIOR, clusters=votes_of(a, b, outcome, voter=voter))
    plain = ratings.bradley_terry(counts, prior=PRIOR)
    widths = [np.subtract(*reversed(f.interval())) for f in (fit, plain)]
    assert fit.degrees[0] == inference.LEAST_DEGREES
    assert widths[0][0] > 2 * widths[1][0]
    assert ratings.significance_ranks(fit).high[0] == len(MODELS)


def test_a_model_without_votes_keeps_the_interval_of_the_prior():
    a, b, outcome, voter, _ = draw()
    keep = (a != 7) & (b != 7)
    counts = counts_of(a[keep], b[keep], outcome[keep])
    clusters = votes_of(a[keep], b[keep], outcome[keep], voter=voter[keep])
    fit, plain = (
        ratings.bradley_terry(counts, prior=PRIOR, clusters=clusters),
        ratings.bradley_terry(counts, prior=PRIOR),
    )
    assert fit.standard_errors[7] == pytest.approx(plain.standard_errors[7], rel=1e-3)
    assert fit.interval()[1][7] == pytest.approx(plain.interval()[1][7], rel=1e-3)


def test_a_board_is_the_same_for_any_order_of_models_and_shows_the_design_effect():
    a, b, outcome, voter, _ = draw()
    board = ratings.leaderboard(counts_of(a, b, outcome), clusters=votes_of(a, b, outcome, voter=voter))
    turned = len(MODELS) - 1
    counts = ratings.PairCounts(MODELS[::-1], *_turned(counts_of(a, b, outcome), turned))
    reversed_votes = ClusteredVotes(MODELS[::-1], turned - a, turned - b, outcome, {"voter": voter})
    again = ratings.leaderboard(counts, clusters=reversed_votes)
    assert [(row.model, row.rank) for row in board.rows] == [(row.model, row.rank) for row in again.rows]
    for row, other in zip(board.rows, again.rows, strict=True):
        assert row.lower == pytest.approx(other.lower, abs=1e-9)
        assert row.design_effect == pytest.approx(other.design_effect)
    assert board.to_dict()["models"][0]["design_effect"] == board.rows[0].design_effect
    assert board.parameters["clusters"] == {"voter": 40}


def _turned(counts, turned):
    return (
        turned - counts.model_a,
        turned - counts.model_b,
        counts.wins,
        counts.losses,
        counts.ties,
        counts.both_bad,
    )


def test_columns_of_names_become_clustered_votes():
    a, b, outcome, voter, _ = draw()
    names = [ratings.OUTCOMES[code].name for code in outcome]
    model_a, model_b = [MODELS[code] for code in a], [MODELS[code] for code in b]
    voters = [None if code == 0 else f"voter {code}" for code in voter]
    votes = ratings.cluster_votes(model_a, model_b, names, {"voter": voters}, models=MODELS)
    assert len(votes) == len(a)
    assert (votes.clusters["voter"] == ALONE).tolist() == (voter == 0).tolist()
    np.testing.assert_array_equal(votes.model_a, a)
    np.testing.assert_array_equal(votes.outcome, outcome)


def test_votes_that_cannot_be_used():
    a, b, outcome, voter, _ = draw()
    with pytest.raises(ratings.LengthMismatch, match="differ in length"):
        votes_of(a, b, outcome, voter=voter[:3])
    with pytest.raises(ratings.BadOption, match="without clusters"):
        votes_of(a, b, outcome)
    with pytest.raises(ratings.BadOption, match="model_a is out of range"):
        votes_of(a + 100, b, outcome, voter=voter)
    with pytest.raises(ratings.BadOption, match="a code of 'voter' is below -1"):
        votes_of(a, b, outcome, voter=voter - 9)
    with pytest.raises(ratings.UnknownModel, match="'model-00' has votes"):
        votes_of(a, b, outcome, voter=voter).over(MODELS[1:])
    with pytest.raises(ratings.UnknownModel, match="'other' is not among the 8 models"):
        ratings.cluster_votes(["other"], ["model-00"], ["tie"], {"voter": ["v"]}, models=MODELS)
