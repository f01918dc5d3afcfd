"""Panels: mean, median and majority, a quorum, and what each judge said."""

from __future__ import annotations

import pytest

from judges import Pair, PairwiseJudge, Single, SingleJudge, both_orders, panel, single_panel
from judges.errors import BadOption
from judges.replies import Reason, Unparsable
from judges.rubric_judge import rubric_judge
from judges.rubric_keys import rubric_of

MESSAGES = ({"role": "user", "content": "Hello?"},)
SINGLE, PAIR = Single("p", MESSAGES, "m", "Hi!"), Pair("p", MESSAGES, "m", "Hi!", "n", "Go away.")
NAMES = ("x", "y", "z")


def reply(text):
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


def scores(*given, **options):
    judge = single_panel([SingleJudge(name, "mt_bench") for name in NAMES], **options)
    return judge.verdict(SINGLE, [reply(f"[[{score}]]") for score in given])


def pairs(*fits, **options):
    rubric = rubric_of({"criteria": [{"name": "fit", "question": "Fit?", "scale": {"from": 0, "to": 10}}]})
    judge = panel([rubric_judge(name, rubric, pairs=True) for name in NAMES], **options)
    return judge.verdict(PAIR, [reply(f'{{"fit_a": {a}, "fit_b": {b}}}') for a, b in fits])


def test_the_median_is_not_moved_by_one_judge():
    assert scores(2, 8, 9, way="median").score == 8
    assert scores(2, 8, 9).score == pytest.approx(19 / 3)


def test_a_majority_decides_however_sure_the_others_are():
    given = ((5, 4), (5, 4), (0, 10))
    mean, median, majority = (pairs(*given, way=way) for way in ("mean", "median", "majority"))
    assert (mean.winner, median.winner, majority.winner) == ("model_b", "model_a", "model_a")
    assert majority.preference == pytest.approx(2 / 3)
    assert [row.value for row in majority.criteria] == pytest.approx([2 / 3])
    assert [row.value for row in median.criteria] == pytest.approx([0.55])
    assert pairs((5, 4), (4, 5), (5, 5), way="majority").winner == "tie"


def test_each_judge_has_its_own_value_and_swapping_sides_turns_it():
    verdict = pairs((5, 4), (5, 5), (0, 10))
    assert [(row.name, row.value) for row in verdict.judges] == [("x", 0.55), ("y", 0.5), ("z", 0.0)]
    assert [row.value for row in verdict.mirrored().judges] == pytest.approx([0.45, 0.5, 1.0])
    assert tuple(scores(2, 8, 9).judges[0]) == ("x", 2, 1, 10)


@pytest.mark.parametrize(("texts", "score"), [(("4", "8", "no"), 6), (("4", "no", "no"), None)])
def test_a_quorum_of_scores_is_enough(texts, score):
    found = scores(*texts, quorum=2)
    assert found == Unparsable(Reason.NONE) if score is None else found.score == score
    assert scores(4, 8, "no") == Unparsable(Reason.NONE)


def test_a_judge_without_a_verdict_in_one_order_has_no_value_of_its_own():
    judge = both_orders(panel([PairwiseJudge(name) for name in NAMES], quorum=2))
    texts = ["[[A]]", "[[A]]", "none", "[[B]]", "[[A]]", "[[B]]"]
    verdict = judge.verdict(PAIR, [reply(text) for text in texts])
    assert [(row.name, row.value) for row in verdict.judges] == [("x", 1.0), ("y", 0.5)]
    assert verdict.preference == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (single_panel, {"way": "majority"}, "has no 'majority'. Use one of: mean, median."),
        (single_panel, {"quorum": 4}, "Quorum 4 of 3 judges is out of range"),
        (panel, {"way": "x"}, "has no 'x'. Use one of: mean, median, majority."),
    ],
)
def test_a_panel_that_makes_no_sense_is_refused(kind, options, message):
    judges = [(SingleJudge if kind is single_panel else PairwiseJudge)(name) for name in NAMES]
    with pytest.raises(BadOption) as raised:
        kind(judges, **options)
    assert message in str(raised.value)
