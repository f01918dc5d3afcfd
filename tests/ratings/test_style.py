import numpy as np
import pytest
from scipy.optimize import minimize

import ratings
from ratings import POINTS_PER_LOGIT
from tests.support.boards import simulated

TEXT = """# Title
Some **bold** and __also bold__ words.

- one
- two
1. first
2) second

```python
# no header
- no item
```
## End
"""


def battles(count=4000, seed=0, effect=0.5):
    """Models that write longer are no better, but people vote for length."""
    rng = np.random.default_rng(seed)
    xi = np.array([-0.4, -0.1, 0.0, 0.2, 0.3])
    habit = np.array([1.0, -0.5, 0.0, 0.5, -1.0])
    a = rng.integers(0, 5, count)
    b = (a + rng.integers(1, 5, count)) % 5
    z = habit[a] - habit[b] + rng.normal(size=count)
    lead = xi[a] - xi[b] + effect * z
    outcome = np.where(rng.random(count) < 0.2, 2, rng.random(count) > 1 / (1 + np.exp(-lead)))
    return xi, (a, b, outcome.astype(np.uint8)), {"length": z, "noise": rng.normal(size=count)}


def test_features_are_counted_outside_code():
    counts = {name: column.tolist() for name, column in ratings.style_counts([TEXT, ""]).items()}
    assert counts == {"length": [len(TEXT.split()), 0], "headers": [2, 0], "lists": [4, 0], "bold": [2, 0]}


def test_differences_are_bounded_mirrored_and_of_unit_spread():
    a, b = {"length": [10.0, 0.0, 5.0]}, {"length": [0.0, 0.0, 15.0]}
    (z,) = ratings.style_differences(a, b).values()
    (mirror,) = ratings.style_differences(b, a).values()
    assert z.tolist() == (-mirror).tolist()
    assert z[1] == 0
    assert z.std() == pytest.approx(1)
    assert z[0] / z[2] == pytest.approx((10 / 11) / (-10 / 21))


def test_a_feature_that_never_differs_is_left_out():
    assert ratings.style_differences({"bold": [1, 2]}, {"bold": [1, 2]}) == {}


def test_a_feature_that_others_determine_is_left_out():
    a, b = np.array([[1, 2, 0], [4, 1, 3]])
    assert list(ratings.style_differences({"bold": a, "lists": a}, {"bold": b, "lists": b})) == ["bold"]


def test_what_is_no_style():
    with pytest.raises(ratings.MissingValue, match="row 1: the completion is None"):
        ratings.style_counts(["text", None])
    with pytest.raises(ratings.BadOption, match="side A has features"):
        ratings.style_differences({"length": [1]}, {"bold": [1]})
    with pytest.raises(ratings.BadOption, match="row 1: length is negative or missing"):
        ratings.style_differences({"length": [1, -1]}, {"length": [1, 1]})
    with pytest.raises(ratings.LengthMismatch):
        ratings.style_differences({"length": [1, 1]}, {"length": [1]})


def test_the_fit_is_the_maximum_that_a_general_optimiser_finds():
    _, columns, covariates = battles()
    fit = ratings.contextual(*columns, covariates, penalty=2.0, prior=0.5)
    a, b, outcome = columns
    y = np.array([1, 0, 0.5])[outcome]
    z = np.stack(list(covariates.values()))

    def loss(parameters):
        lead = parameters[a] - parameters[b] + parameters[5:] @ z
        likelihood = (y * np.logaddexp(0, -lead) + (1 - y) * np.logaddexp(0, lead)).sum()
        return likelihood + 0.25 * (parameters[:5] ** 2).sum() + (parameters[5:] ** 2).sum()

    best = minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-5}).x
    assert (fit.ratings - 1000) / POINTS_PER_LOGIT == pytest.approx(best[:5] - best[:5].mean(), abs=1e-5)
    assert [c.value for c in fit.coefficients] == pytest.approx(best[5:], abs=1e-5)


def test_the_sandwich_is_that_of_the_battles_one_by_one():
    _, columns, covariates = battles(500)
    fit = ratings.contextual(*columns, covariates)
    a, b, outcome = columns
    rows = np.arange(len(a))
    x = np.zeros((len(a), 7))
    x[rows, a], x[rows, b] = 1, -1
    x[:, 5:] = np.stack(list(covariates.values()), axis=1)
    p = 1 / (1 + np.exp(-x @ [*(fit.ratings / POINTS_PER_LOGIT), *(c.value for c in fit.coefficients)]))
    inverse = np.linalg.pinv(x.T @ (x * (p * (1 - p))[:, None]))
    score = x * (np.array([1, 0, 0.5])[outcome] - p)[:, None]
    expected = inverse @ score.T @ score @ inverse
    np.testing.assert_allclose(fit.covariance / POINTS_PER_LOGIT**2, expected[:5, :5], atol=1e-7)
    errors = [c.standard_error for c in fit.coefficients]
    assert errors == pytest.approx(np.sqrt(np.diag(expected))[5:], rel=1e-4)
    own = ratings.contextual(*columns, covariates, cluster=rows)
    np.testing.assert_allclose(own.covariance, fit.covariance * 500 / 499, rtol=1e-6, atol=1e-6)


