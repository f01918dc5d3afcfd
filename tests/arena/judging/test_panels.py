"""Runs of a panel: a quorum, the ways to combine verdicts, and a column for each judge."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.support.refusing_server import plain_reply, refusing_server
from tests.support.typed import Typed

pytestmark = pytest.mark.service
SETTINGS = """
[[models]]
name = "{name}"
endpoint = "openai"
enabled = false
url = "{url}"
price = {{prompt = 1.0, completion = 2.0}}
"""
JUDGES = {"low": "2", "high": "8", "odd": "9"}
PROMPTS = 12


def judged(body):
    """The score of a judge; `odd` has none for the completions of one model."""
    text = json.dumps(body["messages"])
    reply = plain_reply(body)
    score = "no idea" if body["model"] == "odd" and "POOR" in text else JUDGES[body["model"]]
    reply["choices"][0]["message"]["content"] = json.dumps({"score": score})
    return reply


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    typed = Typed(monkeypatch, capsys)
    rows = [{"id": f"q{n}", "prompt": f"Question {n}?"} for n in range(PROMPTS)]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    answers = [
        {"id": row["id"], "model": model, "completion": f"{model.upper()} {row['prompt']}"}
        for row in rows
        for model in ("good", "poor")
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))

    def run(*arguments, code=0):
        done = typed(*arguments, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    with refusing_server(reply=judged) as server:
        (tmp_path / "arena.toml").write_text(
            "".join(SETTINGS.format(name=name, url=server.url) for name in JUDGES)
        )
        run("prompts", "import", "set.jsonl")
        run("completions", "import", "answers.jsonl", "--prompts", "set")
        yield run


RUN = ("judge", "single", "--prompts", "set", "--panel", ",".join(JUDGES))


def test_a_quorum_keeps_cases_that_one_judge_cannot_read_and_each_judge_has_a_column(arena):
    strict = json.loads(arena(*RUN, "--format", "json", code=1).stdout)
    quorum = (*RUN, "--quorum", "2", "--name", "q")
    report = json.loads(arena(*quorum, "--format", "json").stdout)
    [*_, poor] = rows = list(csv.DictReader(io.StringIO(arena(*quorum, "--format", "csv").stdout)))
    table = arena(*quorum).stdout
    assert (strict["judged"], report["judged"]) == (PROMPTS, 2 * PROMPTS)
    good = report["models"][0]
    assert (good["model"], good["judges"]) == ("good", {"low": 2, "high": 8, "odd": 9})
    assert report["models"][1]["judges"] == {"low": 2, "high": 8, "odd": None}
    assert report["models"][1]["score"] == 5
    assert [row["model"] for row in rows] == ["good", "poor"]
    assert (poor["by low"], poor["by odd"]) == ("2.0", "")
    assert "by high" in " ".join(table.split())


def test_the_median_of_a_panel_is_another_judge_than_its_mean(arena):
    mean = json.loads(arena(*RUN, "--quorum", "2", "--format", "json").stdout)
    refused = arena(*RUN, "--quorum", "2", "--combine", "median", code=2)
    median = json.loads(
        arena(*RUN, "--quorum", "2", "--combine", "median", "--name", "m", "--format", "json").stdout
    )
    assert [row["score"] for row in mean["models"]] == pytest.approx([19 / 3, 5])
    assert [row["score"] for row in median["models"]] == [8, 5]
    assert "judge:low+high+odd has judged set with another protocol" in refused.stderr


def test_a_case_whose_calls_were_not_all_made_has_no_verdict_whatever_the_quorum(arena):
    quorum = (*RUN, "--quorum", "1", "--completion-rate", "0", "--format", "json")
    stopped = json.loads(arena(*quorum, "--budget", "0.0001").stdout)
    whole = json.loads(arena(*quorum).stdout)
    assert stopped["requests"]["failed"]["not_asked"] > 0
    assert stopped["judged"] < whole["judged"] == 2 * PROMPTS
    assert whole["new"] == whole["judged"] - stopped["new"]
    assert [row["score"] for row in whole["models"]] == pytest.approx([19 / 3, 5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--judge", "low", "--quorum", "1"), "--quorum and --combine are of a panel."),
        (("--judge", "low", "--combine", "median"), "--quorum and --combine are of a panel."),
        (("--panel", "low,high", "--quorum", "3"), "Quorum 3 of 2 judges is out of range"),
        (("--panel", "low,high", "--combine", "majority"), "has no 'majority'. Use one of: mean, median."),
    ],
)
def test_a_panel_that_makes_no_sense_is_refused(arena, options, message):
    assert message in arena("judge", "single", "--prompts", "set", *options, code=2).stderr
