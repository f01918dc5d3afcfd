"""Odd replies are read rightly or not at all, whatever their shape."""

from __future__ import annotations

import json
import math
import random

import pytest

from judges import Pair, PairwiseJudge, Reason, Single, SingleJudge, Unparsable, both_orders
from judges.json_replies import value_of
from judges.pairwise import PROTOCOLS
from judges.replies import reply_text
from judges.tokens import preference
from reproduce.verdicts.reader import odd_replies, outcome
from tests.support.odd_replies import WHOLE, mutated, random_value

PAIR = Pair("p1", ({"role": "user", "content": "Name a prime."},), "left", "It is 7.", "right", "It is 8.")
SINGLE = Single("p1", ({"role": "user", "content": "Name a prime."},), "left", "It is 7.")


@pytest.mark.parametrize("row", odd_replies(), ids=lambda row: f"{row.protocol} {row.reply[:40]!r}")
def test_an_odd_reply_is_never_read_wrongly(row):
    assert outcome(row) in ("right", "unread")


def test_hardly_a_reply_that_a_person_can_read_is_unread():
    rows = odd_replies()
    assert sum(outcome(row) == "unread" for row in rows) <= 0.01 * sum(row.verdict is not None for row in rows)
    assert len(rows) >= 450
    assert sum(row.is_chinese for row in rows) >= 50
    assert sum(row.verdict is None for row in rows) >= 190


def body(content, logprobs=None, finish="stop", **message):
    return {
        "choices": [{"message": {"content": content, **message}, "finish_reason": finish, "logprobs": logprobs}]
    }


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "[[B]]"}]}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "ok "}, {"type": "text", "text": "[[A]]"}], "ok [[A]]"),
        ([THOUGHT, {"type": "text", "text": "[[A]]"}], "[[A]]"),
        ([{"type": "reasoning", "text": "[[B]]"}, {"type": "output_text", "text": "[[A]]"}], "[[A]]"),
        (["[[A]]"], "[[A]]"),
        ({"type": "text", "text": "[[A]]"}, "[[A]]"),
        ([THOUGHT], Unparsable(Reason.EMPTY)),
        ([{"type": "refusal", "refusal": "no"}], Unparsable(Reason.REFUSED)),
        ([None, 5, []], Unparsable(Reason.EMPTY)),
        (5, Unparsable(Reason.EMPTY)),
    ],
)
def test_the_text_of_parts_is_read_without_their_thinking(content, text):
    assert reply_text(body(content)) == text


@pytest.mark.parametrize("finish", ["length", "MAX_TOKENS", "max_output_tokens", "model_length"])
def test_every_spelling_of_a_token_limit_is_a_cut(finish):
    assert reply_text(body("[[A]]", finish=finish)) == Unparsable(Reason.TRUNCATED)


@pytest.mark.parametrize(
    "reply", [{}, {"choices": None}, {"choices": []}, {"choices": [None]}, {"choices": [{"message": "x"}]}]
)
def test_a_reply_without_a_message_is_empty(reply):
    assert reply_text(reply) == Unparsable(Reason.EMPTY)
    assert preference(reply) == Unparsable(Reason.EMPTY)


def token(text, logprob, top=None):
    return {"token": text, "logprob": logprob, **({} if top is None else {"top_logprobs": top})}


def top(**logprobs):
    return [token(name, value) for name, value in logprobs.items()]


@pytest.mark.parametrize(
    ("content", "tokens", "expected"),
    [
        ("B", [token("B", None, top(A=-0.1, B=-3))], 0.0),
        ("B", [token("B", -0.1, [*top(B=-0.1), token("A", None)])], 0.0),
        ("B", [token("B", "-0.1", top(B=-0.1))], 0.0),
        ("B", [token("B", -0.1, "odd")], 0.0),
        ("B", [token("B", -0.1)], 0.0),
        ("B", [token("B", math.log(0.75), top(A=math.log(0.25)))], 0.25),
        ("\nB", [token("\n", -0.1, top(A=-3)), token("B", math.log(0.75), top(A=math.log(0.25), B=math.log(0.75)))], 0.25),
        ("B", [token("A", -0.1, top(A=-0.1)), token(" quick look", -0.1), token("B", -0.1, top(B=-0.1))], 0.0),
        ("The answer is B", [token("The", -0.1, top(The=-0.1, A=-3)), token(" answer is B", -0.1)], 0.0),
        (None, [token("B", -0.1, top(B=-0.1))], 0.0),
        ("The", [token("The", -0.1, top(The=-0.1, A=math.log(0.03), B=math.log(0.01)))], 0.75),
        ("Both are fine", [token("Both", -0.1, top(A=-3)), token(" are fine", -1)], None),
    ],
)  # fmt: skip
def test_odd_log_probabilities_never_contradict_the_letter(content, tokens, expected):
    read = preference(body(content, {"content": tokens}, "length"))
    assert read == (Unparsable(Reason.NONE) if expected is None else pytest.approx(expected))


def test_no_shape_of_a_reply_is_an_error_of_a_judge():
    draw = random.Random(17)
    judges = [(PairwiseJudge("j", protocol), PAIR) for protocol in PROTOCOLS]
    singles = [(SingleJudge("j", protocol), SINGLE) for protocol in ("wildbench", "mt_bench")]
    for _ in range(300):
        try:
            reply = json.loads(mutated(WHOLE, draw))
        except ValueError:
            reply = random_value(draw)
        reply = reply if isinstance(reply, dict) else {"choices": reply}
        for judge, item in (*judges, *singles):
            assert judge.unreadable(item, 0, reply) in (None, *map(Unparsable, Reason))
            judge.verdict(item, [reply])


def test_a_repaired_object_counts_only_if_the_text_has_one_value():
    assert value_of('{"why": "it is "good", yes", "score": 8}', "score") == 8
    assert value_of('{"why": "it says "score": 9, no", "score": 8}', "score") == Unparsable(Reason.SEVERAL)
    assert value_of('{"why": "' + "{" * 500 + '" x", "score": 8}', "score") == Unparsable(Reason.NONE)


def test_a_judge_with_null_log_probabilities_gives_verdicts_in_both_orders():
    judge = both_orders(PairwiseJudge("j", "alpaca_eval"))
    replies = [body(letter, {"content": [token(letter, None)]}, "length") for letter in ("m", "M")]
    assert judge.verdict(PAIR, replies).winner == "model_a"
