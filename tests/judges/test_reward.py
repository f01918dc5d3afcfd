"""A reward model as a judge."""

from __future__ import annotations

import math

import pytest

from judges import Pair, Unparsable, both_orders
from judges.reward import RewardJudge

ASK = ({"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi?"})
PAIR = Pair("p", ASK, "one", "Hello.", "two", "Go away.")


def scored(*scores):
    return [{"score": score} for score in scores]


def test_each_completion_ends_a_conversation_of_its_own():
    a, b = RewardJudge("r").requests(PAIR)
    assert a["messages"] == [*ASK, {"role": "assistant", "content": "Hello."}]
    assert b["messages"][-1] == {"role": "assistant", "content": "Go away."}


def test_the_difference_of_rewards_is_the_logit():
    verdict = RewardJudge("r").verdict(PAIR, scored(1.5, 0.5))
    assert verdict.winner == "model_a"
    assert math.log(verdict.preference / (1 - verdict.preference)) == pytest.approx(1.0)
    assert RewardJudge("r").verdict(PAIR, scored(-9000, 9000)).preference == pytest.approx(0)
    assert RewardJudge("r").verdict(PAIR, scored(2, 2)).winner == "tie"


def test_the_order_cannot_matter():
    judge = RewardJudge("r")
    forward, backward = judge.verdict(PAIR, scored(1, 3)), judge.verdict(PAIR.swapped(), scored(3, 1)).mirrored()
    assert (forward.winner, forward.preference) == (backward.winner, pytest.approx(backward.preference))
    assert both_orders(judge).verdict(PAIR, scored(1, 3, 3, 1)).preference == pytest.approx(forward.preference)


def test_turns_before_are_the_model_s_own():
    users = ({"role": "user", "content": "First?"}, {"role": "user", "content": "Second?"})
    pair = Pair("p", users, "one", "A2", "two", "B2", earlier_a=("A1",), earlier_b=("B1",))
    _, b = RewardJudge("r").requests(pair)
    assert [message["content"] for message in b["messages"]] == ["First?", "B1", "Second?", "B2"]


def test_the_same_words_are_a_tie_without_a_call():
    same = Pair("p", ASK, "one", "Hello.", "two", " Hello.")
    assert RewardJudge("r").requests(same) == []
    assert RewardJudge("r").verdict(same, []).winner == "tie"


def test_two_empty_completions_are_a_tie_whatever_came_before():
    users = ({"role": "user", "content": "First?"}, {"role": "user", "content": "Second?"})
    pair = Pair("p", users, "one", "", "two", " ", earlier_a=("A1",), earlier_b=("B1",))
    assert RewardJudge("r").requests(pair) == []
    assert RewardJudge("r").verdict(pair, []).reason == "Both completions are empty."


@pytest.mark.parametrize("reply", [{"score": float("nan")}, {"score": "5"}, {}, {"score": True}, None])
def test_no_number_is_no_verdict(reply):
    judge = RewardJudge("r")
    assert isinstance(judge.verdict(PAIR, [{"score": 1.0}, reply]), Unparsable)
    if reply is not None:
        assert isinstance(judge.unreadable(PAIR, 1, reply), Unparsable)
