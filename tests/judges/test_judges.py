"""Judges ask and read: every claim is about requests built from an item and replies written by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from judges import (
    Pair,
    PairwiseJudge,
    Reason,
    Single,
    SingleJudge,
    Unparsable,
    Verdict,
    balanced,
    both_orders,
    flip_rate,
    in_order,
    panel,
    single_panel,
)
from judges.completion_rate import why_not
from judges.control_pairs import control_pairs, report
from judges.errors import BadOption, BadTemplate
from judges.pairwise import PROTOCOLS
from judges.template import FIELDS, mt_bench_template, mt_bench_templates, own, template
from tests.support.published import published

PAIR = Pair("p1", ({"role": "user", "content": "Name a prime."},), "left", "It is 7.", "right", "It is 8.")
TALK = replace(
    PAIR,
    messages=(*PAIR.messages, {"role": "user", "content": "Another one."}),
    earlier_a=("It is 2.",),
    earlier_b=("It is 4.",),
)
SINGLE = Single("p1", ({"role": "user", "content": "Name a prime."},), "left", "It is 7.", checklist=("a prime?",))


def chat_reply(text: str, finish: str = "stop") -> dict[str, object]:
    return {"choices": [{"message": {"content": text}, "finish_reason": finish}]}


def tokens(**logprobs: float) -> dict[str, object]:
    top = [{"token": token, "logprob": value} for token, value in logprobs.items()]
    first = top[0]["token"]
    content = [{"token": first, "logprob": top[0]["logprob"], "top_logprobs": top}]
    choice = {"message": {"content": first}, "finish_reason": "length", "logprobs": {"content": content}}
    return {"choices": [choice]}


def text_of(request) -> str:
    return "\n".join(message["content"] for message in request["messages"])


READ = [
    ("arena", chat_reply("A is right. [[A]]"), ("model_a", 1.0, 1)),
    ("arena", chat_reply("The same. [[C]]"), ("tie", 0.5, 0)),
    ("mt_bench", chat_reply("[[B]]"), ("model_b", 0.0, 1)),
    ("arena_hard", chat_reply("[[A>>B]]"), ("model_a", 1.0, 2)),
    ("arena_hard", chat_reply("<think>[[A>B]]</think>[[B>A]]"), ("model_b", 0.0, 1)),
    ("arena_hard", chat_reply("[[A=B]]"), ("tie", 0.5, 0)),
    ("wildbench", chat_reply('{"choice": "B++"}'), ("model_b", 0.0, 2)),
    ("alpaca_eval", tokens(m=math.log(0.6), M=math.log(0.2)), ("model_a", 0.75, 1)),
    ("alpaca_eval", chat_reply("M"), ("model_b", 0.0, 1)),
    ("token", tokens(A=math.log(0.1), B=math.log(0.3)), ("model_b", 0.25, 1)),
    ("token", chat_reply(" A."), ("model_a", 1.0, 1)),
]


@pytest.mark.parametrize(("protocol", "reply", "expected"), READ)
def test_each_protocol_reads_its_own_replies(protocol, reply, expected):
    judge = PairwiseJudge("j", protocol)
    verdict = judge.verdict(PAIR, [reply])
    assert (verdict.winner, pytest.approx(verdict.preference), verdict.strength) == expected
    assert judge.unreadable(PAIR, 0, reply) is None


UNREADABLE = [
    ("arena", chat_reply("Both are fine."), Reason.NONE),
    ("arena", chat_reply("They wrote [[B]], but [[A]]"), Reason.SEVERAL),
    ("arena", chat_reply("because", "length"), Reason.TRUNCATED),
    ("arena", chat_reply("", "content_filter"), Reason.REFUSED),
    ("arena", chat_reply("<think>hm"), Reason.TRUNCATED),
    ("wildbench", chat_reply('{"choice": "A+", "choice": "B+"}'), Reason.SEVERAL),
    ("wildbench", chat_reply("A+"), Reason.NONE),
    ("token", tokens(Yes=-0.1), Reason.NONE),
    ("token", chat_reply("perhaps"), Reason.NONE),
    ("alpaca_eval", tokens(x=-0.1), Reason.NONE),
]


@pytest.mark.parametrize(("protocol", "reply", "reason"), UNREADABLE)
def test_what_cannot_be_read_is_never_a_tie(protocol, reply, reason):
    judge = PairwiseJudge("j", protocol)
    assert judge.verdict(PAIR, [reply]) == Unparsable(reason)
    assert judge.unreadable(PAIR, 0, reply) == Unparsable(reason)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_shows_the_judge_both_completions_and_the_request(protocol):
    (request,) = PairwiseJudge("j", protocol).requests(PAIR)
    assert request["model"] == "j"
    assert all(text in text_of(request) for text in ("Name a prime.", "It is 7.", "It is 8."))
    assert text_of(request).index("It is 7.") < text_of(request).index("It is 8.")


def test_a_failed_call_gives_no_verdict():
    assert PairwiseJudge("j").verdict(PAIR, [None]) == Unparsable(Reason.MISSING)
    assert SingleJudge("j").verdict(SINGLE, [None]) == Unparsable(Reason.MISSING)
    both = both_orders(PairwiseJudge("j"))
    assert both.verdict(PAIR, [chat_reply("[[A]]"), None]) == Unparsable(Reason.MISSING)


def test_the_same_words_twice_are_a_tie_without_a_call():
    pair = replace(PAIR, completion_b="It is 7. ")
    judge = both_orders(PairwiseJudge("j"))
    assert judge.requests(pair) == []
    assert judge.verdict(pair, []).winner == "tie"


def test_an_empty_completion_loses_without_a_call():
    pair = replace(PAIR, completion_a=" \n")
    assert PairwiseJudge("j").requests(pair) == []
    assert both_orders(PairwiseJudge("j")).verdict(pair, []).winner == "model_b"
    empty = replace(SINGLE, completion="")
    assert SingleJudge("j").requests(empty) == []
    assert SingleJudge("j").verdict(empty, []).score == 1


def test_two_empty_last_completions_are_a_tie_in_both_orders():
    pair = replace(TALK, completion_a=" ", completion_b="")
    for judge in (PairwiseJudge("j"), both_orders(PairwiseJudge("j"))):
        assert judge.requests(pair) == []
        assert (judge.verdict(pair, []).winner, judge.verdict(pair, []).preference) == ("tie", 0.5)


def test_swapping_sides_swaps_the_verdict():
    judge = PairwiseJudge("j", "arena_hard")
    (turned,) = in_order(judge, swapped=True).requests(PAIR)
    assert turned == judge.requests(PAIR.swapped())[0]
    verdict = in_order(judge, swapped=True).verdict(PAIR, [chat_reply("[[A>>B]]")])
    assert (verdict.winner, verdict.preference, verdict.strength) == ("model_b", 0.0, 2)


def test_a_judge_that_always_says_first_is_even_over_both_orders():
    verdict = both_orders(PairwiseJudge("j")).verdict(PAIR, [chat_reply("[[A]]"), chat_reply("[[A]]")])
    assert (verdict.winner, verdict.preference) == ("tie", 0.5)
    assert verdict.orders == ("model_a", "model_b")
    assert flip_rate([verdict]) == (1, 1)


def test_over_both_orders_preferences_are_averaged_and_not_tied_on_conflict():
    sure, unsure = tokens(A=math.log(0.9), B=math.log(0.1)), tokens(A=math.log(0.6), B=math.log(0.4))
    verdict = both_orders(PairwiseJudge("j", "token")).verdict(PAIR, [sure, unsure])
    assert verdict.winner == "model_a"
    assert verdict.preference == pytest.approx((0.9 + 0.4) / 2)


def test_replies_of_both_orders_are_checked_each_in_its_own_order():
    judge = both_orders(PairwiseJudge("j"))
    assert judge.unreadable(PAIR, 1, chat_reply("no")) == Unparsable(Reason.NONE)
    assert judge.unreadable(PAIR, 0, chat_reply("[[A]]")) is None


def test_a_panel_averages_its_judges_and_says_who_said_what():
    judges = [PairwiseJudge(name, "token") for name in ("x", "y", "z")]
    replies = [chat_reply("A"), chat_reply("A"), chat_reply("B")]
    verdict = panel(judges).verdict(PAIR, replies)
    assert verdict.preference == pytest.approx(2 / 3)
    assert "x: model_a" in verdict.reason
    assert "z: model_b" in verdict.reason
    assert [request["model"] for request in panel(judges).requests(PAIR)] == ["x", "y", "z"]
    assert panel(judges).name == "x+y+z"


def test_a_panel_without_its_quorum_has_no_verdict():
    judges = [PairwiseJudge("x"), PairwiseJudge("y")]
    replies = [chat_reply("[[A]]"), chat_reply("hm")]
    assert panel(judges).verdict(PAIR, replies) == Unparsable(Reason.NONE)
    assert panel(judges, quorum=1).verdict(PAIR, replies).winner == "model_a"
    assert panel(judges).unreadable(PAIR, 1, chat_reply("hm")) == Unparsable(Reason.NONE)


def test_a_panel_of_judges_in_both_orders_keeps_the_orders():
    jury = panel([both_orders(PairwiseJudge("x")), both_orders(PairwiseJudge("y"))])
    first_always = [chat_reply("[[A]]")] * 4
    assert jury.verdict(PAIR, first_always).orders == ("model_a", "model_b")


@pytest.mark.parametrize(("names", "quorum"), [(["x"], None), (["x", "x"], None), (["x", "y"], 3)])
def test_panels_that_make_no_sense_are_refused(names, quorum):
    with pytest.raises(BadOption):
        panel([PairwiseJudge(name) for name in names], quorum=quorum)


def test_single_scores_are_read_and_averaged():
    judge = SingleJudge("j", "wildbench")
    assert "- a prime?" in text_of(judge.requests(SINGLE)[0])
    assert judge.verdict(SINGLE, [chat_reply('{"strengths": "right", "score": "8"}')]).score == 8
    both = single_panel([judge, SingleJudge("k", "mt_bench")])
    assert both.verdict(SINGLE, [chat_reply('{"score": 8}'), chat_reply("[[5]]")]).score == 6.5
    assert both.verdict(SINGLE, [chat_reply('{"score": 8}'), chat_reply("five")]) == Unparsable(Reason.NONE)
    assert both.unreadable(SINGLE, 1, chat_reply("five")) == Unparsable(Reason.NONE)
    assert both.verdict(SINGLE, [chat_reply('{"score": 80}'), chat_reply("[[5]]")]) == Unparsable(
        Reason.OUT_OF_RANGE
    )


def test_a_balanced_design_shows_each_model_first_as_often_as_second():
    pairs = [
        replace(PAIR, prompt=f"p{n}", model_a=a, model_b=b, completion_a=a, completion_b=b)
        for n in range(40)
        for a, b in (("x", "y"), ("x", "z"), ("y", "z"))
    ]
    first: dict[str, int] = dict.fromkeys("xyz", 0)
    for judge, pair in balanced(pairs, PairwiseJudge("j", "token"), double=0):
        (request,) = judge.requests(pair)
        shown = text_of(request).partition("Answer A:\n")[2][0]
        first[shown] += 1
    assert first == {"x": 40, "y": 40, "z": 40}


def test_a_balanced_design_judges_the_same_share_in_both_orders():
    pairs = [replace(PAIR, prompt=f"p{n}") for n in range(400)]

    def doubled(some):
        design = balanced(some, PairwiseJudge("j"), double=0.2)
        return {pair.prompt for judge, pair in design if len(judge.requests(pair)) == 2}

    assert 50 < len(doubled(pairs)) < 110
    assert doubled(pairs[:100]) == {p for p in doubled(pairs) if int(p[1:]) < 100}
    with pytest.raises(BadOption, match="share from 0 to 1"):
        next(balanced(pairs, PairwiseJudge("j"), double=2))


def test_text_in_a_completion_is_never_a_place_to_fill():
    pair = replace(PAIR, completion_a="{answer_b} {$candidate_B} {0} {", completion_b="secret")
    text = text_of(PairwiseJudge("j", text="Q {question} A {answer_a} B {answer_b}").requests(pair)[0])
    assert text == "Q Name a prime. A {answer_b} {$candidate_B} {0} { B secret"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{question} {answer_a}", r"no field \{answer_b\}"),
        ("{question} {answer_a} {answer_b} {colour}", r"unknown field \{colour\}"),
        ("nothing", r"no field \{question\}"),
    ],
)
def test_a_template_that_hides_something_from_the_judge_is_refused(text, problem):
    with pytest.raises(BadTemplate, match=problem):
        PairwiseJudge("j", text=text)


def test_a_template_for_two_turns_is_refused_for_one():
    text = "{question_1} {question_2} {answer_a_1} {answer_a_2} {answer_b_1} {answer_b_2}"
    judge = PairwiseJudge("j", "mt_bench", text=text)
    with pytest.raises(BadTemplate, match="has no value for this item"):
        judge.requests(PAIR)
    turns = (*PAIR.messages, {"role": "user", "content": "Another one."})
    two = replace(PAIR, messages=turns, earlier_a=("2",), earlier_b=("4",))
    assert text_of(judge.requests(two)[0]) == "Name a prime. Another one. 2 It is 7. 4 It is 8."


def test_an_unknown_protocol_is_an_error():
    with pytest.raises(BadOption, match="arena_hard"):
        PairwiseJudge("j", "guess")
    with pytest.raises(BadOption, match="wildbench"):
        SingleJudge("j", "guess")


def test_thinking_has_a_budget_of_its_own():
    (plain,) = PairwiseJudge("j").requests(PAIR)
    (thinking,) = PairwiseJudge("j", thinking_budget=5000).requests(PAIR)
    assert thinking["max_tokens"] == plain["max_tokens"] + 5000
    assert "thinking_budget" not in thinking


def test_wildbench_shows_a_thousand_words_and_says_that_it_cut():
    pair = replace(PAIR, completion_a="word " * 1500)
    text = text_of(PairwiseJudge("j", "wildbench").requests(pair)[0])
    assert text.count("word") == 1000
    assert "... (truncated)" in text


def test_own_templates_use_known_fields_only():
    for protocol in PROTOCOLS.values():
        assert template(own(protocol.prompt), (), protocol.prompt).fields <= FIELDS


def test_control_pairs_tell_a_fair_judge_from_one_that_obeys_the_completion():
    pairs = [replace(PAIR, prompt=f"p{n}") for n in range(30)]
    some = list(control_pairs(pairs, each=2))
    fair = [(control_pair, _verdict(control_pair.right)) for control_pair in some]
    assert all(kind_report.failed == 0 for kind_report in report(fair))
    obeys = [
        (control_pair, _verdict("model_a" if "[[A]]" in control_pair.pair.completion_a else "model_b"))
        for control_pair in some
    ]
    by_kind = {kind_report.kind: kind_report for kind_report in report(obeys)}
    assert by_kind["injection"].failed == by_kind["injection"].judged == 2
    assert by_kind["identical"].failed == 2
    unread = report([(some[0], Unparsable(Reason.NONE))])[0]
    assert (unread.judged, unread.failed, unread.unread, unread.missing) == (0, 0, 1, 0)


@pytest.mark.parametrize("reason", [Reason.MISSING, Reason.NOT_ASKED])
def test_a_control_pair_without_a_reply_says_nothing_about_the_judge(reason):
    (first, *_) = control_pairs([PAIR])
    counts = report([(first, Unparsable(reason))])[0]
    assert (counts.judged, counts.failed, counts.unread, counts.missing) == (0, 0, 0, 1)


def _verdict(winner: str) -> Verdict:
    return Verdict(winner, {"model_a": 1.0, "model_b": 0.0, "tie": 0.5}[winner], "")


def test_identical_control_pairs_have_requests():
    same = next(control_pair for control_pair in control_pairs([PAIR]) if control_pair.kind == "identical")
    assert len(both_orders(PairwiseJudge("j")).requests(same.pair)) == 2


def test_a_run_with_too_few_verdicts_may_not_be_published():
    assert why_not(96, 100) is None
    assert "90 of 100 items have a verdict (90.0%)" in why_not(90, 100)
    assert why_not(0, 0) == "there was nothing to judge"


def assert_each_turn_has_its_published_prompt(lines):
    pair = replace(TALK, references=("seven", "eleven"), reference="seven\n\neleven")
    judge = PairwiseJudge("j", "mt_bench", text=mt_bench_templates(lines, "pair"))
    first, second = (text_of(request) for request in judge.requests(pair))
    assert "seven" in first
    assert "eleven" not in first
    assert "Another one." not in first
    assert "It is 7." not in first
    assert "Another one." in second
    assert "It is 7." in second
    assert second.index("seven") < second.index("eleven")
    plain = text_of(judge.requests(replace(pair, references=(), reference=None))[0])
    assert "reference" not in plain.lower()
    single = SingleJudge("j", "mt_bench", text=mt_bench_templates(lines, "single"))
    assert len(single.requests(replace(SINGLE, messages=TALK.messages, earlier=("It is 2.",)))) == 2


def test_mt_bench_judges_after_every_turn_and_takes_the_mean():
    judge = PairwiseJudge("j", "mt_bench")
    assert len(judge.requests(TALK)) == 2
    assert judge.requests(PAIR) == PairwiseJudge("j", "mt_bench").requests(PAIR)
    verdict = judge.verdict(TALK, [chat_reply("better [[A]]"), chat_reply("even [[C]]")])
    assert (verdict.winner, verdict.preference) == ("model_a", 0.75)
    assert verdict.reason == "(turn 1)\nbetter [[A]]\n\n(turn 2)\neven [[C]]"
    assert judge.verdict(TALK, [chat_reply("[[A]]"), None]) == Unparsable(Reason.MISSING)
    same_start = replace(TALK, earlier_b=TALK.earlier_a)
    assert len(judge.requests(same_start)) == 1
    assert judge.verdict(same_start, [chat_reply("[[B]]")]).preference == 0.25
    both = both_orders(judge)
    assert len(both.requests(TALK)) == 4
    assert (
        both.verdict(
            TALK, [chat_reply("[[A]]"), chat_reply("[[A]]"), chat_reply("[[B]]"), chat_reply("[[B]]")]
        ).preference
        == 1
    )
    rated = SingleJudge("j", "mt_bench")
    talk = replace(SINGLE, messages=TALK.messages, earlier=("It is 2.",))
    mean = rated.verdict(talk, [chat_reply("[[4]]"), chat_reply("[[8]]")])
    assert (mean.score, mean.turns) == (6, (4, 8))
    assert rated.verdict(SINGLE, [chat_reply("[[4]]")]).turns == ()
    panel = single_panel([rated, SingleJudge("k", "mt_bench")])
    together = panel.verdict(talk, [chat_reply(f"[[{n}]]") for n in (4, 8, 2, 6)])
    assert (together.score, together.turns) == (5, (3, 7))
    assert (
        single_panel([rated, SingleJudge("k")])
        .verdict(
            talk,
            [
                chat_reply("[[4]]"),
                chat_reply("[[8]]"),
                chat_reply(json.dumps({"strengths": "", "weaknesses": "", "score": "7"})),
            ],
        )
        .turns
        == ()
    )
    assert panel.unreadable(talk, 3, chat_reply("none")) == Unparsable(Reason.NONE)


def test_a_judge_that_thinks_first_is_read_at_the_token_after_its_thought():
    def thought(*written: str) -> dict[str, object]:
        top = [{"token": "A", "logprob": math.log(0.6)}, {"token": "B", "logprob": math.log(0.2)}]
        content = [
            {"token": token, "logprob": -0.1, "top_logprobs": top if token == "B" else []} for token in written
        ]
        choice = {
            "message": {"content": "".join(written)},
            "finish_reason": "stop",
            "logprobs": {"content": content},
        }
        return {"choices": [choice]}

    judge = PairwiseJudge("j", "token", thinking_budget=100)
    assert judge.requests(PAIR)[0]["max_tokens"] == 101
    read = judge.verdict(PAIR, [thought("<think>", "A?", "</", "think>", "\n\n", "B")])
    assert read.preference == pytest.approx(0.75)
    assert judge.verdict(PAIR, [thought("<think>", "B")]) == Unparsable(Reason.TRUNCATED)
    assert judge.verdict(PAIR, [thought("<think>", "B", "</think>", "\n")]) == Unparsable(Reason.EMPTY)


def test_a_pair_that_is_decided_without_asking_says_nothing_of_orders():
    same = replace(PAIR, completion_b=PAIR.completion_a)
    assert both_orders(PairwiseJudge("j")).verdict(same, []).orders == ()


def test_published_templates_load_as_they_are():
    pairwise = published("judges", "wildbench", "eval_template.pairwise.v2.md").read_text()
    text = text_of(PairwiseJudge("j", "wildbench", text=pairwise).requests(PAIR)[0])
    assert "It is 7." in text
    assert "{$" not in text
    score = published("judges", "wildbench", "eval_template.score.v2.md").read_text()
    assert "- a prime?" in text_of(SingleJudge("j", "wildbench", text=score).requests(SINGLE)[0])
    lines = published("judges", "..", "benchmarks", "mt_bench", "judge_prompts.jsonl").read_text().splitlines()
    for line in lines:
        row = json.loads(line)
        turns = "multi-turn" in row["name"]
        item = replace(
            PAIR,
            messages=(*PAIR.messages, *PAIR.messages) if turns else PAIR.messages,
            earlier_a=("2",) if turns else (), earlier_b=("4",) if turns else (), reference="7",
        )  # fmt: skip
        text = mt_bench_template(lines, row["name"])
        if row["type"] == "pairwise":
            assert PairwiseJudge("j", "mt_bench", text=text).requests(item)
    assert_each_turn_has_its_published_prompt(lines)
    with pytest.raises(BadTemplate, match="pair-v2"):
        mt_bench_template(lines, "pair-v9")
    with pytest.raises(BadTemplate, match="line 1"):
        mt_bench_template(["{}"], "pair-v2")
