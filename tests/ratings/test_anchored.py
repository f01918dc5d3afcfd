from importlib import import_module

import numpy as np
import pytest

import ratings
from ratings import POINTS_PER_LOGIT

MODELS = 8


def outcomes(lead, rng, log_nu):
    odds = np.stack([np.exp(lead / 2), np.exp(-lead / 2), np.full(len(lead), np.exp(log_nu))], axis=1)
    edges = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return (rng.random(len(lead))[:, None] > edges[:, :2]).sum(axis=1)


def log_of(judges, people=3000, verdicts=8000, seed=0):
    """A log of people and judges; a judge is (taste, position, effect of length, log nu)."""
    rng = np.random.default_rng(seed)
    xi = rng.normal(0, 0.6, MODELS)
    xi -= xi.mean()
    columns = []
    for name, habits in {"human": (np.zeros(MODELS), 0.0, 0.0, -0.3), **judges}.items():
        taste, position, effect, log_nu = habits
        count = people if name == "human" else verdicts
        a = rng.integers(0, MODELS, count)
        b = (a + rng.integers(1, MODELS, count)) % MODELS
        z = rng.normal(size=count)
        lead = xi[a] - xi[b] + taste[a] - taste[b] + position + effect * z
        columns.append((a, b, outcomes(lead, rng, log_nu), np.repeat(name, count), z))
    a, b, outcome, source, z = (np.concatenate(column) for column in zip(*columns, strict=True))
    return xi, (a, b, outcome, source), {"length": z}


FAIR = np.zeros(MODELS)


def test_the_habits_of_a_judge_are_found():
    _, columns, z = log_of({"judge:x": (FAIR, 0.5, 0.4, -1.5), "judge:y": (FAIR, -0.2, 0.0, 0.5)})
    result = ratings.human_anchored(*columns, covariates=z)
    found = {judge: {c.name: c for c in fit.coefficients} for judge, fit in result.judges.items()}
    for judge, name, truth in (
        ("judge:x", "position", 0.5), ("judge:x", "length", 0.4), ("judge:x", "log nu", -1.5),
        ("judge:y", "position", -0.2), ("judge:y", "length", 0.0), ("judge:y", "log nu", 0.5),
    ):  # fmt: skip
        assert found[judge][name].value == pytest.approx(truth, abs=0.12)
    assert {c.name for c in result.human.coefficients} == {"log nu"}


def test_a_judge_without_taste_narrows_the_intervals():
    xi, columns, _ = log_of({"judge:x": (FAIR, 0.3, 0.0, -0.3)})
    result = ratings.human_anchored(*columns)
    assert result.gain > 1.1
    assert (result.fit.standard_errors < result.human.standard_errors).all()
    assert np.abs((result.fit.ratings - 1000) / POINTS_PER_LOGIT - xi).max() < 0.2


def test_judges_that_err_together_do_not_outvote_people():
    taste = np.linspace(-1.0, 1.0, MODELS)
    judges = {f"judge:{k}": (taste, 0.0, 0.0, -0.3) for k in range(6)}
    xi, columns, _ = log_of(judges)
    result = ratings.human_anchored(*columns)
    assert result.taste > 50
    assert result.gain < 1.2
    assert np.abs(result.fit.ratings - result.human.ratings).max() < 30
    assert np.abs((result.fit.ratings - 1000) / POINTS_PER_LOGIT - xi).max() < 0.3


@pytest.mark.slow
def test_what_a_judge_says_of_its_own_family_against_others_is_not_believed():
    own = np.r_[np.full(3, 1.5), np.zeros(5)]
    xi, columns, _ = log_of({"judge:x": (own, 0.0, 0.0, -0.3)}, people=4000, verdicts=30_000)
    families = {str(m): "x" for m in range(3)} | {"judge:x": "x"} | {str(m): "other" for m in range(3, 8)}
    aware = ratings.human_anchored(*columns, families=families)
    naive = ratings.human_anchored(*columns)
    assert aware.taste < 0.5 * naive.taste
    assert aware.gain > naive.gain
    assert np.abs((aware.fit.ratings - 1000) / POINTS_PER_LOGIT - xi).max() < 0.2


