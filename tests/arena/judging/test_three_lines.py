"""Judge runs and completions are started from Python in three lines, without the command line."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict

import pytest

from arena.config import ScriptedSettings, Settings
from arena.judging.config import JudgeRunConfig
from arena.judging.preparation import prepare
from arena.judging.run import open_judge_run, run_judging
from arena.prompt_sets.completions import CompletionsConfig, write_completions
from arena.store import Database, open_database
from arena.store.prompts import NewPrompt, add_prompt_set

SCRIPTS = {"short": "Yes.", "long": "Yes, and here is why: it is so.", "judge": "The first is better. [[A]]"}


@pytest.fixture
def settings(tmp_path) -> Settings:
    models = [
        ScriptedSettings(name=name, endpoint="scripted", replies=(text,), delay=0)
        for name, text in SCRIPTS.items()
    ]
    return Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=tuple(models))


@pytest.fixture
def database(settings):
    prompts = [NewPrompt(f"p{n}", ({"role": "user", "content": f"Is {n} a number?"},)) for n in range(4)]
    with open_database(settings.database_url) as database:
        with database.write() as session:
            add_prompt_set(session, "numbers", "test", "0" * 64, prompts)
        yield database


@pytest.fixture
def answered(database, settings) -> Database:
    write_completions(database, settings, CompletionsConfig("numbers", ["short", "long"]))
    return database


def test_completions_are_written_in_three_lines(database, settings):
    config = CompletionsConfig(prompts="numbers", models=["short", "long"])
    result = write_completions(database, settings, config)
    assert result.to_dict()["written"] == 8
    again = write_completions(database, settings, config)
    assert (again.written, again.call_counts.total) == (0, 0)


def test_a_judge_run_takes_three_lines(answered, settings):
    config = JudgeRunConfig(mode="pairwise", prompts="numbers", judge="judge", control_pairs=0)
    result = run_judging(answered, settings, config)
    report = result.to_dict()
    assert (result.published, result.judged, result.new) == (True, 4, 4)
    assert report["orders"] == {"asked_in_both": 4, "flipped": 4, "flip_rate": 1.0}  # always the first
    assert report["win_rates"] == {"short": 0.5, "long": 0.5}
    assert {row["model"] for row in report["models"]} == {"short", "long"}


def test_the_report_has_the_keys_of_the_json_output(answered, settings):
    config = JudgeRunConfig(mode="single", prompts="numbers", judge="judge")
    report = run_judging(answered, settings, config).to_dict()
    assert list(report) == [
        "mode", "judge", "prompts", "models", "criteria", "win_rates", "cases", "judged", "unread", "coverage",
        "published", "why_not", "new", "by_letter", "orders", "repeats", "canaries", "requests", "examples", "cost",
    ]  # fmt: skip
    assert (report["published"], report["judged"], report["unread"]) == (False, 0, {"no verdict": 8})
    assert "at least 95%" in report["why_not"]


def test_progress_follows_a_judge_run_and_stops_it(answered, settings):
    statuses = []

    @contextmanager
    def two(engine, total):
        def seen(result):
            statuses.append(result.status.value)
            if len(statuses) == 2:
                engine.stop("two are enough")

        yield seen
        assert total == 8

    config = JudgeRunConfig(mode="pairwise", prompts="numbers", judge="judge", control_pairs=0, concurrency=1)
    stopped = run_judging(answered, settings, config, two)
    assert (stopped.published, stopped.examples["not_asked"]) == (False, "two are enough")
    assert len(statuses) == 8
    resumed = run_judging(answered, settings, config)
    assert resumed.requests["from_journal"] == 8 - stopped.requests["failed"]["not_asked"]
    assert resumed.published


def test_verdicts_over_a_single_prompt_are_published_without_a_board(answered, settings):
    config = JudgeRunConfig(mode="pairwise", prompts="numbers", judge="judge", control_pairs=0, limit=1)
    result = run_judging(answered, settings, config)
    assert (result.published, result.new, result.models) == (True, 1, [])


def test_a_forecast_makes_no_call_and_knows_the_cached_requests(answered, settings):
    config = JudgeRunConfig(mode="pairwise", prompts="numbers", judge="judge", control_pairs=0)
    with open_judge_run(answered, prepare(answered, settings, config)) as run:
        before = asdict(run.forecast())
        run.run()
        after = asdict(run.forecast())
    assert (before["cases"], before["requests"], before["in_journal"]) == (4, 8, 0)
    assert (after["requests"], after["in_journal"], after["prompt_tokens"]) == (8, 8, 0)
    assert "Is 0 a number?" in before["example"]


def test_the_cases_of_a_run_are_generated_once(answered, settings, monkeypatch):
    from arena.judging import plan

    made = []
    cases = plan.cases
    monkeypatch.setattr(plan, "cases", lambda *given: made.append(given) or cases(*given))
    config = JudgeRunConfig(mode="pairwise", prompts="numbers", judge="judge", control_pairs=1)
    with open_judge_run(answered, prepare(answered, settings, config)) as run:
        run.forecast()
        result = run.run()
    assert len(made) == 1
    assert len(result.control_pairs) == 3


@pytest.mark.slow
def test_neither_needs_the_command_line():
    modules = "arena.judging.run, arena.judging.peers, arena.prompt_sets.completions"
    source = f"import sys, {modules}; print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
