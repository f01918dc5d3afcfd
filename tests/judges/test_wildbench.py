"""WildBench: scores and rewards as published, and replies that are one JSON object or nothing."""

import pytest

from judges.errors import BadRow, NoVerdicts
from judges.protocols import wildbench
from judges.protocols.wildbench import Counts, count, reward
from judges.replies import Reason, Unparsable
from tests.support.verdict_files import read


def row(prompt, score, output="text", model="lab/m"):
    return {"session_id": prompt, "score": score, "model_output": output, "model_test": model}


@pytest.mark.parametrize("model", ["reka-edge", "gemma-2b-it"])
def test_score_is_the_published_one(model):
    line = wildbench.score(read("wildbench", "score.v2", f"{model}.json"))
    expected = read("wildbench", "expected_score.json")[model]
    assert (line.model, line.score, line.total) == (model, expected["score"], expected["total"])
    assert line.adjusted_score == expected["adjusted_score"]


@pytest.mark.parametrize("model", ["reka-edge", "gemma-2b-it"])
def test_macro_score_follows_from_the_published_scores_of_tasks(model):
    expected = read("wildbench", "expected_score.json")[model]
    macro = wildbench.macro(expected["task_categorized_scores"])
    assert macro == pytest.approx(expected["task_macro_score"], abs=1e-12)


@pytest.mark.parametrize("penalty", [-1, 500])
def test_rewards_follow_from_the_published_counts(penalty):
    board = read("wildbench", f"pairwise-gpt4t-K={penalty}.json")
    assert len(board) == 51
    for line in board.values():
        names = ("win_much", "win", "tie", "lose", "lose_much")
        assert reward(Counts(*(line[n] for n in names)), line["total"]) == pytest.approx(line["reward"], abs=1e-12)
        tasks = {task: reward(Counts(**counts)) for task, counts in line["task_categorized_results"].items()}
        assert tasks == pytest.approx(line["task_categorized_rewards"], abs=1e-12)
        assert wildbench.macro(tasks) == pytest.approx(line["task_macro_reward"], abs=1e-12)


PROMPTS = [
    {"id": "p1", "primary_tag": "Math", "secondary_tags": ["Data Analysis", "Planning"]},
    {"session_id": "p2", "primary_tag": "Editing", "secondary_tags": []},
    {"id": "p3", "primary_tag": "Editing", "secondary_tags": []},
]


def test_a_prompt_counts_once_for_each_task_and_cut_or_empty_completions_for_none():
    rows = [row("p1", "8"), row("p2", "3"), row("p3", "1", "")]
    line = wildbench.score(rows, wildbench.tasks_of_prompts(PROMPTS))
    expected = {"Creative Tasks": -4, "Planning & Reasoning": 6, "Math & Data Analysis": 6}
    assert line.task_categorized_scores == expected
    assert line.task_macro_score == pytest.approx((0.5 * -4 + 1.25 * 6 + 6) / 4.75)
    assert line.score == 4
    assert wildbench.score([rows[0], row("p2", 9, "x... (truncated)")], {"p1": frozenset()}).score == 8.5


def test_order_of_rows_changes_nothing():
    rows = [row(f"p{i}", str(1 + i % 10)) for i in range(31)]
    assert wildbench.score(rows) == wildbench.score(rows[::-1])


def test_an_unreadable_score_is_counted_and_not_scored():
    line = wildbench.score([row("p1", "8"), row("p2", None), row("p3", "very good")])
    assert (line.score, line.total, line.unparsed) == (8, 1, 2)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"score": 1}], "row 0: no model_test. Its fields are: score"),
        ([row("p1", 3, model=None)], "row 0: model_test is None"),
        ([row("p1", 3), row("p2", 3, model="other")], "row 1: model_test is 'other'"),
        ([row("p1", 3), row("p1", 3)], "row 1: session_id p1 appears twice"),
        ([row("p9", 3)], "row 0: session_id p9 is not among the prompts"),
    ],
)
def test_a_bad_row_is_named(rows, problem):
    with pytest.raises(BadRow, match=problem):
        wildbench.score(rows, {"p1": frozenset()})


