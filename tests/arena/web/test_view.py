"""`arena view`: pages of runs, prompt sets and comparisons, for this machine alone."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from arena.config import read_settings, reply_cache_path
from arena.judging.run_log import UnknownJudgeRun, judge_run, judge_runs, log_path
from arena.store import open_database
from arena.web.run_pages.view import Documents
from arena.web.run_pages.view_app import view_app
from tests.arena.cli.test_bench import OWN_TASK, ROWS
from tests.support.faulty_judge import FaultyJudge
from tests.support.judged_sets import HOSTILE, a_set
from tests.support.typed import typed

TEXTS = [(text, f"{text} and more") for text in HOSTILE] + [("The brown fox.", "The red fox.")]
JUDGE = ("judge", "pairwise", "--prompts", "set", "--judge", "judge")
MODELS = """
[[models]]
name = "sure"
endpoint = "scripted"
replies = ["Answer: B"]
delay = 0.0
"""


def run(*words: str) -> str:
    done = typed(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three judge runs, one of them of scores, and two benchmark runs; the judge's address has changed since."""
    place = tmp_path_factory.mktemp("runs")
    with contextlib.chdir(place):
        with FaultyJudge(share=0.3, times=99, faults=("no verdict",)) as judge:
            a_set(typed, place, judge.url, TEXTS)
            run(*JUDGE, "--completion-rate", "0", "--format", "json")
        settings = place / "arena.toml"
        with FaultyJudge(reply="The second. [[B]]") as judge:
            settings.write_text(re.sub(r'url = ".*"', f'url = "{judge.url}"', settings.read_text()))
            run(*JUDGE, "--name", "second", "--order", "balanced", "--battles", "5")
        with FaultyJudge(reply='{"strengths": "", "weaknesses": "", "score": "7"}') as judge:
            settings.write_text(re.sub(r'url = ".*"', f'url = "{judge.url}"', settings.read_text()) + MODELS)
            run("judge", "single", "--prompts", "set", "--judge", "judge")
        (place / "kitchen.py").write_text(OWN_TASK)
        (place / "kitchen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        run("bench", "run", "kitchen.py", "--models", "sure")
        run("bench", "run", "kitchen.py", "--models", "sure", "--limit", "2")
    return place


@pytest.fixture(scope="module")
def pages(folder):
    with contextlib.chdir(folder):
        settings = read_settings(None, {})
        with open_database(settings.database_url) as database:
            documents = Documents(database, settings, folder / reply_cache_path(settings))
            with TestClient(view_app(documents), base_url="http://127.0.0.1") as client:
                yield client


def read(pages: TestClient, address: str, status: int = 200) -> str:
    reply = pages.get(address)
    assert reply.status_code == status
    return reply.text


def number(text: str, label: str) -> int:
    """The number of a fact at the head of a page."""
    found = re.search(rf"<dt>{label}</dt><dd>(?:<a [^>]*>)?([\d,]+)", text)
    assert found is not None
    return int(found[1])


def test_the_first_page_lists_runs_and_prompt_sets(pages):
    text = read(pages, "/")
    links = set(re.findall(r'href="(/[^"#]*)"', text))
    assert links >= {"/judge/1", "/judge/2", "/judge/3", "/bench/1", "/bench/2", "/prompts/set"}
    for link in links:
        read(pages, link)


def test_a_judge_run_shows_raw_replies_though_the_settings_have_changed_since(pages, folder):
    record = judge_run(folder / "arena-replies.jsonl", 1)
    text = read(pages, "/judge/1")
    assert number(text, "Judged") == record.result["judged"]
    assert number(text, "Without a verdict") == sum(record.result["unread"].values())
    parts = [read(pages, address + "?part=1") for address in re.findall(r'data-address="([^"]*)"', text)]
    assert len(parts) == len(TEXTS) + 3  # and a control pair of each kind
    assert sum("Both are fine." in part for part in parts) > 0
    assert sum("I compared them. [[" in part for part in parts) > 0
    assert sum("The call was not made." in part for part in parts) == 0


def test_a_run_of_few_battles_has_the_cases_that_it_judged(pages, folder):
    record = judge_run(folder / "arena-replies.jsonl", 2)
    text = read(pages, "/judge/2")
    assert number(text, "Judged") == record.result["judged"] == 5
    parts = [read(pages, address + "?part=1") for address in re.findall(r'data-address="([^"]*)"', text)]
    assert len(parts) == 5 + 3
    assert all("The second. [[B]]" in part for part in parts)


def test_no_text_of_a_model_is_markup_on_a_page(pages):
    for kind in ("judge/1", "judge/3", "prompts/set", "compare/1,2"):
        for address in (f"/{kind}", f"/{kind}/samples/1", f"/{kind}/samples/3", f"/{kind}/report.html"):
            text = read(pages, address)
            assert text.count("<script") == text.count("</script>") == 1
            assert "<img" not in text
            assert not re.search(r"<[^>]* on\w+=", text)


def test_a_page_can_load_nothing_and_other_names_lead_nowhere(pages):
    reply = pages.get("/judge/1")
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sha256-" in reply.headers["content-security-policy"]
    assert pages.get("/", headers={"host": "evil.example"}).status_code == 400
    assert pages.post("/judge/1").status_code == 405


def test_two_judge_runs_are_compared_case_by_case(pages):
    reply = pages.get("/compare?run=judge/1&run=judge/2", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (303, "/compare/1,2")
    text = read(pages, "/compare/1,2")
    assert number(text, "The same") + number(text, "Different") == number(text, "Judged in both") <= 5
    cells = [int(cell) for cell in re.findall(r"-then-[^>]*>(\d+)<", text)]
    assert sum(cells) == len(TEXTS)
    sample = read(pages, "/compare/1,2/samples/7")
    assert "run 1 (judge:judge): alpha against beta" in sample


def test_benchmark_runs_are_compared_sample_by_sample(pages):
    reply = pages.get("/compare?run=bench/1&run=bench/2", follow_redirects=False)
    assert reply.headers["location"] == "/bench/1,2"
    text = read(pages, "/bench/1,2")
    assert number(text, "Scored") == 5
    assert "How long?" in read(pages, "/bench/1,2/samples/1")


def test_a_prompt_set_has_every_completion_and_what_all_judges_said(pages):
    text = read(pages, "/prompts/set")
    assert 'data-tag="category-0"' in text
    sample = read(pages, "/prompts/set/samples/7")
    assert "The brown fox." in sample
    assert "The red fox." in sample
    assert "judge 7" in sample  # the score
    assert any("alpha against beta" in read(pages, f"/prompts/set/samples/{n + 1}") for n in range(len(TEXTS)))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/judge/9", "Judge run 9 not found. Judge runs: 1, 2, 3."),
        ("/judge/x", "is no number of a run"),
        ("/judge/1,2", "Name 1 judge run,"),
        ("/bench/77", "Benchmark run 77 not found"),
        ("/prompts/none", "Prompt set"),
        ("/compare/1", "Name 2 judge runs"),
        ("/compare?run=judge/1", "Choose two judge runs"),
        ("/compare?run=judge/1&run=bench/1", "Choose two judge runs"),
        ("/nothing/1", "There is no such page"),
        ("/judge/1/samples/999", "There is no sample 999"),
    ],
)
def test_an_address_without_a_page_says_what_there_is(pages, address, words):
    assert words in read(pages, address, 404)


