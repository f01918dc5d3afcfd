"""Sampling goes on until two runs agree, and the agreement of two maps is measured beside chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interp.blackbox.counterfactual import single_deletions
from interp.blackbox.methods import black_box_method, words_of
from interp.blackbox.precision import relative_error, until_precise
from interp.errors import BadOption
from interp.evaluation.map_agreement import map_agreement
from interp.prompt import Prompt

TRUTH = np.random.default_rng(1).normal(size=30)


def noisy(spread, start=0):
    return lambda seed: TRUTH + spread * np.random.default_rng(start + seed).normal(size=30)


def test_more_noise_takes_more_rounds():
    quiet, loud = (until_precise(noisy(spread), most=200) for spread in (0.1, 2.0))
    assert quiet.rounds == 4
    assert 20 < loud.rounds < 200
    assert max(quiet.error, loud.error) <= quiet.target


def test_two_runs_at_the_target_agree_at_about_one_less_its_square():
    correlations = []
    for start in range(0, 20_000, 1_000):
        first, second = (until_precise(noisy(2.0, start + 500 * run), most=200).scores for run in (0, 1))
        correlations.append(np.corrcoef(first, second)[0, 1])
    assert np.mean(correlations) == pytest.approx(1 - 0.3**2, abs=0.03)


def test_a_target_that_is_not_reached_is_reported():
    assert until_precise(noisy(20.0), most=5).error > 0.3
    prompt = Prompt.of(("a", " ".join(map(str, range(24)))))

    def judge(masks):
        return np.array([np.random.default_rng(hash(mask.tobytes()) % 2**32).normal() for mask in masks])

    result = black_box_method("shapley").scores(judge, words_of(prompt))
    assert result.parameters["random_orders"] == 64
    assert "another run may rank the words differently" in result.parameters["notes"][0]


def test_the_relative_error_of_nothing_is_nothing():
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert math.isinf(relative_error(np.zeros(3), np.ones(3)))


@pytest.mark.parametrize(("target", "most"), [(0, 5), (0.3, 1)])
def test_a_precision_that_cannot_be_reached_is_refused(target, most):
    with pytest.raises(BadOption, match="Expected above 0, and at least two rounds"):
        until_precise(noisy(1), target=target, most=most)


def test_equal_maps_agree_and_opposite_ones_do_not():
    same, opposite = map_agreement(TRUTH, TRUTH), map_agreement(TRUTH, -TRUTH)
    assert (same.correlation, same.overlap, len(same.shared)) == (pytest.approx(1), 5, 5)
    assert (opposite.correlation, opposite.overlap) == (pytest.approx(-1), 0)
    assert map_agreement(TRUTH, -TRUTH, signed=False).overlap == 5


def test_chance_is_what_random_maps_give():
    random = np.random.default_rng(4)
    drawn = [map_agreement(TRUTH, random.normal(size=30)) for _ in range(60)]
    inside = [agreement.chance[0] <= agreement.correlation <= agreement.chance[1] for agreement in drawn]
    assert np.mean(inside) > 0.85
    assert np.mean([agreement.overlap for agreement in drawn]) == pytest.approx(
        drawn[0].overlap_by_chance, abs=0.25
    )


def test_maps_of_different_words_are_refused():
    with pytest.raises(BadOption, match="30 and 2 words"):
        map_agreement(TRUTH, TRUTH[:2])


def test_single_deletions_are_counted():
    weights = np.array([3.0, 1, 1, -1.5, -1.5])  # 2; only the first deletion flips it
    found = single_deletions(lambda masks: masks @ weights, 5)
    assert (found.tested, found.flipped) == (5, 1)
    assert single_deletions(lambda masks: masks @ np.ones(90), 90).tested == 40
