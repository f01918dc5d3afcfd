"""`/benchmarks`: what readers see of benchmark runs."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from arena.benchmarking.boards import lines, means, most_evaluated, side_by_side
from arena.config import Settings
from arena.serving.models import serve
from arena.store.benchmarks import keep_run, runs
from arena.store.schema.benchmarks import BenchmarkRun
from arena.web.app import create_app
from arena.web.plots.benchmark_data import bar_rows

TASKS = ("mmlu", "gsm8k", "bbq")
DIMENSIONS = {
    "mmlu": "knowledge", "gsm8k": "reasoning", "bbq": "bias", "harmbench": "safety",
    "wikitext2": "language modelling", "hhh-sample": "values", "advbench-sample": "safety",
}  # fmt: skip


def outcome(number: int, right: bool, status: str = "scored") -> dict:
    return {
        "number": number, "sample": f"s{number}", "subject": "", "cluster": "", "status": status,
        "metrics": json.dumps({"acc": float(right)} if status == "scored" else {}), "prompt": f"Question <{number}>?",
        "target": "A", "answer": "A" if right else "B", "reply": "The answer is **x**.", "reason": "",
    }  # fmt: skip


def store_run(
    session, model: str, task: str, rights: list[bool], settings: str = "same", last: str = "scored"
) -> None:
    value = sum(rights) / len(rights)
    run = {
        "task": task, "dimension": DIMENSIONS[task], "settings": settings, "config_hash": f"{task}{settings}{model}"[:64],
        "request_type": "generate", "options": {"shots": 5, "limit": len(rights)}, "metric": "acc", "value": value,
        "standard_error": 0.1, "lower": max(value - 0.2, 0), "upper": min(value + 0.2, 1), "worst": value,
        "best": value, "scored": len(rights), "unparsed": int(last != "scored"), "failed": 0,
        "metrics": {"acc": value}, "subjects": {}, "seconds": 1.0, "cost": None,
    }  # fmt: skip
    statuses = ["scored"] * (len(rights) - 1) + [last]
    rows = [outcome(n, right, status) for n, (right, status) in enumerate(zip(rights, statuses, strict=True))]
    keep_run(session, model, run, rows)


@pytest.fixture
def stored_runs(sqlite):
    with sqlite.write() as session:
        for task in TASKS:
            store_run(session, "amber", task, [True, True, False, True])
            store_run(session, "birch", task, [True, False, False, False], last="unparsed")
        store_run(session, "amber", "mmlu", [True] * 4, settings="other examples")
    return sqlite


@pytest.fixture
def reader(stored_runs):
    settings = Settings(database_url=str(stored_runs.engine.url))
    with TestClient(create_app(settings, stored_runs, serve([]))) as client:
        yield client


def test_only_runs_of_the_same_samples_and_examples_share_a_line(stored_runs):
    with stored_runs.read() as session:
        found = lines(session)
    assert [(one.task, sorted(one.runs)) for one in found] == [
        ("bbq", ["amber", "birch"]), ("mmlu", ["amber"]), ("mmlu", ["amber", "birch"]), ("gsm8k", ["amber", "birch"]),
    ]  # fmt: skip
    assert {row["category"] for row in means(found, ["amber", "birch"])} == {"bias", "reasoning"}
    assert {row["category"] for row in means(found, ["amber"])} == {"bias", "knowledge", "reasoning"}


def test_a_sample_has_a_line_that_says_so_and_counts_in_no_mean(sqlite):
    with sqlite.write() as session:
        store_run(session, "amber", "bbq", [True])
        store_run(session, "amber", "hhh-sample", [True, False])
        store_run(session, "amber", "advbench-sample", [True, False])
    with sqlite.read() as session:
        found = lines(session)
    assert [row["category"] for row in means(found, ["amber"])] == ["bias"]
    assert {line.task: line.less_is_better for line in found} == {
        "bbq": False, "hhh-sample": False, "advbench-sample": True,
    }  # fmt: skip
    with TestClient(create_app(Settings(database_url=str(sqlite.engine.url)), sqlite, serve([]))) as client:
        page = client.get("/benchmarks").text
    assert "hhh-sample" in page
    assert page.count("sample items, no benchmark score") == 2


def test_where_less_is_better_the_smallest_value_is_the_best_also_of_what_is_no_share(sqlite):
    with sqlite.write() as session:
        store_run(session, "amber", "harmbench", [True, False])
        store_run(session, "birch", "harmbench", [False, False])
        store_run(session, "amber", "wikitext2", [True])
        store_run(session, "birch", "wikitext2", [True])
        for one, value in zip(runs(session, task="wikitext2"), (12.8, 1342.75), strict=True):
            session.get_one(BenchmarkRun, one.row.id).value = value
    with sqlite.read() as session:
        assert {one.task: one.best for one in lines(session)} == {"harmbench": 0.0, "wikitext2": 12.8}
    with TestClient(create_app(Settings(database_url=str(sqlite.engine.url)), sqlite, serve([]))) as client:
        page = client.get("/benchmarks").text
    assert "<strong>12.8</strong>" in page
    assert "1,342.8" in page
    assert page.count("· lower is better") == 2


def test_two_lines_of_a_task_have_bars_of_their_own(stored_runs):
    with stored_runs.read() as session:
        found = lines(session)
    rows = bar_rows(found, [])
    assert len({(row["model"], row["task"]) for row in rows}) == len(rows) == 7
    assert max(row["value"] for row in rows) <= 100


def test_a_picture_names_as_many_models_as_it_can_tell_apart_and_reports_it(sqlite):
    with sqlite.write() as session:
        for number in range(9):
            store_run(session, f"model-{number}", "bbq", [True] * number + [False] * (9 - number))
        store_run(session, "model-0", "gsm8k", [True])
    with sqlite.read() as session:
        found = lines(session)
    assert most_evaluated(found, 3) == ["model-0", "model-8", "model-7"]
    with TestClient(create_app(Settings(database_url=str(sqlite.engine.url)), sqlite, serve([]))) as client:
        assert "6 of 9 models, those with the most runs" in client.get("/benchmarks").text
        some = client.get("/benchmarks?models=model-1&models=model-2").text
        bars = client.get("/benchmarks/scores.json?models=model-1&models=model-2").json()["data"]
    assert "Choose models (2 of 9)" in some
    assert "/models/model-3" not in some
    assert [bar["name"] for bar in bars] == ["model-1", "model-2"]


def test_samples_stand_side_by_side_and_can_be_chosen(stored_runs):
    with stored_runs.read() as session:
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
    for words in ("Knowledge", "Reasoning", "0.750", "0.550 – 0.950", "1 unparsed · could be", "/models/amber"):
        assert words in page
    assert len(reader.get("/benchmarks/scores.json").json()["data"]) == 2
    assert reader.get("/benchmarks/radar.json").status_code == 200
    assert reader.get("/benchmarks/scores.csv").text.splitlines()[0].startswith("model,run,task")


@pytest.mark.slow
def test_a_line_shows_samples_as_text(reader):
    page = reader.get("/benchmarks/0?a=amber&b=birch&show=apart").text
    assert "Question &lt;1&gt;?" in page
    assert page.count("<article") == 2
    assert "No model with a run of this task has votes" in reader.get("/benchmarks/0/rating.json").text
    assert reader.get("/benchmarks/99").status_code == 404
    assert reader.get("/benchmarks/0?a=nobody&show=nonsense").status_code == 200
    assert reader.get("/benchmarks/0?start=x").status_code == 422


def test_without_runs_the_page_is_empty_and_names_no_command(sqlite):
    with TestClient(create_app(Settings(database_url=str(sqlite.engine.url)), sqlite, serve([]))) as client:
        page = client.get("/benchmarks").text
    assert "No benchmark runs yet" in page
    assert "arena bench" not in page
