"""What a judge leans towards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from judges import common_scale
from judges.biases import bias, has_list, lean, longer_side, side_of_own_model, side_with_list
from judges.errors import BadRow, LengthMismatch, NotConverged, NoVerdicts
from judges.judge import MIRRORED
from reproduce.judge_biases import simulated


def test_a_judge_that_always_takes_the_longer_leans_wholly():
    side = longer_side(["x" * 100, "x", "xx"], ["x", "x" * 100, "x"])
    assert side == ["model_a", "model_b", None]
    result = lean(["model_a", "model_b", "model_a"], side)
    assert (result.value, result.items, result.left_out) == (1.0, 2, 1)


def test_a_tie_is_half_a_win():
    assert lean(["tie", "model_b"], ["model_a", "model_a"]).value == 0.25


def judged(seed, own=0.0, sharpness=2.0, battles=3000, models=8):
    """Battles of people and of a judge that is sharper, with a property that people value (effect .6)."""
    return simulated(np.random.default_rng(seed), own=own, sharpness=sharpness, battles=battles, models=models)


def measured(rows):
    return bias(rows.judge, rows.people, rows.side, rows.models_a, rows.models_b)


@pytest.mark.parametrize("sharpness", [1.0, 2.0, 3.0])
def test_a_sharp_judge_without_a_taste_has_no_bias(sharpness):
    found = [measured(judged(seed, sharpness=sharpness)) for seed in range(10)]
    assert np.mean([figure.value for figure in found]) == pytest.approx(0, abs=0.1)
    assert sum(figure.lower <= 0 <= figure.upper for figure in found) >= 8


@pytest.mark.parametrize("own", [-0.6, 0.6])
def test_a_taste_of_the_judge_is_found(own):
    figure = measured(judged(1, own=own))
    assert (figure.lower > 0) if own > 0 else (figure.upper < 0)
    assert figure.value == pytest.approx(own, abs=0.3)


def test_swapping_the_sides_changes_no_measured_bias():
    rows = judged(2, own=0.3, battles=300)
    turned = replace(
        rows,
        judge=[MIRRORED[v] for v in rows.judge], people=[MIRRORED[v] for v in rows.people],
        side=[None if s is None else MIRRORED[s] for s in rows.side],
        models_a=rows.models_b, models_b=rows.models_a,
    )  # fmt: skip
    assert measured(turned).value == pytest.approx(measured(rows).value, abs=1e-5)


def test_people_against_themselves_have_no_bias():
    rows = judged(3, battles=400)
    figure = bias(rows.people, rows.people, rows.side, rows.models_a, rows.models_b)
    assert figure.value == pytest.approx(0, abs=0.01)


def test_an_interval_of_two_battles_is_none():
    figure = bias(["model_a", "model_b"], ["model_a"] * 2, ["model_a"] * 2, ["x", "y"], ["y", "x"])
    assert (figure.lower, figure.upper, figure.items) == (None, None, 2)
    assert (lean(["model_a"] * 5, ["model_a"] * 5).lower, lean(["model_a"] * 6, ["model_a"] * 6).lower) == (
        None,
        1.0,
    )


def test_missing_verdicts_and_wrong_words_are_known():
    columns = (["model_a", None], ["model_a", "tie"], ["model_a", None], ["x", "x"], ["y", "y"])
    assert (bias(*columns).items, bias(*columns).left_out) == (1, 1)
    with pytest.raises(NoVerdicts, match="No battle has the property"):
        bias(["tie"], ["tie"], [None], ["x"], ["y"])
    with pytest.raises(BadRow, match="row 0: verdict 'best'"):
        bias(["best"], ["tie"], ["model_a"], ["x"], ["y"])
    with pytest.raises(BadRow, match="row 0: side 'left'"):
        bias(["tie"], ["tie"], ["left"], ["x"], ["y"])


def test_a_fit_that_does_not_converge_is_an_error(monkeypatch):
    monkeypatch.setattr(common_scale, "ROUNDS", 1)
    with pytest.raises(NotConverged, match="did not converge in 1 rounds"):
        measured(judged(1, battles=100))


def test_swapping_the_sides_changes_no_bias():
    mirror = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", None: None}
    judge, side = ["model_a", "tie", "model_b", "model_b"], ["model_a", "model_b", "model_b", "model_a"]
    swapped = lean([mirror[v] for v in judge], [mirror[s] for s in side])
    assert swapped.value == lean(judge, side).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n- b", True),
        ("1. a\n2) b", True),
        ("* a", False),
        ("a - b\nc", False),
        ("  • a\n  • b", True),
        ("", False),
    ],
)
def test_lists_are_known_by_two_items(text, expected):
    assert has_list(text) is expected


def test_own_and_listed_are_on_one_side_or_none():
    assert side_of_own_model(["gpt", "x", "gpt"], ["x", "gpt", "gpt"], ["gpt"]) == ["model_a", "model_b", None]
    assert side_with_list(["- a\n- b", "a"], ["c", "d"]) == ["model_a", None]


def test_wrong_rows_are_named():
    with pytest.raises(BadRow, match="row 1: verdict 'model_c'"):
        lean(["tie", "model_c"], ["model_a", "model_b"])
    with pytest.raises(LengthMismatch):
        lean(["tie"], [])
    with pytest.raises(NoVerdicts):
        lean(["tie"], [None])
