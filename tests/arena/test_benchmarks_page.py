"""`/benchmarks`: what readers see of benchmark runs."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from arena.benchmark_boards import lines, means, side_by_side
from arena.config import Settings
from arena.serving import serve
from arena.store.benchmarks import keep_run
from arena.web.app import create_app

TASKS = {"mmlu": "knowledge", "gsm8k": "reasoning", "bbq": "bias"}


def outcome(number: int, right: bool, status: str = "scored") -> dict:
    return {
        "number": number, "sample": f"s{number}", "subject": "", "cluster": "", "status": status,
        "metrics": json.dumps({"acc": float(right)} if status == "scored" else {}), "prompt": f"Question <{number}>?",
        "target": "A", "answer": "A" if right else "B", "reply": "The answer is **x**.", "reason": "",
    }  # fmt: skip


def kept(session, model: str, task: str, rights: list[bool], settings: str = "same", last: str = "scored") -> None:
    value = sum(rights) / len(rights)
    run = {
        "task": task, "dimension": TASKS[task], "settings": settings, "design": f"{task}{settings}{model}"[:64],
        "rung": "generate", "options": {"shots": 5, "limit": len(rights)}, "metric": "acc", "value": value,
        "standard_error": 0.1, "lower": max(value - 0.2, 0), "upper": min(value + 0.2, 1), "worst": value,
        "best": value, "scored": len(rights), "unparsed": int(last != "scored"), "failed": 0,
        "metrics": {"acc": value}, "subjects": {}, "seconds": 1.0, "cost": None,
    }  # fmt: skip
    statuses = ["scored"] * (len(rights) - 1) + [last]
    rows = [outcome(n, right, status) for n, (right, status) in enumerate(zip(rights, statuses, strict=True))]
    keep_run(session, model, run, rows)


@pytest.fixture
def taken(sqlite):
    with sqlite.write() as session:
        for task in TASKS:
            kept(session, "amber", task, [True, True, False, True])
            kept(session, "birch", task, [True, False, False, False], last="unparsed")
        kept(session, "amber", "mmlu", [True] * 4, settings="other examples")
    return sqlite


@pytest.fixture
def reader(taken):
    settings = Settings(database_url=str(taken.engine.url))
    with TestClient(create_app(settings, taken, serve([]))) as client:
        yield client


def test_only_runs_of_the_same_samples_and_examples_share_a_line(taken):
    with taken.read() as session:
        found = lines(session)
    assert [(one.task, sorted(one.runs)) for one in found] == [
        ("bbq", ["amber", "birch"]), ("mmlu", ["amber"]), ("mmlu", ["amber", "birch"]), ("gsm8k", ["amber", "birch"]),
    ]  # fmt: skip
    assert {row["category"] for row in means(found) if row["model"] == "amber"} >= {"bias", "reasoning"}


def test_samples_stand_side_by_side_and_can_be_chosen(taken):
    with taken.read() as session:
        line = next(one for one in lines(session) if one.task == "gsm8k")
        both = [line.runs["amber"], line.runs["birch"]]
        shown = {show: [pair.sample for pair in side_by_side(session, both, show)]
                 for show in ("all", "apart", "wrong", "unscored")}  # fmt: skip
    assert shown == {
        "all": ["s0", "s1", "s2", "s3"],
        "apart": ["s1", "s3"],
        "wrong": ["s1", "s2", "s3"],
        "unscored": ["s3"],
    }


def test_the_page_holds_scores_intervals_and_what_was_not_scored(reader):
    page = reader.get("/benchmarks").text
    for words in ("Knowledge", "Reasoning", "0.750", "0.550 – 0.950", "1 unparsed, 0 failed", "/models/amber"):
        assert words in page
    assert len(reader.get("/benchmarks/scores.json").json()["data"]) == 2
    assert reader.get("/benchmarks/radar.json").status_code == 200
    assert reader.get("/benchmarks/scores.csv").text.splitlines()[0].startswith("model,run,task")


def test_a_line_shows_samples_as_text(reader):
    page = reader.get("/benchmarks/0?a=amber&b=birch&show=apart").text
    assert "Question &lt;1&gt;?" in page
    assert page.count("<article") == 2
    assert "No model of this task has votes" in reader.get("/benchmarks/0/rating.json").text
    assert reader.get("/benchmarks/99").status_code == 404
    assert reader.get("/benchmarks/0?a=nobody&show=nonsense&start=x").status_code == 200


def test_without_runs_the_command_is_told(sqlite):
    with TestClient(create_app(Settings(database_url=str(sqlite.engine.url)), sqlite, serve([]))) as client:
        assert "arena bench run" in client.get("/benchmarks").text