def test_a_run_whose_judge_has_left_the_settings_keeps_its_numbers(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "other.toml").write_text(MODELS)
    settings = read_settings(folder / "other.toml", {})
    with open_database(settings.database_url) as database:
        documents = Documents(database, settings, folder / "arena-replies.jsonl")
        with TestClient(view_app(documents), base_url="http://127.0.0.1") as client:
            text = read(client, "/judge/1")
            assert "The samples cannot be shown." in text
            assert number(text, "Judged") > 0
            assert '<p class="notice warning">--judge' in read(client, "/compare/1,2", 409)


def test_the_same_run_again_keeps_its_number(folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = judge_runs(folder / "arena-replies.jsonl")
    run("judge", "single", "--prompts", "set", "--judge", "judge", "--budget", "9")
    after = judge_runs(folder / "arena-replies.jsonl")
    assert [record.number for record in before] == [record.number for record in after] == [1, 2, 3]
    assert after[2].at > before[2].at


def test_a_line_that_a_crash_cut_short_is_no_run_and_the_next_one_is(folder, tmp_path):
    path, copy = folder / "arena-replies.runs.jsonl", tmp_path / "replies.jsonl"
    log_path(copy).write_bytes(path.read_bytes() + b'{"key": "abc", "con')
    assert len(judge_runs(copy)) == 3
    with pytest.raises(UnknownJudgeRun, match="Judge run 4 not found"):
        judge_run(copy, 4)
    with pytest.raises(UnknownJudgeRun, match="Run: arena judge"):
        judge_run(tmp_path / "none.jsonl", 1)
