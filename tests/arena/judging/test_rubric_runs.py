"""Judge runs with a rubric, as an evaluator types them: boards by criterion, category and subset in all modes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from arena.judging.grouped_boards import grouped_rows
from arena.judging.results import Judged, score_rows
from judges import Score
from judges.judge import OnScale
from tests.support.grading_judge import graded
from tests.support.refusing_server import openai_error, plain_reply, refusing_server
from tests.support.typed import Typed

pytestmark = pytest.mark.service
RUBRIC = Path(__file__).parents[3] / "docs" / "rubric.yaml"
SETTINGS = """
[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
"""
PROMPTS = 20
MODELS = {"good": "GOOD", "fair": "FAIR", "poor": "POOR"}
CRITERIA = ("correct", "complete", "tone")
MODES = {
    "single": ("single",),
    "baseline": ("baseline", "--baseline", "fair", "--control-pairs", "0"),
    "pairwise": ("pairwise", "--control-pairs", "0"),
}


def no_schema(body):
    """The refusal of a server without structured output."""
    if "response_format" in body:
        return openai_error("response_format of type json_schema is not supported", "response_format")
    return None


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    """A folder with a set of 20 prompts in two categories and subsets, completions of three models, and the rubric."""
    typed = Typed(monkeypatch, capsys)
    shutil.copy(RUBRIC, tmp_path / "rubric.yaml")
    rows = [
        {"id": f"q{n}", "prompt": f"Question {n}?", "category": "ab"[n % 2], "subset": "xy"[n // 10]}
        for n in range(PROMPTS)
    ]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    answers = [
        {"id": row["id"], "model": model, "completion": f"{word} answer to {row['prompt']}"}
        for row in rows
        for model, word in MODELS.items()
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))

    def run(*arguments, code=0):
        done = typed(*arguments, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    run.folder = tmp_path
    return run


def started(arena, url):
    (arena.folder / "arena.toml").write_text(SETTINGS.format(url=url))
    arena("prompts", "import", "set.jsonl")
    arena("completions", "import", "answers.jsonl", "--prompts", "set")


def judged(arena, mode, *more):
    words = ("--prompts", "set", "--judge", "judge", "--rubric", "rubric.yaml", "--format", "json")
    return json.loads(arena("judge", *MODES[mode], *words, *more).stdout)


@pytest.mark.parametrize("mode", MODES)
def test_an_own_rubric_on_20_prompts_makes_boards_by_criterion_with_intervals(arena, mode):
    with refusing_server(reply=graded) as server:
        started(arena, server.url)
        report = judged(arena, mode)
        stored = (
            "judge", "board", "judge", "--prompts", "set", *(("--baseline", "fair") if mode == "baseline" else ()),
        )  # fmt: skip
        again = json.loads(arena(*stored, "--format", "json").stdout)
        grouped = json.loads(arena(*stored, "--by", "category,subset,criterion", "--format", "json").stdout)
    assert report["published"]
    assert all(body["response_format"]["type"] == "json_schema" for body in server.answered)
    value = {"single": "score", "baseline": "win_rate", "pairwise": "rating"}[mode]
    models = ["good", "poor"] if mode == "baseline" else ["good", "fair", "poor"]
    for criterion in CRITERIA:
        board = [row for row in report["criteria"] if row["criterion"] == criterion]
        assert [row["model"] for row in board] == models
        for row in board:
            assert row["lower"] <= row[value] <= row["upper"]
            assert row["lower"] < row["upper"]
    if mode == "single":
        correct, *_ = (row for row in report["criteria"] if row["criterion"] == "correct")
        assert 1 <= correct["lower"] < correct["upper"] <= 5
    assert [row for row in again if row["criterion"] != "total"] == report["criteria"]
    totals = [row for row in again if row["criterion"] == "total"]
    assert [row["model"] for row in totals] == [row["model"] for row in report["models"]]
    assert [row[value] for row in totals] == pytest.approx([row[value] for row in report["models"]])
    assert {(row["category"], row["subset"]) for row in grouped} == {(c, s) for c in "ab" for s in "xy"}
    assert {row["criterion"] for row in grouped} == {*CRITERIA, "total"}


def test_a_server_without_structured_output_is_asked_in_words_and_the_report_says_so(arena):
    with refusing_server(no_schema, reply=graded) as server:
        started(arena, server.url)
        report = judged(arena, "single")
    assert report["published"]
    assert len(server.answered) == report["judged"] == 60
    assert sum("response_format" not in body for body in server.answered) == 60
    assert "response_format removed" in json.dumps(report["requests"]["adapted"])


def test_a_run_file_takes_the_rubric_as_a_key_and_as_an_option_and_keeps_verdicts_apart(arena):
    with refusing_server(reply=graded) as server:
        started(arena, server.url)
        (arena.folder / "run.yaml").write_text("mode: single\nprompts: set\njudge: judge\n")
        (arena.folder / "own.yaml").write_text(
            "mode: single\nprompts: set\njudge: judge\nname: own\nrubric: rubric.yaml\n"
        )
        option = json.loads(
            arena("judge", "run", "run.yaml", "--rubric", "rubric.yaml", "--format", "json").stdout
        )
        key = json.loads(arena("judge", "run", "own.yaml", "--format", "json").stdout)
        changed = (arena.folder / "rubric.yaml").read_text().replace("weight: 3", "weight: 4")
        (arena.folder / "rubric.yaml").write_text(changed)
        refused = arena("judge", "run", "run.yaml", "--rubric", "rubric.yaml", code=2)
    assert option["criteria"] == key["criteria"] != []
    assert "with another protocol, template, rubric, criterion, order" in refused.stderr


def test_a_choice_is_a_criterion_of_pairs_and_the_tables_name_the_criteria(arena):
    (arena.folder / "rubric.yaml").write_text(
        "criteria:\n  - {name: better, question: 'Which one?', scale: choice}\n"
        "  - {name: fit, question: 'Does it fit?', scale: {from: 1, to: 5}}\n"
    )
    by = ("--prompts", "set", "--judge", "judge", "--rubric", "rubric.yaml")
    with refusing_server(reply=graded) as server:
        started(arena, server.url)
        single = arena("judge", "single", *by, code=2)
        table = arena("judge", *MODES["baseline"], *by)
        rows = list(csv.DictReader(io.StringIO(arena("judge", *MODES["baseline"], *by, "--format", "csv").stdout)))
    assert "--rubric rubric.yaml: criterion better: a choice needs two completions" in single.stderr
    assert "by criterion" in table.stdout
    assert [(row["criterion"], row["model"]) for row in rows] == [
        (criterion, model) for criterion in ("better", "fit", "total") for model in ("good", "poor")
    ]
    assert {row["win_rate"] for row in rows if row["criterion"] == "better"} == {"100.0", "0.0"}


@pytest.mark.parametrize("options", [("--protocol", "mt_bench"), ("--template", "rubric.yaml")])
def test_a_rubric_takes_no_protocol_or_template(arena, options):
    started(arena, "http://127.0.0.1:9/v1")
    done = arena(
        "judge", "single", "--prompts", "set", "--judge", "judge", "--rubric", "rubric.yaml", *options, code=2
    )
    assert "A rubric has a prompt of its own. Remove --protocol and --template." in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("judge", "--prompts", "none"), "none"),
        (("nobody", "--prompts", "set"), "judge:nobody has judged nothing in 'set'"),
        (("judge", "--prompts", "set", "--by", "colour"), "'colour' is unknown. Use some of: criterion, category"),
        (("judge", "--prompts", "set", "--baseline", "x"), "judge:judge has judged nothing in 'set'"),
    ],
)
def test_a_board_of_nothing_says_what_to_change(arena, words, message):
    started(arena, "http://127.0.0.1:9/v1")
    assert message in arena("judge", "board", *words, code=2).stderr


def test_prompts_of_one_text_are_one_cluster_of_the_interval_of_a_mean():
    apart = [Judged(f"p{n}", "m", "", Score(score, "")) for n, score in enumerate([2, 4, 6, 8])]
    together = [row._replace(cluster=str(n // 2)) for n, row in enumerate(apart)]
    doubled = [row._replace(cluster=row.prompt) for row in apart for _ in range(2)]
    [one], [two], [four] = score_rows(apart), score_rows(together), score_rows(doubled)
    assert two["upper"] - two["lower"] > one["upper"] - one["lower"]
    assert (four["lower"], four["upper"]) == pytest.approx((one["lower"], one["upper"]))
    assert score_rows([row._replace(cluster="x") for row in apart])[0]["lower"] is None


def test_results_of_some_prompts_only_with_a_criterion_make_its_board_alone():
    scored = Judged("p1", "m", "", Score(5, "", criteria=(OnScale("fit", 2, 1, 5),)))
    rows = grouped_rows([scored, Judged("p2", "m", "", Score(7, ""))], None, ["criterion"])
    assert [(row["criterion"], row["score"], row["judged"]) for row in rows] == [("fit", 2, 1), ("total", 6, 2)]


def varied(body):
    """A score that differs from call to call, as a judge's does at a temperature above zero."""
    varied.calls += 1
    reply = plain_reply(body)
    reply["choices"][0]["message"]["content"] = json.dumps({"score": str(5 + varied.calls % 2)})
    return reply


def test_samples_are_calls_of_their_own_and_their_variance_is_reported(arena):
    varied.calls = 0
    run = (
        "judge",
        "single",
        "--prompts",
        "set",
        "--judge",
        "judge",
        "--samples",
        "2",
        "--criterion",
        "Is it kind?",
    )
    with refusing_server(reply=varied) as server:
        started(arena, server.url)
        report = json.loads(arena(*run, "--format", "json").stdout)
        again = json.loads(arena(*run, "--format", "json").stdout)
        table = arena(*run)
        refused = arena(*run[:-3], "3", code=2)
    assert len(server.answered) == 120
    assert not any("repeat" in body for body in server.answered)
    assert all("criterion: Is it kind?" in body["messages"][0]["content"] for body in server.answered)
    assert (report["repeats"]["draws"], report["repeats"]["cases"]) == (2, 60)
    total = report["repeats"]["variance"] * 60 / 0.5  # draws of a case are equal, or differ by one
    assert total == pytest.approx(round(total))
    assert again["requests"]["calls"] == 0
    assert again["models"] == report["models"]
    assert "2 replies to each request" in table.stderr
    assert "order, number of samples or thinking budget" in refused.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rubric", "rubric.yaml", "--criterion", "x"), "Add the sentence to its instructions."),
        (("--samples", "0"), "samples: Input should be greater than or equal to 1"),
        (("--criterion", " "), "Give one sentence of up to 1,000"),
    ],
)
def test_samples_and_criteria_that_make_no_sense_are_refused(arena, options, message):
    started(arena, "http://127.0.0.1:9/v1")
    done = arena("judge", "single", "--prompts", "set", "--judge", "judge", *options, code=2)
    assert message in done.stderr