def test_clusters_of_voters_and_prompts():
    _, columns, _ = log_of({"judge:x": (FAIR, 0.0, 0.0, -0.3)}, people=800, verdicts=800)
    copied = [np.r_[column, column] for column in columns]
    once = ratings.human_anchored(*columns, cluster=np.arange(1600))
    twice = ratings.human_anchored(*copied, cluster=np.r_[np.arange(1600), np.arange(1600)])
    np.testing.assert_allclose(once.human.covariance, twice.human.covariance, rtol=1e-3, atol=1e-3)


def test_a_source_without_ties_has_no_threshold():
    a, b, w = ["a", "b", "a", "b"], ["b", "a", "b", "a"], ["model_a", "model_a", "tie", "model_b"]
    judged = ["model_a", "model_b", "model_a", "model_a"]
    result = ratings.human_anchored(a * 2, b * 2, w + judged, ["human"] * 4 + ["judge:x"] * 4)
    assert [c.name for c in result.judges["judge:x"].coefficients] == ["position"]


def test_people_and_a_judge_have_to_be_there():
    with pytest.raises(ratings.BadOption, match=r"sources are judge:x. Give 'human' and"):
        ratings.human_anchored(["a"], ["b"], ["tie"], ["judge:x"])
    with pytest.raises(ratings.BadOption, match="at least one judge"):
        ratings.human_anchored(["a"], ["b"], ["tie"], ["human"])
    with pytest.raises(ratings.LengthMismatch):
        ratings.human_anchored(["a"], ["b"], ["tie"], ["human", "judge"])
    with pytest.raises(ratings.LengthMismatch):
        ratings.human_anchored(["a", "b"], ["b", "a"], ["tie"] * 2, ["human", "j"], covariates={"z": [1]})


def powered(agreement, seed=0, battles=8000):
    rng = np.random.default_rng(seed)
    xi = rng.normal(0, 0.6, MODELS)
    a = rng.integers(0, MODELS, battles)
    b = (a + rng.integers(1, MODELS, battles)) % MODELS
    won = np.where(rng.random(battles) < 1 / (1 + np.exp(xi[b] - xi[a])), "model_a", "model_b")
    other = np.where(won == "model_a", "model_b", "model_a")
    judge = np.where(rng.random(battles) < agreement, won, other)
    people = [
        vote if chosen else None for vote, chosen in zip(won.tolist(), rng.random(battles) < 0.25, strict=True)
    ]
    return xi - xi.mean(), a, b, judge, people


def test_the_gain_of_a_judge_is_modest_and_grows_with_agreement():
    gains = [ratings.prediction_powered(*powered(agreement)[1:]).gain for agreement in (0.5, 0.75, 0.95)]
    assert gains[0] == pytest.approx(1, abs=0.02)
    assert 1.05 < gains[1] < 1.4
    assert gains[1] < gains[2] < 4


def test_a_useless_judge_is_not_trusted_and_changes_nothing():
    _, a, b, judge, people = powered(0.5)
    result = ratings.prediction_powered(a, b, judge, people)
    rows = [row for row, vote in enumerate(people) if vote]
    alone = ratings.bradley_terry(a[rows], b[rows], [people[row] for row in rows])
    assert result.trust < 0.1
    assert np.abs(result.fit.ratings - alone.ratings).max() < 5
    assert result.fit.standard_errors == pytest.approx(alone.standard_errors, rel=0.02)


