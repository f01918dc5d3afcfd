"""`arena judge rank`: a Plackett–Luce board of rankings, resumable, and nothing of it published."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

import ratings
from tests.support.refusing_server import plain_reply, refusing_server
from tests.support.typed import Typed

pytestmark = pytest.mark.service
SETTINGS = """
[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
price = {{prompt = 1.0, completion = 2.0}}
"""
QUALITY = {"fine": 5, "good": 4, "fair": 3, "poor": 2, "wrong": 1}
ANSWER = re.compile(r"<answer_([A-J])>\n(\w+) answer to Question (\d+)")
PROMPTS = 24


def ranked(body):
    """A judge that ranks by the first word; in every third prompt it takes the next two for equal, or the last first."""
    answers = ANSWER.findall(body["messages"][1]["content"])
    order = sorted(answers, key=lambda row: -QUALITY[row[1]])
    letters = [letter for letter, *_ in order]
    number = int(order[0][2])
    text = " > ".join(letters[-1:] + letters[:-1] if number % 3 == 1 else letters)
    text = text.replace(" > ", " = ", 1) if number % 3 == 2 else text
    reply = plain_reply(body)
    reply["choices"][0]["message"]["content"] = f"By the words. [[{text}]]"
    return reply


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    """A folder with a set and completions of five models."""
    typed = Typed(monkeypatch, capsys)
    rows = [{"id": f"q{n}", "prompt": f"Question {n}?"} for n in range(PROMPTS)]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    answers = [
        {"id": row["id"], "model": model, "completion": f"{model} answer to {row['prompt']}"}
        for row in rows
        for model in QUALITY
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    (tmp_path / "arena.toml").write_text(SETTINGS.format(url="http://127.0.0.1:9/v1"))
    for words in (
        ("prompts", "import", "set.jsonl"),
        ("completions", "import", "answers.jsonl", "--prompts", "set"),
    ):
        done = typed(*words, folder=tmp_path)
        assert done.returncode == 0, done.stderr

    def run(*arguments, url, code=0):
        (tmp_path / "arena.toml").write_text(SETTINGS.format(url=url))
        words = ("judge", "rank", "--prompts", "set", "--judge", "judge", *arguments)
        done = typed(*words, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    run.typed, run.folder = typed, tmp_path
    return run


def test_the_board_is_the_fit_of_the_rankings(arena):
    with refusing_server(reply=ranked) as server:
        report = json.loads(arena("--format", "json", "--group", "5", "--rotations", "3", url=server.url).stdout)
        assert len(server.answered) == 3 * PROMPTS
        again = arena("--format", "json", "--group", "5", "--rotations", "3", url=server.url)
        assert len(server.answered) == 3 * PROMPTS
    assert json.loads(again.stdout)["models"] == report["models"]
    assert [row["model"] for row in report["models"]] == list(QUALITY)
    assert report["judged"] == report["cases"] == PROMPTS
    rankings = [row["ranking"] for row in report["rankings"]]
    clusters = [row["prompt"] for row in report["rankings"]]
    fit = ratings.plackett_luce(rankings, prior=ratings.PRIOR, cluster=clusters)
    lower, upper = fit.interval()
    for row in report["models"]:
        m = fit.index(row["model"])
        assert (row["rating"], row["lower"], row["upper"]) == pytest.approx((fit.ratings[m], lower[m], upper[m]))
        assert row["judged"] == 3 * PROMPTS
    assert report["order"]["alike"] == report["order"]["pairs"] == 3 * 10 * PROMPTS


def test_groups_that_share_no_prompt_make_one_board_in_every_format(arena):
    with refusing_server(reply=ranked) as server:
        table = arena("--group", "3", url=server.url)
        rows = list(csv.DictReader(io.StringIO(arena("--group", "3", "--format", "csv", url=server.url).stdout)))
        assert len(server.answered) == 2 * 2 * PROMPTS
    assert "48 of 48 groups ranked" in table.stderr
    assert "ranked alike in two orders" in table.stderr
    assert "mean place" in table.stdout
    assert [row["model"] for row in rows][:2] == ["fine", "good"]
    assert all(float(row["lower"]) < float(row["rating"]) < float(row["upper"]) for row in rows)
    listed = arena.typed("leaderboard", "--source", "judge:judge#rank", folder=arena.folder)
    assert listed.returncode == 2


def test_too_few_readable_rankings_make_no_board(arena):
    def unreadable(body):
        reply = ranked(body)
        if "Question 7?" in body["messages"][1]["content"] or "Question 8?" in body["messages"][1]["content"]:
            reply["choices"][0]["message"]["content"] = "All are fine."
        return reply

    with refusing_server(reply=unreadable) as server:
        done = arena("--format", "json", url=server.url, code=1)
    report = json.loads(done.stdout)
    assert report["models"] == []
    assert "at least 95%" in report["why_not"]
    assert "no board" in done.stderr
    assert report["unread"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [(("--group", "2"), "Groups of 2 completions"), (("--rotations", "0"), "0 rotations are out of range")],
)
def test_options_out_of_range_are_named_before_any_call(arena, words, problem):
    with refusing_server() as server:
        assert problem in arena(*words, url=server.url, code=2).stderr
        assert not server.answered