def test_an_unknown_tag_is_named():
    with pytest.raises(BadRow, match="tag 'Cooking'"):
        wildbench.tasks_of_prompts([{"id": "p", "primary_tag": "Cooking", "secondary_tags": []}])


def test_no_readable_score_is_no_board():
    with pytest.raises(NoVerdicts, match="None of 1 rows"):
        wildbench.score([row("p1", None)])


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"strengths": "s", "score": "7"}', 7),
        ('```json\n{"score": 10}\n```', 10),
        ('<think>{"score": 1}</think>{"score": 9}', 9),
        ('{"score": "11"}', Unparsable(Reason.OUT_OF_RANGE)),
        ('{"score": true}', Unparsable(Reason.OUT_OF_RANGE)),
        ('{"score": "8/10"}', 8),
        ('{"score": "8/5"}', Unparsable(Reason.OUT_OF_RANGE)),
        ('{"strengths": "s"}', Unparsable(Reason.NONE)),
        ('{"score": 2, "score": 10}', Unparsable(Reason.SEVERAL)),
        ('{"score": 2} {"score": 10}', Unparsable(Reason.SEVERAL)),
        ('{"strengths": "it is', Unparsable(Reason.TRUNCATED)),
        ("I cannot help with that.", Unparsable(Reason.NONE)),
        ("[7]", Unparsable(Reason.NONE)),
        ("", Unparsable(Reason.EMPTY)),
    ],
)
def test_a_score_is_read_from_exactly_one_object(reply, expected):
    assert wildbench.verdict_score(reply) == expected


def test_the_five_choices():
    read_choice = wildbench.verdict_choice
    assert [read_choice(f'{{"choice": "{c}"}}') for c in ("A++", "A+", "A=B", "B+", "B++")] == [2, 1, 0, -1, -2]
    assert read_choice('{"choice": "C"}') == Unparsable(Reason.OUT_OF_RANGE)
    assert read_choice('{"choice": 2}') == Unparsable(Reason.OUT_OF_RANGE)
    assert read_choice("{}") == Unparsable(Reason.NONE)
    assert read_choice("none") == Unparsable(Reason.NONE)


def pair(winner, extent, x="x" * 10, y="y" * 10):
    return {"model_outputs": {"x": x, "y": y}, "winner": winner, "extent": extent}


def test_swapping_the_model_swaps_the_counts():
    rows = [
        pair("x", 2),
        pair("x", 1),
        pair("tie", 0),
        pair("y", 1),
        pair("y", 2),
        pair("y", 1, y=wildbench.EMPTY),
    ]
    assert count(rows, "x") == Counts(1, 1, 1, 1, 1)
    only = [pair("x", 2), pair("y", 1)]
    assert reward(count(only, "x")) == -reward(count(only, "y")) == 0.25


def test_a_slight_win_bought_with_length_is_a_tie_and_a_clear_one_is_not():
    rows = [pair("x", 1, x="x" * 111), pair("x", 2, x="x" * 111), pair("x", 1, x="x" * 110)]
    assert count(rows, "x", longer_by=100) == Counts(win_much=1, win=1, tie=1)
    assert count(rows, "x") == Counts(win_much=1, win=2)


def test_pair_rows_are_checked():
    with pytest.raises(BadRow, match="Expected z and one other"):
        count([pair("x", 1)], "z")
    with pytest.raises(BadRow, match="winner 'nobody'"):
        count([pair("nobody", 1)], "x")
    with pytest.raises(BadRow, match="extent 3"):
        count([pair("x", 3)], "x")
    with pytest.raises(NoVerdicts):
        reward(Counts())


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("[" * 20_000, Reason.NONE),
        ("1" * 20_000, Reason.NONE),
        ('{"score":' * 20_000, Reason.TRUNCATED),
        ('{"score":' * 20_000 + "}", Reason.NONE),
        ("```json" + "\n" * 20_000 + "x```", Reason.NONE),
    ],
)
def test_a_reply_that_no_json_parser_takes_has_no_verdict(reply, reason):
    assert wildbench.verdict_score(reply) == Unparsable(reason)
