"""`arena judge align`: instructions rewritten from people's votes, tried on battles held out, resumable."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from arena.judging.alignment import halves
from arena.judging.config import JudgeRunConfig
from arena.judging.plan import SIDES, cases
from arena.store import open_database
from arena.store.judgeable_battles import voted_battles
from judges import PairwiseJudge
from judges.template import own
from tests.support.refusing_server import plain_reply, refusing_server
from tests.support.typed import Typed
from tests.support.voted_battles import add_voted_battle

pytestmark = pytest.mark.service
SETTINGS = """
database_url = "sqlite:///{folder}/arena.db"

[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
price = {{prompt = 1.0, completion = 2.0}}
"""
ANSWERS = re.compile(r"<answer_([AB])>\n(.*?)\n</answer_\1>", re.DOTALL)
BETTER = "Prefer the shorter answer."


def judged(instructions):
    """A server that prefers the longer answer until it is told better, and writes these instructions when asked."""

    def reply(body):
        system, text = (message["content"] for message in body["messages"])
        whole = plain_reply(body)
        if "<present_instructions>" in text:
            words = f"People like it short. <instructions>{instructions}</instructions>"
        else:
            answers = dict(ANSWERS.findall(text))
            longer, shorter = sorted("AB", key=lambda side: -len(answers[side]))
            words = f"By length. [[{shorter if BETTER in system else longer}]]"
        whole["choices"][0]["message"]["content"] = words
        return whole

    return reply


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    """A folder of battles whose voters preferred the shorter answer in nine of ten."""
    typed = Typed(monkeypatch, capsys)

    def run(*arguments, url, code=0, battles=60):
        (tmp_path / "arena.toml").write_text(SETTINGS.format(folder=tmp_path, url=url))
        if not (tmp_path / "arena.db").exists():
            with open_database(f"sqlite:///{tmp_path}/arena.db", create=True) as database:
                for number in range(battles):
                    texts = ("Short.", "A much longer answer.")
                    a, b = texts if number % 2 else texts[::-1]
                    short = "model_a" if number % 2 else "model_b"
                    long = "model_b" if number % 2 else "model_a"
                    winner = long if number % 10 == 0 else "both_bad" if number % 10 == 5 else short
                    add_voted_battle(database, f"Question number {number}?", a, b, winner)
        done = typed("judge", "align", "--judge", "judge", *arguments, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    run.folder = tmp_path
    return run


def test_better_instructions_are_found_kept_and_shown_on_battles_held_out(arena):
    with refusing_server(reply=judged(BETTER)) as server:
        report = json.loads(arena("--format", "json", url=server.url).stdout)
        answered = len(server.answered)
        again = json.loads(arena("--format", "json", url=server.url).stdout)
        assert len(server.answered) == answered
    assert again["calls"] == 0
    assert {**again, "calls": 0, "cost": 0} == {**report, "calls": 0, "cost": 0}
    decided = 54
    assert report["trained"] + report["battles"] == decided
    assert answered == 2 * decided + 1 + 2 * report["battles"]
    assert report["disagreements"] >= 10
    assert report["agreement_before"]["value"] < 0.3
    assert report["agreement_after"]["value"] > 0.7
    assert report["gain_is_shown"]
    assert report["p_value"] < 0.001
    folder = arena.folder / "aligned-judge"
    assert (folder / "before.md").read_text() == report["before"] == own("arena")
    assert (folder / "after.md").read_text() == report["after"]
    assert report["after"].startswith(BETTER + "\n=====\n{history}<request>")
    assert json.loads((folder / "report.json").read_text())["gain"] == report["gain"]
    assert "found" not in report  # each figure once


def test_the_same_prompt_is_in_one_half_whoever_wrote_it(sqlite):
    for number in range(40):
        add_voted_battle(
            sqlite, f"Question  {number % 4}?" if number % 2 else f"question {number % 4}?", "a", "b", "model_a"
        )
    config = JudgeRunConfig(mode="battles", judge="judge", control_pairs=0)
    with sqlite.read() as session:
        battles = voted_battles(session)
    completions = {
        (prompt.key, side): row for prompt, *both in battles for side, row in zip(SIDES, both, strict=True)
    }
    judge = PairwiseJudge("judge")
    first, second = halves(list(cases(config, judge, [prompt for prompt, *_ in battles], completions)))
    words = [
        {case.prompt.messages[0]["content"].casefold().split()[1] for case in half} for half in (first, second)
    ]
    assert len(first) + len(second) == 40
    assert not words[0] & words[1]
    assert len(words[0] | words[1]) == 4


def test_instructions_of_no_use_are_named_as_such(arena):
    with refusing_server(reply=judged("Be fair.")) as server:
        table = arena(url=server.url)
        [row] = csv.DictReader(io.StringIO(arena("--format", "csv", url=server.url).stdout))
    assert "The gain is not shown" in table.stdout
    assert "one-sided p = 1;" in table.stdout
    assert row["gain_is_shown"] == "False"
    assert row["agreement_before_value"] == row["agreement_after_value"]


def test_the_new_prompt_runs_as_a_template(arena, monkeypatch, capsys):
    with refusing_server(reply=judged(BETTER)) as server:
        table = arena(url=server.url).stdout
        assert "--template aligned-judge/after.md --name 'judge#aligned'" in table
        run = (
            "judge",
            "battles",
            "--judge",
            "judge",
            "--template",
            "aligned-judge/after.md",
            "--name",
            "judge#aligned",
        )
        done = Typed(monkeypatch, capsys)(*run, "--format", "json", folder=arena.folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["judged"] == 60


def test_fewer_than_ten_disagreements_are_refused_before_the_writer_is_called(arena):
    with refusing_server(reply=judged(BETTER)) as server:
        problem = arena(url=server.url, code=2, battles=15).stderr
        assert all("<present_instructions>" not in body["messages"][1]["content"] for body in server.answered)
    assert "at least 10 of each are needed" in problem
    assert not (arena.folder / "aligned-judge").exists()


def test_a_budget_ends_the_run_and_a_larger_one_goes_on(arena):
    with refusing_server(reply=judged(BETTER)) as server:
        problem = arena("--budget", "0.01", url=server.url, code=1).stderr
        assert "have a verdict" in problem
        assert "Run the same command again" in problem
        first = len(server.answered)
        report = json.loads(arena("--budget", "5", "--format", "json", url=server.url).stdout)
        assert len(server.answered) == first + report["calls"]
    assert 0 < first < 2 * 54
    assert 0 < report["cost"] < 5


def test_a_writer_without_a_block_is_failed_work(arena):
    with refusing_server(reply=judged("{answer_a}")) as server:
        problem = arena(url=server.url, code=1).stderr
    assert "judge wrote no instructions that can be used (unparsable" in problem


def test_another_prompt_in_the_folder_is_not_overwritten(arena):
    (arena.folder / "own").mkdir()
    (arena.folder / "own" / "after.md").write_text("mine")
    with refusing_server(reply=judged(BETTER)) as server:
        problem = arena("--out", "own", url=server.url, code=2).stderr
    assert "--out own: after.md is another prompt" in problem
    assert (arena.folder / "own" / "after.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--protocol", "reward"), "Only one judge with a template"),
        (("--writer", "nobody"), "--writer: no model is called 'nobody'"),
        (("--against", "reviewers"), "reviewers have decided none"),
    ],
)
def test_wrong_use_is_named_before_any_call(arena, words, problem):
    with refusing_server() as server:
        assert problem in arena(*words, url=server.url, code=2).stderr
        assert not server.answered
