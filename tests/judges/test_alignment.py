"""Rewritten instructions of a judge: the request, strict reading of the reply, and the exact test of the gain."""

from __future__ import annotations

import itertools

import pytest
from scipy.stats import binom

from judges.alignment import (
    Disagreement,
    agreement,
    agreement_gain,
    instructions_of,
    rewrite_request,
    rewritten,
    with_instructions,
)
from judges.errors import BadRow, BadTemplate, NoVerdicts
from judges.judge import Pair
from judges.replies import Reason, Unparsable
from judges.template import own

MESSAGES = ({"role": "user", "content": "Why is the sky blue?"},)


def disagreement(number, text="Because {question} of scattering."):
    pair = Pair(f"p{number}", MESSAGES, "x", text, "y", f"No idea {number}.")
    return Disagreement(pair, "model_a", "tie", "Both are short.")


def reply(text, finish="stop"):
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]}


def test_only_the_system_message_of_a_template_is_rewritten():
    for name in ("arena", "mt_bench_pair", "arena_hard", "prometheus_pair", "wildbench_pair"):
        instructions, rest = instructions_of(own(name))
        assert "{answer_a}" in rest
        assert "{answer_a}" not in instructions
        assert instructions_of(with_instructions("Prefer short ones.", rest)) == ("Prefer short ones.", rest)
    assert instructions_of("{question} {answer_a} {answer_b}") == ("", "{question} {answer_a} {answer_b}")
    with pytest.raises(BadTemplate, match="ChatML"):
        instructions_of("<|im_start|>user\n{question}<|im_end|>")


def test_the_request_has_the_instructions_and_twenty_examples_with_their_texts_unchanged():
    body = rewrite_request("w", "Be fair.", [disagreement(n) for n in range(25)], thinking_budget=100)
    text = body["messages"][1]["content"]
    assert "<present_instructions>\nBe fair.\n</present_instructions>" in text
    assert (
        text.count("People: answer A. Judge: equally good.")
        == text.count("Because {question} of scattering.")
        == 20
    )
    assert body["max_tokens"] == 2048 + 100
    long = rewrite_request("w", "", [disagreement(n, "word " * 5000) for n in range(10)])
    assert len(long["messages"][1]["content"].split()) < 10 * 400
    with pytest.raises(NoVerdicts, match="9 disagreements; instructions are rewritten from at least 10"):
        rewrite_request("w", "", [disagreement(n) for n in range(9)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short ones.\n<instructions>\nBrief: [[A]] or [[B]].\n</instructions>", "Brief: [[A]] or [[B]]."),
        ("<think><instructions>no</instructions></think><instructions>[[A]] [[B]] x</instructions>", "[[A]] [[B]] x"),
        ("Prefer short ones.", Reason.NONE),
        ("<instructions>[[A]] [[B]]</instructions><instructions>[[A]] [[B]]</instructions>", Reason.SEVERAL),
        ("<instructions>Prefer short. [[A]]</instructions>", Reason.OUT_OF_RANGE),
        ("<instructions>[[A]] [[B]] {answer}</instructions>", Reason.OUT_OF_RANGE),
        ("<instructions>[[A]]\n=====\n[[B]]</instructions>", Reason.OUT_OF_RANGE),
        ("<instructions>[[A]] [[B]] " + "x" * 8000 + "</instructions>", Reason.OUT_OF_RANGE),
        ("<instructions> </instructions>", Reason.OUT_OF_RANGE),
    ],
)  # fmt: skip
def test_the_reply_is_read_strictly(text, expected):
    found = rewritten(reply(text), "End with [[A]] or [[B]].")
    assert found == (Unparsable(expected) if isinstance(expected, Reason) else expected)


def test_a_cut_reply_is_none():
    assert rewritten(reply("<instructions>x</instructions>", "length"), "") == Unparsable(Reason.TRUNCATED)


def test_one_battle_a_prompt_is_mcnemars_test():
    before = [0.0] * 9 + [1.0] * 3 + [1.0] * 20
    after = [1.0] * 9 + [0.0] * 3 + [1.0] * 20
    found = agreement_gain(before, after, range(32))
    assert found.p_value == pytest.approx(binom.sf(8, 12, 0.5))
    assert (found.better, found.worse, found.battles, found.prompts) == (9, 3, 32, 32)
    assert found.gain == pytest.approx(6 / 32)
    assert found.lower < found.gain < found.upper
    assert found.before.value == 23 / 32
    assert found.before.lower < 23 / 32 < found.before.upper


def test_battles_of_one_prompt_change_sides_together():
    cluster = [n // 4 for n in range(40)]
    change = [0.5, 1.0, 0.0, 0.0] * 3 + [0.5, 0.0, 0.0, 0.0] * 2 + [0.0] * 20
    before = [1 - value for value in change]
    found = agreement_gain(before, [1.0] * 40, cluster)
    sums = [1.5, 1.5, 1.5, 0.5, 0.5]
    signs = list(itertools.product((-1, 1), repeat=5))
    exact = sum(sum(s * v for s, v in zip(sign, sums, strict=True)) >= sum(sums) for sign in signs) / len(signs)
    assert found.p_value == pytest.approx(exact)
    against = agreement_gain([1.0] * 40, before, cluster)
    assert against.p_value == 1
    assert agreement_gain(before, before, cluster).p_value == 1


def test_agreement_counts_a_tie_of_the_judge_half():
    assert [agreement(winner, "model_b") for winner in ("model_b", "tie", "model_a")] == [1, 0.5, 0]


def test_rows_that_are_no_agreement_and_few_prompts_are_refused():
    with pytest.raises(NoVerdicts, match="9 prompts are held out"):
        agreement_gain([1.0] * 9, [1.0] * 9, range(9))
    with pytest.raises(BadRow, match=r"row 3: after is 0\.7"):
        agreement_gain([1.0] * 12, [1.0, 0.0, 0.5, 0.7] * 3, range(12))
