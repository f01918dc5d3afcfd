"""Several draws of one judge, and a criterion in one sentence."""

from __future__ import annotations

import pytest

from judges import Pair, PairwiseJudge, Single, SingleJudge, both_orders, panel
from judges.criterion import with_criterion
from judges.errors import BadOption
from judges.repeats import REPEAT, repeat_variance, repeated
from judges.replies import Reason, Unparsable
from judges.rubric_judge import rubric_judge
from judges.rubric_keys import rubric_of

SINGLE = Single("p", ({"role": "user", "content": "Hello?"},), "m", "Hi!")
PAIR = Pair("p", ({"role": "user", "content": "Hello?"},), "m", "Hi!", "n", "Go away.")


def reply(text):
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


def replies(*letters):
    return [reply(f"So [[{letter}]]") for letter in letters]


def test_one_draw_is_the_judge_itself():
    judge = PairwiseJudge("j")
    assert repeated(judge, 1) is judge


def test_a_score_is_the_mean_of_its_draws():
    judge = repeated(SingleJudge("j", "mt_bench"), 3)
    requests = judge.requests(SINGLE)
    assert [request[REPEAT] for request in requests] == [0, 1, 2]
    assert {request["temperature"] for request in requests} == {1.0}
    score = judge.verdict(SINGLE, [reply(f"Rating: [[{n}]]") for n in (4, 6, 8)])
    assert (score.score, score.draws) == (6, (4, 6, 8))


def test_a_verdict_is_the_mean_of_its_draws_in_both_orders_and_in_a_panel():
    judge = repeated(PairwiseJudge("j"), 2)
    verdict = judge.verdict(PAIR, replies("A", "C"))
    assert (verdict.winner, verdict.preference, verdict.draws) == ("model_a", 0.75, (1.0, 0.5))
    both = both_orders(judge)
    assert len(both.requests(PAIR)) == 4
    again = both.verdict(PAIR, replies("A", "C", "B", "A"))
    assert (again.preference, again.draws) == (0.625, (1.0, 0.25))
    together = panel([judge, repeated(PairwiseJudge("k"), 2)])
    assert together.verdict(PAIR, replies("A", "C", "B", "B")).draws == (0.5, 0.25)


def test_the_criteria_of_a_rubric_are_the_means_of_their_draws():
    rubric = rubric_of({"criteria": [{"name": "fit", "question": "Fit?", "scale": {"from": 0, "to": 10}}]})
    judge = repeated(rubric_judge("j", rubric, pairs=False), 2)
    score = judge.verdict(SINGLE, [reply('{"fit": 4}'), reply('{"fit": 7}')])
    assert [row.value for row in score.criteria] == [5.5]


@pytest.mark.parametrize(
    ("texts", "reason"), [(("So [[A]]", "So"), Reason.NONE), (("So [[A]]", None), Reason.MISSING)]
)
def test_a_case_without_one_of_its_draws_has_no_verdict(texts, reason):
    judge = repeated(PairwiseJudge("j"), 2)
    given = [None if text is None else reply(text) for text in texts]
    assert judge.verdict(PAIR, given) == Unparsable(reason)


def test_the_draw_of_a_request_reads_its_own_reply():
    judge = repeated(PairwiseJudge("j", "mt_bench"), 3)
    two_turns = Pair("p", PAIR.messages * 2, "m", "x", "n", "y", earlier_a=("a",), earlier_b=("b",))
    assert len(judge.requests(two_turns)) == 6
    assert judge.unreadable(two_turns, 5, reply("So [[A]]")) is None
    assert judge.unreadable(two_turns, 5, reply("So")) == Unparsable(Reason.NONE)


def test_a_pair_that_is_decided_without_a_call_is_drawn_once():
    judge = repeated(PairwiseJudge("j"), 3)
    same = Pair("p", PAIR.messages, "m", "x", "n", "x")
    assert judge.requests(same) == []
    assert (judge.verdict(same, []).winner, judge.verdict(same, []).draws) == ("tie", ())


def test_the_variance_of_draws_is_that_within_cases():
    found = repeat_variance([(4, 6), (9, 9), (), (1, 3)])
    assert (found.draws, found.cases) == (2, 3)
    assert found.variance == pytest.approx((2 + 0 + 2) / 3)
    assert found.variance_of_mean == pytest.approx(found.variance / 2)
    assert found.variance_between == pytest.approx(((5 - 16 / 3) ** 2 + (9 - 16 / 3) ** 2 + (2 - 16 / 3) ** 2) / 2)
    assert repeat_variance([(), (4.0,)]) is None
    assert repeat_variance([(4, 6)]).variance_between is None


@pytest.mark.parametrize("samples", [0, 101])
def test_a_number_of_draws_out_of_range_is_refused(samples):
    with pytest.raises(BadOption, match=f"{samples} samples are out of range. Expected 1 to 100."):
        repeated(PairwiseJudge("j"), samples)


@pytest.mark.parametrize("protocol", ["arena", "token", "arena_hard"])
def test_a_criterion_ends_the_system_message_and_is_text_whatever_it_contains(protocol):
    plain = PairwiseJudge("j", protocol)
    judge = with_criterion(plain, " Is {answer_a} safe? ")
    [before], [after] = plain.requests(PAIR), judge.requests(PAIR)
    assert after["messages"][0]["role"] == "system"
    assert after["messages"][0]["content"].endswith("Judge above all by this criterion: Is {answer_a} safe?")
    assert after["messages"][-1] == before["messages"][-1]
    assert judge.verdict(PAIR, replies("A")) == plain.verdict(PAIR, replies("A"))
    assert judge.unreadable(PAIR, 0, reply("")) == Unparsable(Reason.EMPTY)
    assert judge.name == "j"


def test_a_prompt_without_a_system_message_gets_one():
    judge = with_criterion(PairwiseJudge("j", text="{question} {answer_a} {answer_b}"), "Be brief.")
    [request] = judge.requests(PAIR)
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


@pytest.mark.parametrize("criterion", ["  ", "x" * 1001])
def test_an_empty_or_long_criterion_is_refused(criterion):
    with pytest.raises(BadOption, match="Give one sentence of up to 1,000"):
        with_criterion(PairwiseJudge("j"), criterion)
