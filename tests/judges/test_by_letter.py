"""A verdict says whether it comes from log-probabilities or from the written letter."""

from __future__ import annotations

from typing import Any

import pytest

from judges import Pair, PairwiseJudge, Unparsable, Verdict, both_orders, panel

PAIR = Pair("p", ({"role": "user", "content": "Hi?"},), "m", "one", "n", "two")


def reply(letter: str, top: Any = ...) -> dict[str, Any]:
    choice: dict[str, Any] = {"message": {"content": letter}, "finish_reason": "stop"}
    if top is not ...:
        choice["logprobs"] = {"content": [{"token": letter, "logprob": -0.1, "top_logprobs": top}]}
    return {"choices": [choice]}


def read(judge: Any, *replies: dict[str, Any]) -> Verdict:
    verdict = judge.verdict(PAIR, replies)
    assert not isinstance(verdict, Unparsable)
    return verdict


@pytest.mark.parametrize(("protocol", "first", "second"), [("token", "A", "B"), ("alpaca_eval", "m", "M")])
def test_a_letter_decides_where_log_probabilities_are_missing(protocol, first, second):
    judge = PairwiseJudge("j", protocol)
    top = [{"token": first, "logprob": -0.1}, {"token": second, "logprob": -2.4}]
    assert read(judge, reply(first, top)).by_letter == 0
    for missing in (reply(first), reply(first, None), reply(first, [])):
        verdict = read(judge, missing)
        assert (verdict.winner, verdict.preference, verdict.by_letter) == ("model_a", 1.0, 1)


def test_both_orders_and_panels_count_the_letters_of_all_replies():
    judge = PairwiseJudge("j", "token")
    assert read(both_orders(judge), reply("A"), reply("B")).by_letter == 2
    both = panel([judge, PairwiseJudge("k", "token")])
    assert read(both, reply("A"), reply("A", [{"token": "A", "logprob": -0.1}])).by_letter == 1


def test_a_protocol_of_text_has_no_letters():
    text = {"choices": [{"message": {"content": "It is [[A]]"}, "finish_reason": "stop"}]}
    assert read(PairwiseJudge("j", "arena"), text).by_letter == 0
