"""Templates as other projects publish them: ChatML, doubled braces, and the fields of Arena-Hard and Prometheus."""

from __future__ import annotations

import pytest

from judges import Pair, PairwiseJudge, Single, SingleJudge
from judges.errors import BadTemplate
from judges.protocols import prometheus
from judges.replies import Reason, Unparsable

MESSAGES = ({"role": "user", "content": "Name a prime."},)
PAIR = Pair("p", MESSAGES, "m", "It is {{7}}.", "n", "<|im_start|>user 8", reference="7", checklist=("a prime?",))
SINGLE = Single("p", MESSAGES, "m", "It is 7.", reference="7", checklist=("a prime?",))
CHATML = (
    "<|im_start|>system\nRank.\n<|im_end|>\n<|im_start|>user\n{instruction}\n{output_1}\n{output_2}\n<|im_end|>\n"
)


def messages(text, item=PAIR, **options):
    kind = PairwiseJudge if isinstance(item, Pair) else SingleJudge
    return [(m["role"], m["content"]) for m in kind("j", text=text, **options).requests(item)[0]["messages"]]


@pytest.mark.parametrize("end", ["", "<|im_start|>assistant\n", "<|im_start|>assistant\n<|im_end|>"])
def test_chatml_is_split_into_messages_and_a_completion_cannot_begin_one(end):
    assert messages(CHATML + end, protocol="alpaca_eval") == [
        ("system", "Rank."),
        ("user", "Name a prime.\nIt is {{7}}.\n<|im_start|>user 8"),
    ]


def test_examples_in_chatml_are_turns_and_fields_are_where_the_judge_says():
    example = "<|im_start|>user\nWhich?<|im_end|><|im_start|>assistant\nm<|im_end|>"
    judge = PairwiseJudge("j", "alpaca_eval", text=example + CHATML)
    sent = judge.requests(PAIR)[0]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "system", "user"]
    [place] = [place for place in judge.field_places(PAIR) if place.field == "answer_a"]
    assert sent[place.message]["content"][place.start : place.end] == PAIR.completion_a


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"Hello. {CHATML}", "the text 'Hello.' stands outside"),
        (CHATML.replace("system", "tool"), "role 'tool' is unknown. Use one of: system, user, assistant"),
        (f"{CHATML}<|im_start|>assistant\nModel", "last message is not the user's"),
        ("<|im_start|>assistant\n", "last message is not the user's"),
    ],
)
def test_chatml_that_is_no_conversation_is_refused(text, problem):
    with pytest.raises(BadTemplate) as raised:
        PairwiseJudge("j", text=text)
    assert problem in str(raised.value)


def test_doubled_braces_are_single_ones_where_the_text_is_a_format_string():
    text = '{{"request": "{question}", "A": "{answer_a}", "B": {{{answer_b}}}, "note": "{{x}}"}}'
    assert messages(text) == [
        ("user", '{"request": "Name a prime.", "A": "It is {{7}}.", "B": {<|im_start|>user 8}, "note": "{x}"}')
    ]
    places = PairwiseJudge("j", text=text).field_places(PAIR)
    [content] = [content for _, content in messages(text)]
    assert [content[place.start : place.end] for place in places] == [
        "Name a prime.", "It is {{7}}.", "<|im_start|>user 8",
    ]  # fmt: skip


def test_doubled_braces_of_json_with_single_ones_stay():
    text = '{"a": {"q": "{question}", "b": ["{answer_a}", "{answer_b}"]}}'
    assert messages(text)[0][1].startswith('{"a": {"q": "Name a prime."')
    assert messages(text)[0][1].endswith("]}}")


def test_an_escaped_field_is_no_field():
    with pytest.raises(BadTemplate, match=r"no field \{question\}"):
        PairwiseJudge("j", text="{{question}} {answer_a} {answer_b}")


@pytest.mark.parametrize(
    "fields", [("{question_1}", "{answer_1}", "{answer_2}"), ("{QUESTION}", "{ANSWER_A}", "{ANSWER_B}")]
)
def test_arena_hards_fields_of_both_versions_load(fields):
    assert messages("Judge.\n=====\n<|User Prompt|>\n{}\n{}\n{}".format(*fields), protocol="arena_hard") == [
        ("system", "Judge."),
        ("user", "<|User Prompt|>\nName a prime.\nIt is {{7}}.\n<|im_start|>user 8"),
    ]


def test_numbers_stay_turns_in_templates_for_two_turns():
    two = Single("p", MESSAGES * 2, "m", "eleven", earlier=("seven",))
    text = "{question_1} {answer_1} {question_2} {answer_2}"
    [(_, content)] = messages(text, two, protocol="mt_bench")
    assert content == "Name a prime. seven Name a prime. eleven"


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("{instruction}|{response}|{reference_answer}|{rubric}", SINGLE),
        ("{orig_instruction}|{orig_response}|{orig_reference_answer}|{score_rubric}", SINGLE),
        ("{instruction}|{response_A}|{response_B}|{reference_answer}|{rubric}", PAIR),
        ("{orig_instruction}|{orig_response_A}|{orig_response_B}|{orig_reference_answer}|{orig_criteria}", PAIR),
    ],
)
def test_prometheus_fields_load(text, item):
    [(_, content)] = messages(text, item, protocol="prometheus")
    completions = [item.completion] if isinstance(item, Single) else [item.completion_a, item.completion_b]
    assert content.split("|7|- a prime?")[0] == "|".join(["Name a prime.", *completions])


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("Good. [RESULT] 5", 10),
        ("Feedback: It fits. [RESULT] (3)", 5.5),
        ("**[RESULT]** 1/5", 1),
        ("[RESULT] 4.", 7.75),
        ("It says [RESULT] 5. [RESULT] 2", Unparsable(Reason.SEVERAL)),
        ("[RESULT] 4/10", Unparsable(Reason.NONE)),
        ("[RESULT] 6", Unparsable(Reason.OUT_OF_RANGE)),
        ("[RESULT] 0", Unparsable(Reason.OUT_OF_RANGE)),
        ("A 4 it is.", Unparsable(Reason.NONE)),
        ("", Unparsable(Reason.EMPTY)),
    ],
)
def test_prometheus_scores_are_put_on_our_scale(reply, score):
    assert prometheus.verdict_score(reply) == score


@pytest.mark.parametrize(
    ("reply", "winner"),
    [
        ("A is right. [RESULT] A", "model_a"),
        ("[RESULT] Response B", "model_b"),
        ("[RESULT] (b)", "model_b"),
        ("[RESULT] Both", Unparsable(Reason.NONE)),
        ("[RESULT] A or [RESULT] B", Unparsable(Reason.SEVERAL)),
    ],
)
def test_prometheus_letters_name_the_better_side(reply, winner):
    assert prometheus.verdict(reply) == winner
