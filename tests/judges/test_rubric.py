"""Judges with a rubric: what they are asked, and how values become verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from judges import Pair, Score, Single, Verdict, both_orders, panel, single_panel
from judges.errors import BadRubric
from judges.replies import Reason, Unparsable
from judges.rubric_judge import rubric_judge
from judges.rubric_keys import rubric_of

EXAMPLE = yaml.safe_load((Path(__file__).parents[2] / "docs" / "rubric.yaml").read_text(encoding="utf-8"))
NUMBERS = {"name": "fit", "question": "Does it fit?", "scale": {"from": 1, "to": 5}}
LABELS = {"name": "tone", "question": "Which tone?", "scale": {"labels": ["rude", "kind"]}, "weight": 3}
CHOICE = {"name": "better", "question": "Which one?", "scale": "choice"}
SINGLE = Single("p", ({"role": "user", "content": "Hello?"},), "m", "Hi!")
PAIR = Pair("p", ({"role": "user", "content": "Hello?"},), "m", "Hi!", "n", "Go away.")


def reply(text, finish="stop"):
    return {"choices": [{"message": {"content": text}, "finish_reason": finish}]}


def judge(*criteria, pairs=False, **more):
    return rubric_judge("j", rubric_of({"criteria": list(criteria), **more}), pairs=pairs)


def test_the_total_is_the_weighted_mean_of_places_on_the_scales():
    one = judge(NUMBERS, LABELS)
    score = one.verdict(SINGLE, [reply('{"reason": "so", "fit": 2, "tone": "kind"}')])
    assert score.score == pytest.approx(1 + 9 * (0.25 + 3 * 1) / 4)
    assert [(c.name, c.value, c.low, c.high) for c in score.criteria] == [("fit", 2, 1, 5), ("tone", 1, 0, 1)]


def test_a_pair_has_a_preference_by_each_criterion_and_swapping_sides_swaps_it():
    one = judge(NUMBERS, LABELS, CHOICE, pairs=True)
    text = '{"reason": "", "fit_a": 4, "fit_b": 2, "tone_a": "rude", "tone_b": "kind", "better": "tie"}'
    verdict = one.verdict(PAIR, [reply(text)])
    assert [(c.name, c.value) for c in verdict.criteria] == [("fit", 0.75), ("tone", 0.0), ("better", 0.5)]
    assert verdict.preference == pytest.approx((0.75 + 3 * 0 + 0.5) / 5)
    assert verdict.winner == "model_b"
    turned = text.replace("_a", "_c").replace("_b", "_a").replace("_c", "_b")
    assert [c.value for c in one.verdict(PAIR, [reply(turned)]).criteria] == [0.25, 1.0, 0.5]
    assert [c.value for c in verdict.mirrored().criteria] == [0.25, 1.0, 0.5]
    both = both_orders(one)
    assert len(both.requests(PAIR)) == 2
    agreed = both.verdict(PAIR, [reply(text), reply(turned)])
    assert [c.value for c in agreed.criteria] == [0.75, 0.0, 0.5]
    assert [c.value for c in both.verdict(PAIR, [reply(text), reply(text)]).criteria] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("spelled", ["A", "a", " B ", "tie", "Tie"])
def test_a_choice_is_read_in_any_case(spelled):
    verdict = judge(CHOICE, pairs=True).verdict(PAIR, [reply(json.dumps({"better": spelled, "reason": "x"}))])
    assert verdict.preference == {"a": 1, "b": 0, "t": 0.5}[spelled.strip()[0].casefold()]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"fit": 6, "tone": "kind"}', Reason.OUT_OF_RANGE),
        ('{"fit": 0.5, "tone": "kind"}', Reason.OUT_OF_RANGE),
        ('{"fit": "3/7", "tone": "kind"}', Reason.NONE),
        ('{"fit": "good", "tone": "kind"}', Reason.NONE),
        ('{"fit": 3, "tone": "fine"}', Reason.OUT_OF_RANGE),
        ('{"fit": 3}', Reason.NONE),
        ('{"fit": 3, "tone": "kind"} or {"fit": 4, "tone": "kind"}', Reason.SEVERAL),
        ("I like it.", Reason.NONE),
        ("", Reason.EMPTY),
    ],
)
def test_a_reply_without_a_value_for_each_criterion_is_no_verdict(text, reason):
    one = judge(NUMBERS, LABELS)
    assert one.verdict(SINGLE, [reply(text)]) == Unparsable(reason)
    assert one.unreadable(SINGLE, 0, reply(text)) == Unparsable(reason)
    assert one.verdict(SINGLE, [None]) == Unparsable(Reason.MISSING)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"reason": "so", "fit": "4/5", "tone": "Kind"}\n```',
        '<think>{"fit": 1, "tone": "rude"}</think>{"fit": 4.0, "tone": "kind"}',
        '{"reason": "it says "fit" itself", "fit": 4, "tone": "kind"}',
    ],
)
def test_values_are_read_where_there_is_no_doubt(text):
    score = judge(NUMBERS, LABELS).verdict(SINGLE, [reply(text)])
    assert isinstance(score, Score)
    assert [c.value for c in score.criteria] == [4, 1]


def test_the_request_has_criteria_anchors_gradings_reference_and_a_schema():
    [body] = rubric_judge("j", rubric_of(EXAMPLE), pairs=False).requests(
        Single("q1", SINGLE.messages, "m", "Hi {answer}!")
    )
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    system, *examples, item = (message["content"] for message in body["messages"])
    for text in ("customers of a shop", "- correct: Is everything", "5: everything is right", '"rude", "cold"'):
        assert text in system
    assert json.loads(examples[1]) == {
        "correct": 5, "complete": 10, "tone": "friendly",
        "reason": "The period is right, the condition is named, and help is offered.",
    }  # fmt: skip
    assert "The order number is in the first e-mail." in item
    assert "Hi {answer}!" in item
    schema = body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == schema["required"] == ["correct", "complete", "tone", "reason"]
    assert schema["properties"]["tone"]["enum"] == ["rude", "cold", "friendly"]
    assert json.loads(examples[1]).keys() == schema["properties"].keys()


@pytest.mark.parametrize(
    ("commit", "keys"),
    [
        (None, ["reason", "fit"]),
        ("values", ["fit", "reason"]),
        ("answer", ["answer", "reason", "fit"]),
    ],
)
def test_what_the_judge_commits_to_first_stands_first_in_its_reply(commit, keys):
    [body] = judge(NUMBERS, **({"commit_first": commit} if commit else {})).requests(SINGLE)
    assert list(body["response_format"]["json_schema"]["schema"]["properties"]) == keys
    places = [body["messages"][0]["content"].index(f'- "{key}":') for key in keys]
    assert places == sorted(places)


def test_empty_completions_are_decided_without_a_call_in_every_criterion():
    one = judge(NUMBERS, LABELS)
    empty = Single("p", SINGLE.messages, "m", " ")
    assert one.requests(empty) == []
    assert [c.value for c in one.verdict(empty, []).criteria] == [1, 0]
    assert one.verdict(empty, []).score == 1
    two = judge(NUMBERS, CHOICE, pairs=True)
    half = Pair("p", PAIR.messages, "m", "", "n", "x")
    assert two.requests(half) == []
    assert [c.value for c in two.verdict(half, []).criteria] == [0, 0]


def test_a_panel_takes_the_mean_of_each_criterion():
    rubric = rubric_of({"criteria": [NUMBERS, LABELS]})
    one, two = (rubric_judge(name, rubric, pairs=False) for name in "jk")
    replies = [reply('{"fit": 2, "tone": "kind"}'), reply('{"fit": 5, "tone": "rude"}')]
    score = single_panel([one, two]).verdict(SINGLE, replies)
    assert [c.value for c in score.criteria] == [3.5, 0.5]
    pairs = panel([rubric_judge(name, rubric_of({"criteria": [CHOICE]}), pairs=True) for name in "jk"])
    verdict = pairs.verdict(PAIR, [reply('{"better": "A"}'), reply('{"better": "tie"}')])
    assert isinstance(verdict, Verdict)
    assert [c.value for c in verdict.criteria] == [0.75]


def test_equal_weights_of_thirds_make_no_winner_of_a_tie():
    three = [{**CHOICE, "name": name, "weight": 0.1} for name in ("x", "y", "z")]
    verdict = judge(*three, pairs=True).verdict(PAIR, [reply('{"x": "A", "y": "tie", "z": "B"}')])
    assert (verdict.winner, verdict.preference, verdict.strength) == ("tie", 0.5, 0)


GRADED = {"prompt": "p", "completion": "c", "values": {"fit": 3}}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "criteria: expected a list of 1 to 20 criteria"),
        ({"criteria": [], "colour": 1}, "the file: unknown key colour"),
        ({"criteria": ["x"]}, "criterion 1: expected keys with values"),
        ({"criteria": [{**NUMBERS, "name": "Fit it"}]}, "criterion 1: name 'Fit it' cannot be used"),
        ({"criteria": [{**NUMBERS, "name": "reason"}]}, "name 'reason' cannot be used"),
        ({"criteria": [{**NUMBERS, "weight": 0}]}, "fit: weight 0 is out of range"),
        ({"criteria": [{**NUMBERS, "question": " "}]}, "fit: question: expected a text"),
        ({"criteria": [{**NUMBERS, "scale": {"from": 5, "to": 1}}]}, "from 5 to 1 is no range"),
        ({"criteria": [{**NUMBERS, "scale": {"from": 1}}]}, "fit: scale: expected `choice`, labels, or from and to"),
        ({"criteria": [{**NUMBERS, "scale": {"from": 1, "to": 5, "anchors": {6: "x"}}}]}, "anchors: 6 is not on the"),
        ({"criteria": [{**NUMBERS, "scale": {"from": 1, "to": 5, "anchors": ["x"]}}]}, "fit: anchors: expected a value"),
        ({"criteria": [{**NUMBERS, "scale": {"labels": ["x"]}}]}, "fit: labels: expected 2 to 20 labels"),
        ({"criteria": [{**NUMBERS, "scale": {"labels": {True: 1, False: 0}}}]}, "labels: True is no text. Put yes"),
        ({"criteria": [{**NUMBERS, "scale": {"labels": {"x": "a", "y": 0}}}]}, "labels: x has the value 'a'"),
        ({"criteria": [{**NUMBERS, "scale": {"labels": {"x": 1, "y": 1}}}]}, "all have the same value"),
        ({"criteria": [NUMBERS, NUMBERS]}, "two of them need the key fit"),
        ({"criteria": [NUMBERS, {**CHOICE, "name": "fit_a"}]}, "two of them need the key fit_a"),
        ({"criteria": [NUMBERS], "commit_first": "x"}, "commit_first: 'x' is unknown. Use one of: values, answer"),
        ({"criteria": [NUMBERS], "references": ["x"]}, "references: expected the key of a prompt"),
        ({"criteria": [NUMBERS], "gradings": {"x": 1}}, "gradings: expected a list"),
        ({"criteria": [NUMBERS], "gradings": [{"prompt": "p", "values": {}}]}, "grading 1: give either completion"),
        ({"criteria": [NUMBERS], "gradings": [{**GRADED, "values": {}}]}, "grading 1: values: fit is missing"),
        ({"criteria": [NUMBERS], "gradings": [{**GRADED, "values": {"fit": 9}}]}, "fit is 9, which is not on its scale"),
    ],
)  # fmt: skip
def test_a_rubric_that_cannot_be_used_names_the_key(keys, message):
    with pytest.raises(BadRubric) as raised:
        rubric_of(keys)
    assert message in str(raised.value)


def test_a_rubric_that_does_not_fit_the_mode_is_refused():
    with pytest.raises(BadRubric, match="criterion better: a choice needs two completions"):
        judge(NUMBERS, CHOICE)
    with pytest.raises(BadRubric, match="none has completion_a and completion_b"):
        judge(NUMBERS, pairs=True, gradings=[GRADED])
