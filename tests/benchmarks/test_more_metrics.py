"""Calibration, F1, chains and costs, against counts by hand and scikit-learn."""

import json

import numpy as np
import pytest

from benchmarks.calibration import calibration
from benchmarks.chains import ChainError, described, equations, error_type, length
from benchmarks.classification import f1
from benchmarks.costs import per_correct
from benchmarks.errors import BadOption
from tests.support.published import published


def test_a_calibrated_model_has_hardly_an_error_and_a_boaster_has_a_large_one():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 20000)
    assert calibration(sure, rng.uniform(size=20000) < sure).error < 0.02
    assert calibration(np.full(100, 0.9), np.r_[np.ones(50), np.zeros(50)]).error == pytest.approx(0.4)


def test_bins_have_equal_mass_and_ties_stay_together():
    found = calibration([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], bins=2)
    assert [one.count for one in found.bins] == [2, 2]
    assert found.error == pytest.approx((2 * 0.15 + 2 * 0.65) / 4)
    assert found.worst == pytest.approx(0.65)
    assert [one.count for one in calibration([0.5, 0.5, 0.5, 0.9], [1, 0, 1, 1], bins=4).bins] == [3, 1]


def test_the_order_of_predictions_does_not_matter():
    rng = np.random.default_rng(1)
    sure, right = rng.choice([0.2, 0.5, 0.9], 100), rng.integers(2, size=100)
    order = rng.permutation(100)
    assert calibration(sure, right).error == pytest.approx(calibration(sure[order], right[order]).error)


@pytest.mark.slow  # scikit-learn takes seconds to import
def test_f1_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is in the extra 'peers'")
    rng = np.random.default_rng(0)
    said, right = rng.choice(list("abcd"), 200).tolist(), rng.choice(list("abc"), 200).tolist()
    found = f1(said, right)
    assert found.macro == pytest.approx(metrics.f1_score(right, said, average="macro"))
    assert found.micro == pytest.approx(metrics.f1_score(right, said, average="micro"))


def test_a_sample_without_an_answer_is_a_miss_and_no_false_alarm():
    found = f1(["a", None], ["a", "a"])
    assert found.by_label == {"a": pytest.approx(2 / 3)}
    assert found.micro == pytest.approx(2 / 3)


def test_equations_are_checked():
    chain = "First 48/2 = 24. Then 48 + 24 = 73. So 1,000 x 20% = 200 and 3 * 4 + 2 = 14 and $7 - $2 = $5."
    assert [holds for _, holds in equations(chain)] == [True, False, True, True, True]


def test_length_counts_steps_or_sentences():
    assert length("1. Add.\n2. Subtract.").steps == 2
    assert length("Add one. Subtract 2 - 1 = 1!").sentences == 2
    assert length("Add one. Subtract 2 - 1 = 1!").equations == 1


@pytest.mark.parametrize(
    ("chain", "answer", "truncated", "kind"),
    [
        ("6 * 7 = 42. The answer is 42.", "42", False, ChainError.NONE),
        ("6 * 7 = 41. The answer is 41.", "41", False, ChainError.ARITHMETIC),
        ("6 + 7 = 13. The answer is 13.", "13", False, ChainError.REASONING),
        ("6 * 7 = 42. The answer is 42 as 2 of 7.", "7", False, ChainError.FORMAT),
        ("41", "41", False, ChainError.NO_CHAIN),
        ("6 * 7 is. And so on", None, True, ChainError.TRUNCATED),
    ],
)
def test_errors_have_kinds(chain, answer, truncated, kind):
    assert error_type(chain, answer, "42", truncated=truncated) is kind


def test_a_chain_is_described_by_its_length_and_its_one_error():
    found = described("6 * 7 = 41. The answer is 41.", "41", "42")
    assert {name: value for name, value in found.items() if value} == {
        "words": 9, "steps": 2, "error_arithmetic": 1,
    }  # fmt: skip
    right = described("6 * 7 = 42. The answer is 42.", "42", "42")
    assert sum(value for name, value in right.items() if name.startswith("error")) == 0


def test_gsm8ks_own_solutions_hold():
    """Of the equations that the training set's people wrote, hardly one is false."""
    lines = published("benchmarks/gsm8k/test.jsonl").read_text(encoding="utf-8").splitlines()
    chains = [json.loads(line)["answer"] for line in lines]
    found = [holds for chain in chains for _, holds in equations(chain.replace("<<", " <<"))]
    assert len(found) > 3000
    assert np.mean(found) > 0.98


def test_every_cent_counts_for_the_right_answers():
    found = per_correct([1.0, 1.0, 2.0, 0.0], [1, 0, 1, 0])
    assert found.value == 2.0
    assert found.lower < 2.0 < found.upper
    assert per_correct([1.0], [0]) is None
    assert per_correct([1.0] * 3, [0, 0, 1]).upper == np.inf


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: calibration([0.5], []), "shapes"),
        (lambda: calibration([1.5], [1]), "confidence 1.5 at 0"),
        (lambda: calibration([0.5], [1], bins=0), "bins is 0"),
        (lambda: f1([], []), "0 predictions for 0 samples"),
        (lambda: per_correct([1], []), "1 costs for 0 samples"),
        (lambda: per_correct([-1], [1]), "cost -1.0 at 0"),
    ],
)
def test_wrong_use_is_named(call, said):
    with pytest.raises(BadOption, match=said):
        call()
