"""What a judge leans towards."""

from __future__ import annotations

import pytest

from judges.biases import bias, has_list, lean, longer_side, side_of_own_model, side_with_list
from judges.errors import BadRow, LengthMismatch, NoVerdicts


def test_a_judge_that_always_takes_the_longer_leans_wholly():
    side = longer_side(["x" * 100, "x", "xx"], ["x", "x" * 100, "x"])
    assert side == ["model_a", "model_b", None]
    result = lean(["model_a", "model_b", "model_a"], side)
    assert (result.value, result.items, result.left_out) == (1.0, 2, 1)


def test_a_tie_is_half_a_win():
    assert lean(["tie", "model_b"], ["model_a", "model_a"]).value == 0.25


def test_bias_is_the_lean_beyond_that_of_people():
    side = ["model_a"] * 4
    judge = ["model_a", "model_a", "model_a", None]
    people = ["model_a", "model_b", "tie", "model_b"]
    result = bias(judge, people, side)
    assert result.value == pytest.approx(1 - 0.5)
    assert result.items == 3
    assert bias(people, people, side).value == 0


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
