"""Faithfulness, counterfactuals and uncertainty on games with a known answer."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from interp.blackbox.counterfactual import smallest_deletion
from interp.document import faithfulness_report
from interp.errors import BadOption
from interp.evaluation.faithfulness import BEATS, NOT, faithfulness, infidelity, max_sensitivity
from interp.evaluation.uncertainty import (
    content_and_bias,
    entropy,
    margin,
    semantic_consistency,
    word_overlap,
)

UNITS = 40
TRUTH = np.random.default_rng(5).normal(size=UNITS)
TRUTH *= np.sign(TRUTH.sum())


def linear_judge(masks):
    return masks @ TRUTH


def test_the_true_weights_beat_random_and_their_reverse_does_not():
    assert faithfulness(linear_judge, TRUTH).verdict == BEATS
    against = faithfulness(linear_judge, -TRUTH)
    assert against.verdict == NOT
    assert against.gap.value == pytest.approx(-faithfulness(linear_judge, TRUTH).gap.value)


def test_random_scores_are_rarely_called_better_than_random():
    random = np.random.default_rng(11)
    beats = [faithfulness(linear_judge, random.normal(size=UNITS), seed=seed).beats_random for seed in range(100)]
    assert np.mean(beats) <= 0.05


def test_the_measures_of_a_linear_judge_are_sums_of_its_weights():
    found = faithfulness(linear_judge, TRUTH, fractions=[0.25])
    ranked = np.sort(TRUTH)[::-1]
    assert found.comprehensiveness.value == pytest.approx(ranked[:10].sum())
    assert found.sufficiency.value == pytest.approx(ranked[10:].sum())
    assert found.gap.value == pytest.approx(ranked[:10].sum() - ranked[-10:].sum())
    assert found.curve.deletion == pytest.approx([ranked[10:].sum()])
    assert found.curve.reverse == pytest.approx([ranked[:-10].sum()])
    assert found.curve.insertion == pytest.approx([ranked[:10].sum()])


def test_a_verdict_for_b_is_measured_on_its_own_side():
    for_b = faithfulness(lambda masks: -linear_judge(masks), -TRUTH)
    for_a = faithfulness(linear_judge, TRUTH)
    assert for_b.gap.value == pytest.approx(for_a.gap.value)
    assert for_b.beats_random
    assert for_b.curve.deletion == pytest.approx([-one for one in for_a.curve.deletion])


def test_a_model_that_ignores_its_input_is_explained_by_nothing():
    found = faithfulness(lambda masks: np.full(len(masks), 0.7), TRUTH)
    assert found.verdict == NOT
    assert found.gap.z == 0


def test_the_calls_are_those_promised_and_the_report_is_json():
    asked = []

    def value(masks):
        asked.append(len(masks))
        return linear_judge(masks)

    found = faithfulness(value, TRUTH, rankings=12)
    assert sum(asked) == found.calls == 1 + 13 * 3 * 5
    assert json.loads(json.dumps(found.to_dict()))["verdict"] == BEATS


def test_infidelity_is_zero_for_the_weights_and_one_for_nothing():
    assert infidelity(linear_judge, TRUTH) == pytest.approx(0, abs=1e-12)
    assert infidelity(linear_judge, np.zeros(UNITS)) == pytest.approx(1)
    assert infidelity(linear_judge, TRUTH + 0.5) > 0.1
    assert math.isnan(infidelity(lambda masks: np.ones(len(masks)), TRUTH))


def test_a_gradient_times_input_of_a_linear_map_moves_by_the_radius_at_most():
    weights = np.random.default_rng(2).normal(size=(7, 3))
    inputs = np.random.default_rng(3).normal(size=(7, 3))
    moved = max_sensitivity(lambda x: (x * weights).sum(axis=1), inputs, radius=0.02)
    assert (
        0
        < moved
        < 0.02
        * np.linalg.norm(np.linalg.norm(weights, axis=1) * np.linalg.norm(inputs, axis=1))
        / (np.linalg.norm((inputs * weights).sum(axis=1)))
    )
    assert max_sensitivity(lambda _: np.ones(7), inputs) == 0
    assert math.isnan(max_sensitivity(lambda _: np.zeros(7), inputs))


def test_the_smallest_deletion_is_found_and_pruned():
    weights = np.array([3.0, 0.4, 0.3, -1.0, -1.5])  # 1.2; without unit 0 it is -1.8

    def judge(masks):
        return masks @ weights

    misled = np.array([0.3, 0.9, 0.8, 0.0, 0.0])  # 1 and 2 come first, and prove not to be needed
    found = smallest_deletion(judge, misled, most=3)
    assert found.removed == (0,)
    assert found.flipped
    assert (found.before, found.after) == pytest.approx((1.2, -1.8))
    for_b = smallest_deletion(lambda masks: -judge(masks), -misled, most=3)
    assert for_b.removed == (0,)


def test_nothing_flips_a_verdict_that_does_not_hang_on_the_text():
    found = smallest_deletion(lambda masks: 2 + 0.1 * masks[:, 0], np.array([1.0, 0.0, -1.0]))
    assert not found.flipped
    assert found.removed == (0,)
    assert found.after == pytest.approx(2.0)
    assert smallest_deletion(lambda masks: np.zeros(len(masks)), np.ones(3)).removed == ()


def test_putting_any_single_unit_back_restores_the_verdict():
    random = np.random.default_rng(8)
    for _ in range(20):
        weights = random.normal(size=12)
        judge = lambda masks, w=weights: masks @ w - 0.2  # noqa: E731
        found = smallest_deletion(judge, random.normal(size=12) + weights)
        if found.flipped:
            for unit in found.removed:
                mask = np.ones((1, 12), dtype=bool)
                mask[0, [other for other in found.removed if other != unit]] = False
                assert judge(mask)[0] * found.before > 0


def test_a_margin_of_nothing_is_one_bit_of_doubt():
    assert margin(0.0).entropy == pytest.approx(1)
    assert margin(2.0).probability == pytest.approx(1 / (1 + math.exp(-2)))
    assert margin(-2.0).entropy == pytest.approx(margin(2.0).entropy)
    assert margin(-900.0).probability == 0
    assert margin(-900.0).entropy == 0


def test_entropy_is_that_of_the_normalized_distribution():
    assert entropy([1, 1, 1, 1]) == pytest.approx(2)


def test_content_and_bias_of_two_orders():
    found = content_and_bias(0.9, -0.3)  # A is named in both orders, more clearly when it comes first
    assert (found.content, found.bias, found.consistent) == pytest.approx((0.6, 0.3, True))
    assert not content_and_bias(0.5, 0.4).consistent


def test_meanings_are_grouped_by_whatever_similarity_is_given():
    samples = ["Paris", "It is Paris.", "Lyon", "paris!"]
    by_city = lambda one, other: float(("paris" in one.lower()) == ("paris" in other.lower()))  # noqa: E731
    found = semantic_consistency(samples, by_city)
    assert found.groups == (0, 0, 1, 0)
    assert found.consistency == pytest.approx(0.5)
    assert found.entropy == pytest.approx(entropy([3, 1]))
    assert semantic_consistency(["yes", "Yes."]).entropy == 0
    assert word_overlap("", " ") == 1


WRONG = {
    "rankings 9": lambda: faithfulness(linear_judge, TRUTH, rankings=9),
    "unit 0: score nan": lambda: faithfulness(linear_judge, TRUTH * np.nan),
    "fractions": lambda: faithfulness(linear_judge, TRUTH, fractions=[1.0]),
    "hide 0": lambda: infidelity(linear_judge, TRUTH, hide=0),
    "radius 0": lambda: max_sensitivity(lambda x: x, np.ones((2, 2)), radius=0),
    "most 0": lambda: smallest_deletion(linear_judge, TRUTH, most=0),
    "is not a distribution": lambda: entropy([-1.0, 2.0]),
    "1 samples": lambda: semantic_consistency(["one"]),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_measured_is_named(message):
    with pytest.raises(BadOption, match=message):
        WRONG[message]()


def planted(units, driving, seed):
    """The weights of a judge that a few units drive, of random sizes and sides."""
    random = np.random.default_rng([units, driving, seed])
    weights = np.zeros(units)
    chosen = random.choice(units, driving, replace=False)
    weights[chosen] = random.choice([-1, 1], driving) * random.uniform(1, 3, driving)
    return weights


@pytest.mark.parametrize("driving", [1, 2, 5])
@pytest.mark.parametrize("units", [10, 20, 80])
def test_a_perfect_map_has_the_badge_however_few_units_decide(units, driving):
    judges = [planted(units, driving, seed) for seed in range(20)]
    beats = [
        faithfulness(lambda masks, w=weights: masks @ w, weights, seed=seed).beats_random
        for seed, weights in enumerate(judges)
    ]
    assert np.mean(beats) >= 0.95


@pytest.mark.parametrize("units", [10, 40])
def test_random_maps_of_a_judge_that_one_unit_decides_rarely_have_the_badge(units):
    random = np.random.default_rng(3)
    weights = planted(units, 1, 0)
    beats = [
        faithfulness(lambda masks: masks @ weights, random.normal(size=units), seed=seed).beats_random
        for seed in range(60)
    ]
    assert np.mean(beats) <= 0.05


def test_one_of_ten_units_is_exactly_one_map_in_twenty():
    weights = planted(10, 1, 0)
    report = faithfulness(lambda masks: masks @ weights, weights)
    assert (report.p, report.maps) == (0.05, 20)  # ten units, and either sign
    assert report.beats_random


def test_scores_without_a_sign_are_measured_alike_whichever_side_is_preferred():
    weights = np.zeros(UNITS)
    weights[:5] = [6, 5, 4, 3, 0.42]
    looked = np.abs(weights) + 0.01
    for_a = faithfulness(lambda masks: masks @ weights, looked, signed=False)
    for_b = faithfulness(lambda masks: -(masks @ weights), looked, signed=False)
    assert for_a.gap.value == for_b.gap.value > 15
    assert for_a.beats_random
    assert for_b.beats_random
    assert faithfulness(lambda masks: -(masks @ weights), looked).gap.value < -15  # read as if they had a sign


def test_scores_without_a_sign_flip_a_verdict_for_either_side():
    weights = np.array([6.0, 5, 0.1, 0.1, 0.1, 0.1])
    looked = np.abs(weights)
    for side in (1, -1):
        flip = smallest_deletion(lambda masks, side=side: side * (masks @ weights - 9), looked, signed=False)
        assert flip.flipped
        assert flip.removed == (0,)


def test_scores_that_are_all_alike_or_of_a_model_that_ignores_its_input_have_no_p():
    assert faithfulness(linear_judge, np.ones(UNITS)).p == 1
    assert faithfulness(lambda masks: np.zeros(len(masks)), TRUTH).p == 1


def test_scores_that_predict_worse_than_zeros_have_no_badge():
    report = faithfulness_report(faithfulness(linear_judge, TRUTH), infidelity=4.3)
    assert (report.verdict, report.beats_random) == (NOT, False)
    assert faithfulness_report(faithfulness(linear_judge, TRUTH), infidelity=0.9).beats_random
