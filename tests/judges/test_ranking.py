"""A judge of several completions at once: orders shown, strict reading, groups, and the effect of the order."""

from __future__ import annotations

from collections import Counter

import pytest

from judges.errors import BadOption
from judges.ranking import Group, Ranked, RankingJudge, groups_of, order_effect, places_of, ranking
from judges.replies import Reason, Unparsable


def group(models="wxyz", prompt="p1"):
    messages = ({"role": "user", "content": "Why {answers}?"},)
    return Group(prompt, messages, tuple(models), tuple(f"The answer of {model}." for model in models))


def reply(text):
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def test_rotations_show_each_completion_in_different_places_and_read_back_to_its_model():
    judge = RankingJudge("j", rotations=4)
    requests = judge.requests(group())
    texts = [request["messages"][1]["content"] for request in requests]
    firsts = [text.split("<answer_A>\nThe answer of ")[1][0] for text in texts]
    assert firsts == list("wxyz")
    assert all("Why {answers}?" in text and "all 4 answers" in text for text in texts)
    found = judge.verdict(group(), [reply("[[A > B > C > D]]")] * 4)
    assert found.rankings[1] == (("x",), ("y",), ("z",), ("w",))
    assert found.shown[1] == tuple("xyzw")
    assert [len(RankingJudge("j", rotations).requests(group("ab"))) for rotations in (1, 2, 9)] == [1, 2, 2]
    halves = RankingJudge("j", 2).verdict(group(), [reply("[[A>B>C>D]]")] * 2).shown
    assert halves == (tuple("wxyz"), tuple("yzwx"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A is right. [[B > A = C]]", (("y",), ("x", "z"))),
        ("【【b＞a＝c】】", (("y",), ("x", "z"))),
        ("[[ **C>B>A** ]]", (("z",), ("y",), ("x",))),
        ("<think>[[A>B>C]]</think>[[C > B > A]]", (("z",), ("y",), ("x",))),
        ("[[A > B > C]] and so [[A>B>C]]", (("x",), ("y",), ("z",))),
        ("[[A > B > C]] or [[B > A > C]]", Reason.SEVERAL),
        ("[[A > B]]", Reason.OUT_OF_RANGE),
        ("[[A > B > B]]", Reason.OUT_OF_RANGE),
        ("[[A > B > C > D]]", Reason.OUT_OF_RANGE),
        ("B is best, then A and C.", Reason.NONE),
        ("not [[A > B > C]]", Reason.NONE),
        ("", Reason.EMPTY),
    ],
)
def test_a_ranking_is_read_strictly(text, expected):
    found = ranking(reply(text), ("x", "y", "z"))
    assert found == (Unparsable(expected) if isinstance(expected, Reason) else expected)


def test_one_unreadable_rotation_leaves_the_group_unread():
    judge = RankingJudge("j")
    good, bad = reply("[[A > B > C > D]]"), reply("[[A > B]]")
    assert judge.verdict(group(), [good, bad]) == Unparsable(Reason.OUT_OF_RANGE)
    assert judge.verdict(group(), [None, good]) == Unparsable(Reason.MISSING)
    assert judge.unreadable(group(), 1, bad) == Unparsable(Reason.OUT_OF_RANGE)
    assert judge.unreadable(group(), 1, good) is None


@pytest.mark.parametrize(
    ("models", "most", "sizes"), [(2, 4, [2]), (7, 3, [2, 2, 3]), (9, 4, [3, 3, 3]), (10, 10, [10])]
)
def test_groups_have_every_completion_once_and_nearly_equal_sizes(models, most, sizes):
    whole = group("abcdefghij"[:models])
    parts = list(groups_of(whole, most))
    assert sorted(len(part.models) for part in parts) == sizes
    assert sorted(model for part in parts for model in part.models) == sorted(whole.models)
    for part in parts:
        assert all(
            text == f"The answer of {model}." for model, text in zip(part.models, part.completions, strict=True)
        )


def test_over_prompts_every_two_models_meet_and_stand_first_about_as_often():
    met, first = Counter(), Counter()
    for number in range(300):
        for part in groups_of(group("abcdef", f"p{number}"), 3):
            met.update(frozenset((a, b)) for a in part.models for b in part.models if a < b)
            first[part.models[0]] += 1
    assert len(met) == 15
    assert min(met.values()) > 70  # 120 each on average
    assert min(first.values()) > 60  # 100 each on average


def test_one_completion_is_no_group_and_bad_options_are_named():
    assert not list(groups_of(group("a"), 4))
    for most in (2, 11):
        with pytest.raises(BadOption, match=f"Groups of {most} completions"):
            list(groups_of(group(), most))
    with pytest.raises(BadOption, match="0 rotations"):
        RankingJudge("j", 0)


def test_the_order_alone_shows_in_its_effect():
    shown = (tuple("wxyz"), tuple("yzwx"))
    by_place = Ranked(tuple(tuple((model,) for model in order) for order in shown), shown, "")
    fair = Ranked(((("w",), ("x",), ("y", "z")),) * 2, shown, "")
    effect = order_effect([by_place] * 3)
    assert (effect.requests, effect.first, effect.chance) == (6, 6, 1.5)
    assert (effect.pairs, effect.alike) == (18, 6)
    steady = order_effect([fair])
    assert (steady.pairs, steady.alike, steady.first) == (6, 6, 1)


def test_equals_share_the_mean_of_their_places():
    assert places_of([(("y",), ("x", "z")), (("x", "y", "z"),)]) == {"y": [1, 2], "x": [2.5, 2], "z": [2.5, 2]}
