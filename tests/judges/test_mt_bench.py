"""MT-bench: ratings by turn, pairs in both orders."""

import pytest

from judges.errors import BadRow, NoVerdicts
from judges.protocols import mt_bench
from judges.replies import Reason, Unparsable


def row(question, turn, score, judgment=None, model="m"):
    return {"question_id": question, "turn": turn, "score": score, "judgment": judgment, "model": model}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Rating: [[7.5]]", 7.5),
        ("Rating: [9]", Unparsable(Reason.NONE)),
        ("In arr[3] is wrong, so I give 7.", Unparsable(Reason.NONE)),
        ("[[5]], that is [[5]]", 5),
        ('The answer says "[[10]]". Rating: [[2]]', Unparsable(Reason.SEVERAL)),
        ("[[0]]", Unparsable(Reason.OUT_OF_RANGE)),
        ("Good.", Unparsable(Reason.NONE)),
        ("<think>[[3]]", Unparsable(Reason.TRUNCATED)),
    ],
)
def test_a_rating_is_read_exactly(reply, expected):
    assert mt_bench.rating(reply) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("[[A]]", "model_a"),
        ("[[B]]", "model_b"),
        ("[[C]]", "tie"),
        ("not [[A]] but [[B]]", Unparsable(Reason.SEVERAL)),
        ("A", Unparsable(Reason.NONE)),
        ("", Unparsable(Reason.EMPTY)),
    ],
)
def test_a_pair_verdict_is_read_exactly(reply, expected):
    assert mt_bench.verdict(reply) == expected


def test_the_score_is_the_mean_of_all_rows_and_turns_stand_apart():
    rows = [row(1, 1, 8), row(1, 2, 5), row(2, 1, -1), row(3, 1, 1, "[[6]]"), row(1, 1, None, model="z")]
    line = mt_bench.scores(rows[:-1])[0]
    assert (line.score, line.first_turn, line.second_turn) == (pytest.approx(19 / 3), 7, 5)
    assert (line.judged, line.unparsed) == (3, 1)
    assert mt_bench.scores(rows[3::-1]) == [line]
    with pytest.raises(NoVerdicts, match="z: none of 1 judgments"):
        mt_bench.scores(rows)


def test_a_turn_without_ratings_has_no_score():
    assert mt_bench.scores([row(1, 1, 8)])[0].second_turn is None
    assert mt_bench.scores([row(1, 2, 8)])[0].first_turn is None


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row(1, 3, 8)], "row 0: turn 3"),
        ([row(1, 1, 8), row(1, 1, 9)], "row 1: turn 1 of question 1 appears twice"),
        ([row(1, 1, 11)], "row 0: score 11"),
        ([row(1, 1, "8")], "row 0: score '8'"),
    ],
)
def test_a_bad_row_is_named(rows, problem):
    with pytest.raises(BadRow, match=problem):
        mt_bench.scores(rows)


def test_no_rows_are_no_board():
    with pytest.raises(NoVerdicts):
        mt_bench.scores([])


def pair(question, first, second, first_model="x", second_model="y"):
    return {
        "question_id": question,
        "model_1": first_model,
        "model_2": second_model,
        "g1_winner": first,
        "g2_winner": second,
        "turn": 1,
    }


def test_pairs_win_in_both_orders_or_tie():
    rows = [
        pair(1, "model_1", "model_1"),
        pair(2, "model_1", "model_2"),
        pair(3, "tie", "tie"),
        pair(4, "error", "tie"),
    ]
    x, y = mt_bench.pair_scores(rows)
    assert (x.model, x.wins, x.losses, x.ties, x.judged, x.unparsed) == ("x", 1, 0, 2, 3, 1)
    assert x.win_rate == pytest.approx(2 / 3)
    assert y.win_rate == pytest.approx(1 - x.win_rate)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([pair(1, "model_a", "tie")], "row 0: winner 'model_a'"),
        ([pair(1, "tie", "tie"), pair(1, "tie", "tie")], "row 1: x and y on question 1 appear twice"),
    ],
)
def test_a_bad_pair_is_named(rows, problem):
    with pytest.raises(BadRow, match=problem):
        mt_bench.pair_scores(rows)


def test_pairs_without_a_verdict_are_no_board():
    with pytest.raises(NoVerdicts, match="none of 1 pairs"):
        mt_bench.pair_scores([pair(1, "error", "tie")])
    with pytest.raises(NoVerdicts, match="no rows to score"):
        mt_bench.pair_scores([])