def test_the_effect_of_style_is_found_and_taken_out():
    xi, columns, covariates = battles(40_000)
    plain, controlled = ratings.bradley_terry(*columns), ratings.contextual(*columns, covariates)
    truth = 0.8 * (xi - xi.mean())  # a fifth of the votes are ties
    assert np.abs((controlled.ratings - 1000) / POINTS_PER_LOGIT - truth).max() < 0.06
    assert np.abs((plain.ratings - 1000) / POINTS_PER_LOGIT - truth).max() > 0.2
    length, noise = controlled.coefficients
    assert 0.35 < length.lower < length.upper < 0.5
    assert noise.lower < 0 < noise.upper


def test_a_penalty_stands_against_the_sum_and_not_the_mean():
    _, columns, covariates = battles(4000)
    free, one, much = (
        ratings.contextual(*columns, covariates, penalty=p).coefficients[0].value for p in (0, 1, 4000)
    )
    assert one == pytest.approx(free, rel=0.01)
    assert much < 0.5 * free


def test_many_battles_use_a_sample_for_the_hessian_and_arrive_all_the_same():
    _, columns, covariates = battles(800_000, effect=1.0)
    fit = ratings.contextual(*columns, covariates)
    a, b, outcome = columns
    residual = np.array([1, 0, 0.5])[outcome] - 1 / (
        1 + np.exp(-((fit.ratings[a] - fit.ratings[b]) / POINTS_PER_LOGIT + sum(
            c.value * covariates[c.name] for c in fit.coefficients)))
    )  # fmt: skip
    assert abs(residual @ covariates["length"]) / len(a) < 1e-7
    assert np.abs(np.bincount(a, residual) - np.bincount(b, residual)).max() / len(a) < 1e-7


def test_weights_and_a_prior_are_those_of_bradley_terry():
    a, b, winner = simulated()
    zero = {"noise": np.random.default_rng(0).normal(size=len(a))}
    weight = np.random.default_rng(1).random(len(a))
    plain = ratings.bradley_terry(a, b, winner, prior=0.25, weight=weight)
    fit = ratings.contextual(a, b, winner, zero, penalty=1e12, prior=0.25, weight=weight)
    np.testing.assert_allclose(fit.ratings, plain.ratings, atol=1e-4)
    np.testing.assert_allclose(fit.covariance, plain.covariance, atol=0.1)


def test_what_contextual_refuses():
    _, columns, covariates = battles(300)
    with pytest.raises(ratings.BadOption, match=r"no covariates. Give at least one, or use bradley_terry"):
        ratings.contextual(*columns, {})
    with pytest.raises(ratings.BadOption, match="penalty -1"):
        ratings.contextual(*columns, covariates, penalty=-1)
    with pytest.raises(ratings.BadOption, match="determined by the others or by the models"):
        ratings.contextual(*columns, {"one": covariates["noise"], "two": covariates["noise"]})
    with pytest.raises(ratings.BadOption, match="determined by the others or by the models"):
        ratings.contextual(*columns, {"zero": np.zeros(300)})
    with pytest.raises(ratings.MissingValue, match="row 2: covariate 'z' is missing"):
        ratings.contextual(*columns, {"z": [0.0, 1.0, float("nan"), *[1.0] * 297]})
    with pytest.raises(ratings.LengthMismatch, match="z has 1 rows"):
        ratings.contextual(*columns, {"z": [0.0]})
    with pytest.raises(ratings.Disconnected, match="Give a prior"):
        ratings.contextual(["a", "a"], ["b", "b"], ["model_a"] * 2, {"z": [0.0, 1.0]})


def test_a_covariate_that_tells_every_winner_needs_a_penalty():
    _, (a, b, _), _ = battles(300)
    z = np.random.default_rng(0).normal(size=300)
    outcome = np.where(z > 0, 0, 1)
    with pytest.raises(ratings.NotConverged, match=r"predicts every winner. Give a penalty"):
        ratings.contextual(a, b, outcome, {"z": z})
    assert np.isfinite(ratings.contextual(a, b, outcome, {"z": z}, penalty=1.0).ratings).all()


@pytest.mark.slow
def test_a_covariate_that_decides_every_battle_has_no_limit_and_reports_it():
    """Few battles whose winner is always the side with more of it: the likelihood grows for ever."""
    rng = np.random.default_rng(102)
    message = 0
    for _ in range(60):
        ends = [rng.choice(4, 2, replace=False) for _ in range(6)]
        z = rng.normal(size=6) * 10.0 ** rng.integers(-2, 4)
        winner = ["model_a" if one > 0 else "model_b" for one in z]
        try:
            ratings.contextual(
                [f"m{a}" for a, _ in ends], [f"m{b}" for _, b in ends], winner, {"z": z}, prior=0.25
            )
        except ratings.RatingsError:
            message += 1
    assert message > 30
