import numpy as np
import pytest

import ratings
from ratings import check_voters, read_battles, tabulate
from ratings.tools.anomalous_voters import _davidson, _without_own_votes

MODELS = 10


def crowd(cheats, honest=60, votes=100, seed=0):
    """Honest voters and cheats, each a function of (a, b, honest outcome, rng) -> outcome, with 100 votes each."""
    rng = np.random.default_rng(seed)
    count = (honest + len(cheats)) * votes
    xi = rng.normal(0, 0.6, MODELS)
    a = rng.integers(0, MODELS, count)
    b = (a + rng.integers(1, MODELS, count)) % MODELS
    odds = np.stack([np.exp((xi[a] - xi[b]) / 2), np.exp((xi[b] - xi[a]) / 2), np.full(count, 0.9)], axis=1)
    edges = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    outcome = (rng.random(count)[:, None] > edges[:, :2]).sum(axis=1)
    voter = np.repeat(np.arange(honest + len(cheats)), votes)
    for number, cheat in enumerate(cheats):
        mine = voter == honest + number
        outcome[mine] = cheat(a[mine], b[mine], outcome[mine], rng)
    return a, b, outcome, voter


def always_left(a, b, outcome, rng):
    return np.zeros(len(a), dtype=int)


def at_random(a, b, outcome, rng):
    return rng.integers(0, 3, len(a))


def booster(model):
    def vote(a, b, outcome, rng):
        return np.where(a == model, 0, np.where(b == model, 1, outcome))

    return vote


def test_cheats_are_found_and_named():
    a, b, outcome, voter = crowd([always_left, at_random, booster(4)])
    checked = check_voters(a, b, outcome, voter)
    assert {60, 62} <= set(checked.flagged)
    assert checked.likeliest[60] == "always left"
    assert checked.likeliest[62] == "favours 4"
    assert checked.flagged_after[60] < 30
    assert checked.votes.tolist() == [100] * 63


def test_someone_who_demotes_a_model():
    def demote(a, b, outcome, rng):
        return np.where(a == 3, 1, np.where(b == 3, 0, outcome))

    assert check_voters(*crowd([demote])).likeliest[-1] == "demotes 3"


@pytest.mark.slow
def test_false_alarms_stay_under_the_level():
    flagged = sum(len(check_voters(*crowd([], seed=s), level=0.05).flagged) for s in range(30))
    assert flagged / (30 * 60) <= 0.05


def test_the_e_process_is_the_mean_of_products_of_likelihood_ratios():
    a, b, outcome, voter = crowd([], honest=5, votes=20)
    battles = read_battles(a, b, outcome.astype(np.uint8))
    fit = ratings.davidson(tabulate(battles), prior=ratings.PRIOR)
    p = _without_own_votes(battles, fit, voter, ratings.PRIOR)
    values = np.ones((5, 2 * MODELS + 4))
    for t, v in enumerate(voter):
        for k in range(2 * MODELS + 4):
            aims = {  # the outcome alternative k is after, if this battle concerns it
                **{m: 0 if a[t] == m else 1 for m in (a[t], b[t])},
                **{MODELS + m: 1 if a[t] == m else 0 for m in (a[t], b[t])},
                2 * MODELS + 1: 0, 2 * MODELS + 2: 1, 2 * MODELS + 3: 2,
            }  # fmt: skip
            own = p[t, outcome[t]]
            if k == 2 * MODELS:
                values[v, k] *= (1 / 3) / own
            elif k in aims:
                values[v, k] *= (0.8 * (outcome[t] == aims[k]) + 0.2 * own) / own
    checked = check_voters(a, b, outcome, voter)
    assert checked.e_value == pytest.approx(values.mean(axis=1))
    assert (checked.peak >= checked.e_value).all()


def test_a_voter_is_left_out_of_what_they_are_held_against():
    a, b, outcome, voter = crowd([booster(4)], honest=10, votes=60)
    battles = read_battles(a, b, outcome.astype(np.uint8))
    fit = ratings.davidson(tabulate(battles), prior=ratings.PRIOR)
    p = _without_own_votes(battles, fit, voter, ratings.PRIOR)
    others = voter != 10
    refit = ratings.davidson(a[others], b[others], outcome[others], prior=ratings.PRIOR)
    mine = np.flatnonzero(voter == 10)
    lead = (refit.ratings[a[mine]] - refit.ratings[b[mine]]) / ratings.POINTS_PER_LOGIT
    assert np.abs(p[mine] - _davidson(lead, fit.coefficients[0].value)).max() < 0.03


def test_voters_keep_their_labels_and_numbers_of_votes():
    a, b, outcome, voter = crowd([always_left], honest=3, votes=40)
    names = np.array(["ann", "bob", "cid", "eve"])[voter]
    kept = np.r_[0:30, 40:160]
    checked = check_voters(a[kept], b[kept], outcome[kept], names[kept])
    assert checked.voters == ("ann", "bob", "cid", "eve")
    assert checked.votes.tolist() == [30, 40, 40, 40]
    assert "eve" in checked.flagged


def test_tempering_flags_fewer():
    columns = crowd([at_random] * 10, seed=3)
    plain, tempered = check_voters(*columns), check_voters(*columns, temper=0.5)
    assert tempered.peak[60:].mean() < plain.peak[60:].mean()


def test_what_the_check_refuses():
    a, b, outcome, voter = crowd([], honest=2, votes=20)
    for option in ({"level": 0.0}, {"level": 1.0}, {"temper": 0.0}, {"temper": 1.1}):
        with pytest.raises(ratings.BadOption, match=r"is out of range. Give a number between 0 and 1"):
            check_voters(a, b, outcome, voter, **option)
    with pytest.raises(ratings.MissingValue, match="row 0: no voter"):
        check_voters(a, b, outcome, [None, *voter[1:]])
    with pytest.raises(ratings.BadOption, match="no battle is tie"):
        check_voters(["a", "a"], ["b", "b"], ["model_a", "model_b"], ["v", "w"])
