"""Peer rank: the three-class verdicts and the weights of judges."""

import pytest

from judges.errors import BadOption, BadRow, NoVerdicts
from judges.protocols import prd
from judges.protocols.prd import Comparison, win_rates
from judges.replies import Reason, Unparsable


def rates(comparisons):
    return {model: line.win_rate for model, line in win_rates(comparisons).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Both are fine.\n1", 1),
        ("<think>1</think>reasons\n\n3\n", 3),
        ("1 is better", Unparsable(Reason.NONE)),
        ("reasons\n4", Unparsable(Reason.OUT_OF_RANGE)),
        ("reasons\n-1", Unparsable(Reason.OUT_OF_RANGE)),
        (None, Unparsable(Reason.EMPTY)),
    ],
)
def test_only_a_number_alone_in_the_last_line_is_a_verdict(text, expected):
    assert prd.verdict(text) == expected


def test_swapping_sides_swaps_the_verdict():
    given = [Comparison("a", "b", "1", 1), Comparison("a", "b", "2", 3), Comparison("a", "c", "1", 2)]
    swapped = [Comparison(c.second, c.first, c.question, {1: 2, 2: 1, 3: 3}[c.score]) for c in given]
    assert rates(given) == rates(swapped) == rates(reversed(given))


def test_several_people_on_one_question_are_one_comparison_won_by_those_who_decided():
    votes = [Comparison("a", "b", "1", score) for score in (1, 3, 3)]
    assert rates(votes) == {"a": 1.0, "b": 0.0}
    assert rates([*votes, Comparison("a", "b", "1", 2)]) == {"a": 0.5, "b": 0.5}


def test_a_judge_that_scores_better_weighs_more():
    given = {"x": {"x": 0.8, "y": 0.3, "z": 0.4}, "y": {"x": 0.6, "y": 0.7, "z": 0.2}}
    ranked = prd.peer_rank(given)
    assert ranked.weights["x"] > 0.5 > ranked.weights["y"]
    assert sum(ranked.weights.values()) == pytest.approx(1)
    for model in "xyz":
        mean = sum(ranked.weights[judge] * given[judge][model] for judge in given)
        assert ranked.scores[model] == pytest.approx(mean)


def test_models_that_all_score_the_same_give_judges_the_same_weight():
    assert prd.peer_rank({"x": {"x": 0.5, "y": 0.5}, "y": {"x": 0.5, "y": 0.5}}).weights == {"x": 0.5, "y": 0.5}


def test_a_single_judge_that_comes_last_keeps_the_whole_weight():
    assert prd.peer_rank({"x": {"x": 0.1, "y": 0.9}}).weights == {"x": 1.0}


def test_peer_rank_needs_judges_among_the_models_and_the_same_models():
    with pytest.raises(BadOption, match=r"No judge is one of the models\..*the judges are: human"):
        prd.peer_rank({"human": {"x": 0.5, "y": 0.5}})
    with pytest.raises(BadOption, match="the same two or more models"):
        prd.peer_rank({"x": {"x": 0.5, "y": 0.5}, "y": {"y": 0.5, "z": 0.5}})


def test_judges_that_prefer_each_other_in_turns_are_an_error():
    with pytest.raises(BadOption, match="in turns"):
        prd.peer_rank({"x": {"x": 0.0, "y": 1.0}, "y": {"x": 0.9, "y": 0.0}})


@pytest.mark.parametrize("value", [0, 4, "x", None, 1.5])
def test_an_unknown_score_names_its_row(value):
    with pytest.raises(BadRow, match="row 7: score"):
        prd.stored_score(value, 7)


def test_stored_scores_are_numbers_or_text():
    assert [prd.stored_score(value, 0) for value in ("1", 2, "-1")] == [1, 2, -1]


def test_no_comparisons_are_no_board():
    with pytest.raises(NoVerdicts):
        win_rates([])


def test_judges_that_do_not_rate_themselves_are_weighted_by_the_others():
    rates = {"a": {"b": 0.6, "c": 0.2}, "b": {"a": 0.9, "c": 0.3}, "c": {"a": 0.7, "b": 0.4}}
    ranking = prd.peer_rank(rates)
    assert list(ranking.scores) == ["a", "b", "c"]
    assert ranking.weights["a"] > ranking.weights["b"] > ranking.weights["c"] == 0
    assert ranking.scores["a"] == pytest.approx(0.9)  # by b alone: the worst model's verdict weighs nothing
    assert sum(ranking.weights.values()) == pytest.approx(1)


def test_half_steps_settle_where_whole_ones_would_swing():
    rates = {
        "a": {"a": 0.5, "b": 0.7, "c": 0.3},
        "b": {"a": 0.8, "b": 0.5, "c": 0.2},
        "c": {"a": 0.6, "b": 0.6, "c": 0.3},
    }
    ranking = prd.peer_rank(rates)
    for model, score in ranking.scores.items():
        assert score == pytest.approx(sum(ranking.weights[judge] * rates[judge][model] for judge in rates))
