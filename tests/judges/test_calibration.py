"""Calibration of a judge on people's verdicts, and its gain on battles that it was not fitted to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from judges.calibration import CUT, Calibration, calibration_gain, fit_calibration
from judges.errors import BadOption, BadRow, LengthMismatch, NoVerdicts


def battles(offset, scale, *, prompts=200, each=4, seed=0):
    """Preferences of a judge and verdicts of people for whom expit(offset + scale logit p) is right; and the prompts."""
    random = np.random.default_rng(seed)
    p = expit(random.normal(0, 2, prompts * each))
    people = (random.random(len(p)) < expit(offset + scale * logit(np.clip(p, CUT, 1 - CUT)))).astype(float)
    return p, people, [f"p{n // each}" for n in range(len(p))]


def test_the_coefficients_of_people_are_found():
    p, people, _ = battles(0.7, 0.4, prompts=4000)
    found = fit_calibration(p, people)
    assert (found.offset, found.scale) == pytest.approx((0.7, 0.4), abs=0.05)
    assert found.calibrated([0.5])[0] == pytest.approx(expit(found.offset))


def test_exchanging_the_sides_turns_the_offset_and_leaves_the_scale():
    p, people, _ = battles(0.7, 0.4)
    one, other = fit_calibration(p, people), fit_calibration(1 - p, 1 - people)
    assert (other.offset, other.scale) == pytest.approx((-one.offset, one.scale), abs=1e-6)


def test_a_biased_and_too_confident_judge_gains_loss_and_agreement():
    gain = calibration_gain(*battles(1.0, 0.4))
    assert gain.after.loss < gain.before.loss
    assert gain.after.agreement > gain.before.agreement
    assert gain.gain == pytest.approx(gain.before.loss - gain.after.loss)
    assert gain.p_value < 0.001
    assert (gain.battles, gain.prompts, gain.folds) == (800, 200, 10)


def test_a_calibrated_judge_gains_nothing_and_the_test_holds_its_level():
    p_values = [calibration_gain(*battles(0, 1, prompts=60, seed=seed)).p_value for seed in range(60)]
    assert sum(p < 0.05 for p in p_values) <= 6


def test_the_held_out_figures_are_of_coefficients_of_the_other_folds():
    p, people, prompts = battles(1.0, 0.4, prompts=20)
    gain = calibration_gain(p, people, prompts, folds=20)
    losses = []
    for number in range(20):
        out = np.array([name == f"p{number}" for name in prompts])
        q = fit_calibration(p[~out], people[~out]).calibrated(p[out])
        losses += list(-(people[out] * np.log(q) + (1 - people[out]) * np.log(1 - q)))
    assert gain.after.loss == pytest.approx(np.mean(losses))


def test_one_prompt_shown_many_times_is_one_cluster_of_the_test():
    p, people, prompts = battles(1.0, 0.4, prompts=30, each=1)
    once = calibration_gain(p, people, prompts)
    copied = calibration_gain(np.repeat(p, 9), np.repeat(people, 9), list(np.repeat(prompts, 9)))
    assert copied.prompts == once.prompts == 30
    assert copied.standard_error > once.standard_error / 2


def test_labels_of_a_judge_who_is_always_right_give_finite_coefficients():
    people = [1.0, 0.0] * 30
    found = fit_calibration(people, people)
    assert np.isfinite([found.offset, found.scale]).all()
    assert found.scale > 0
    gain = calibration_gain(people, people, list(range(60)))
    assert (gain.before.agreement, gain.after.agreement) == (1.0, 1.0)


def test_ties_of_people_are_half_and_no_part_of_the_agreement():
    gain = calibration_gain([0.9, 0.5] * 20, [0.5, 0.5] * 20, list(range(40)))
    assert gain.before.agreement is gain.after.agreement is None
    assert Calibration(0.0, 1.0).calibrated([0.3]) == pytest.approx([0.3])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            ([0.5] * 19, [1.0] * 19, range(19)),
            NoVerdicts,
            "19 prompts with verdicts of both; a calibration needs at",
        ),
        (([], [], []), NoVerdicts, "no rows"),
        (([1.5], [1.0], [0]), BadRow, "row 0: preferences is 1.5. Expected 0 to 1."),
        (([0.5], [-1.0], [0]), BadRow, "row 0: people is -1. Expected 0 to 1."),
        (([0.5], [1.0, 0.0], [0]), LengthMismatch, "people has 2"),
        (([0.5] * 20, [1.0] * 20, range(19)), LengthMismatch, "cluster has 19"),
    ],
)
def test_columns_that_cannot_be_calibrated_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        calibration_gain(given[0], given[1], list(given[2]))
    with pytest.raises(BadOption, match=r"1 folds are out of range\. Expected 2 to 20"):
        calibration_gain([0.5] * 20, [1.0] * 20, list(range(20)), folds=1)