def test_a_biased_judge_moves_no_rating_far():
    xi, a, b, _, people = powered(0.9, battles=20_000)
    always = np.where(a < b, "model_a", "model_b")  # the lower number wins, whatever was written
    result = ratings.prediction_powered(a, b, always, people)
    lower, upper = result.fit.interval(0.999)
    rating = 1000 + POINTS_PER_LOGIT * xi
    assert ((lower < rating) & (rating < upper)).all()


def test_people_vote_in_codes_as_in_names():
    _, a, b, judge, people = powered(0.8, battles=2000)
    codes = [None if vote is None else ["model_a", "model_b"].index(vote) for vote in people]
    assert (
        ratings.prediction_powered(a, b, judge, codes).fit.ratings.tolist()
        == ratings.prediction_powered(a, b, judge, people).fit.ratings.tolist()
    )


def test_an_equation_that_is_not_solved_is_reported(monkeypatch):
    monkeypatch.setattr(import_module("ratings.models.prediction_powered"), "STEPS", 1)
    with pytest.raises(ratings.NotConverged, match=r"have no common solution. Collect more votes"):
        ratings.prediction_powered(*powered(0.8, battles=2000)[1:])


def test_what_prediction_powered_refuses():
    _, a, b, judge, people = powered(0.7, battles=400)
    with pytest.raises(ratings.BadOption, match="people voted on 0 of 400 battles"):
        ratings.prediction_powered(a, b, judge, [None] * 400)
    with pytest.raises(ratings.BadOption, match="people voted on 400 of 400"):
        ratings.prediction_powered(a, b, judge, judge.tolist())
    with pytest.raises(ratings.Disconnected, match="people's votes alone do not compare"):
        ratings.prediction_powered(a, b, judge, ["model_a", *[None] * 399])
    with pytest.raises(ratings.UnknownWinner, match="row 0: winner 'modelA'"):
        ratings.prediction_powered(a, b, judge, ["modelA", *people[1:]])


def test_counts_give_what_the_battles_give():
    rng = np.random.default_rng(4)
    names = np.array(["a", "b", "c", "d"])
    a = rng.integers(0, 4, 1200)
    b = (a + rng.integers(1, 4, 1200)) % 4
    winner = rng.choice(["model_a", "model_b", "tie", "both_bad"], 1200, p=[0.4, 0.3, 0.2, 0.1])
    source = rng.choice(["human", "judge:x", "judge:y"], 1200)
    rows = ratings.human_anchored(names[a], names[b], winner, source, prior=0.25)
    counts = {
        one: ratings.count_pairs(
            names[a][source == one], names[b][source == one], winner[source == one], models=sorted(names)
        )
        for one in ("human", "judge:x", "judge:y")
    }
    added_up = ratings.human_anchored_counts(counts, prior=0.25)
    np.testing.assert_allclose(added_up.fit.ratings, rows.fit.ratings, atol=1e-6)
    np.testing.assert_allclose(added_up.fit.covariance, rows.fit.covariance, rtol=1e-6, atol=1e-6)
    assert added_up.taste == pytest.approx(rows.taste)
    assert added_up.fit.battles == 1200


def test_counts_need_people_judges_and_the_same_models():
    one = ratings.count_pairs(["a", "b"], ["b", "a"], ["tie", "model_a"])
    other = ratings.count_pairs(["a", "c"], ["c", "a"], ["tie", "model_a"])
    with pytest.raises(ratings.BadOption, match="at least one judge"):
        ratings.human_anchored_counts({"human": one})
    with pytest.raises(ratings.BadOption, match="other models"):
        ratings.human_anchored_counts({"human": one, "judge:x": other})


@pytest.mark.parametrize("source", [["human", None, "j"], np.ma.masked_array(["human", "j", "j"], [0, 1, 0])])
def test_a_vote_without_source_is_an_error_that_names_the_row(source):
    with pytest.raises(ratings.MissingValue, match="row 1: no source"):
        ratings.human_anchored(["a"] * 3, ["b"] * 3, ["model_a", "model_b", "tie"], source)


def counts_of(columns):
    a, b, outcome, source = columns
    names = np.array([f"m{n}" for n in range(MODELS)])
    winners = np.array(["model_a", "model_b", "tie"])
    return {
        one: ratings.count_pairs(
            names[a][source == one],
            names[b][source == one],
            winners[outcome[source == one]],
            models=names.tolist(),
        )
        for one in np.unique(source).tolist()
    }


def with_few_votes(columns, model, votes):
    """The log with only so many of people's votes on a model."""
    a, b, _, source = columns
    met = (source == "human") & ((a == model) | (b == model))
    kept = ~met | (np.cumsum(met) <= votes)
    return [column[kept] for column in columns]


@pytest.mark.parametrize("votes", [10, 40, 3000])
def test_a_model_that_judges_favour_by_a_logit_is_covered(votes):
    favoured = np.r_[1.0, np.zeros(MODELS - 1)]
    covered = 0
    for seed in range(40):
        judges = {f"judge:{k}": (favoured, 0.3, 0.0, -0.3) for k in range(3)}
        xi, columns, _ = log_of(judges, people=1200, verdicts=4000, seed=seed)
        result = ratings.human_anchored_counts(counts_of(with_few_votes(columns, 0, votes)), prior=ratings.PRIOR)
        lower, upper = result.fit.interval()
        covered += lower[0] <= 1000 + POINTS_PER_LOGIT * xi[0] <= upper[0]
    assert covered >= 40 * 0.92 - 2 * (40 * 0.92 * 0.08) ** 0.5


def test_a_judge_of_few_one_sided_verdicts_is_left_out_by_name():
    _, columns, _ = log_of({"judge:x": (FAIR, 0.3, 0.0, -0.3)})
    counts = counts_of(columns)
    one_sided = ratings.count_pairs(
        ["m0"] * 5, ["m1"] * 5, ["model_a"] * 4 + ["tie"], models=counts["human"].models
    )
    result = ratings.human_anchored_counts({**counts, "judge:few": one_sided}, prior=ratings.PRIOR)
    without = ratings.human_anchored_counts(counts, prior=ratings.PRIOR)
    assert list(result.left_out) == ["judge:few"]
    assert "without limit" in result.left_out["judge:few"]
    assert result.fit.ratings.tolist() == without.fit.ratings.tolist()
    alone = ratings.human_anchored_counts({"human": counts["human"], "judge:few": one_sided}, prior=ratings.PRIOR)
    assert (alone.judges, alone.gain) == ({}, 1.0)
    assert alone.fit.ratings.tolist() == alone.human.ratings.tolist()


def test_the_joint_fit_has_the_scale_of_the_board_beside_it():
    _, columns, _ = log_of({"judge:x": (FAIR, 0.3, 0.0, -2.0)}, people=2000, verdicts=2000)
    counts = counts_of(columns)
    people = ratings.bradley_terry(counts["human"], prior=ratings.PRIOR)
    result = ratings.human_anchored_counts(counts, prior=ratings.PRIOR)
    spread, other = np.std(people.ratings), np.std(result.fit.ratings)
    assert other > 1.15 * spread, "a tie of Davidson's model does not pull the ratings together"
    assert np.std(result.on_scale_of(people).ratings) == pytest.approx(spread, rel=0.1)
    verdicts = ["model_a"] * 4 + ["tie"]
    one_sided = ratings.count_pairs(["m0"] * 5, ["m1"] * 5, verdicts, models=people.models)
    alone = ratings.human_anchored_counts({"human": counts["human"], "judge:few": one_sided}, prior=ratings.PRIOR)
    same = alone.on_scale_of(people)
    assert same.ratings == pytest.approx(people.ratings)
    assert same.standard_errors == pytest.approx(people.standard_errors, rel=0.05)
    with pytest.raises(ratings.BadOption, match="rates other models"):
        result.on_scale_of(ratings.bradley_terry(["a"], ["b"], ["tie"], prior=1))
