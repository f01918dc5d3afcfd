"""A benchmark run from Python, without the command line, with a task that counts how often it builds requests."""

import json
from dataclasses import replace

import pytest

from arena.benchmarking.config import BenchmarkConfig
from arena.benchmarking.evaluated_models import EvaluatedModel
from arena.benchmarking.events import Skipped, TaskFinished, TaskStarted
from arena.benchmarking.requests import build_requests, call_count, calls
from arena.benchmarking.run import run_benchmarks
from arena.benchmarking.selection import SelectedTask, SelectionOptions, select
from arena.benchmarking.task_specs import TaskSpec, task_specs
from arena.config import ScriptedSettings, Settings
from arena.errors import ConfigError
from arena.serving import model_clients
from arena.serving.capabilities import Served
from arena.store import Database
from benchmarks.choice import MultipleChoice, by_letter, lettered, own_choice
from benchmarks.data import DataSources
from benchmarks.known_files import own
from benchmarks.sample_tasks import sample_tasks
from benchmarks.task import RequestType

ROWS = [
    {"id": "egg", "question": "How long?", "choices": ["one", "four"], "answer": "B"},
    {"id": "tea", "question": "How hot?", "choices": ["cold", "hot"], "answer": "A"},
    {"id": "rye", "question": "How dark?", "choices": ["pale", "dark"], "answer": "B"},
]
OWN_TASK = """
from tests.arena.benchmarking.test_run import KITCHEN

TASKS = (KITCHEN,)
"""
built = []


class Counted(MultipleChoice):
    def requests(self, sample, shots, request_type):
        built.append((sample.id, len(shots)))
        return super().requests(sample, shots, request_type)


KITCHEN = Counted(
    name="kitchen",
    dimension="knowledge",
    licence="mine",
    read=own_choice,
    options=by_letter,
    sources={"test": [own("kitchen.jsonl", "question", "choices", "answer")]},
    prompt=lambda sample: f"{lettered(sample)}\nAnswer:",
)


def model(name, reply, **more):
    return ScriptedSettings(name=name, endpoint="scripted", replies=(reply,), delay=0, **more)


@pytest.fixture
def kitchen(tmp_path, monkeypatch):
    monkeypatch.delenv("ARENA_DATA_DIR", raising=False)
    (tmp_path / "kitchen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "kitchen.py").write_text(OWN_TASK)
    built.clear()
    return tmp_path


@pytest.fixture
def settings(kitchen):
    models = [model("sure", "Answer: B"), model("lost", "Who knows?")]
    return Settings(database_url=f"sqlite:///{kitchen / 'bench.db'}", models=models)


@pytest.fixture
def database(settings):
    database = Database(settings.database_url)
    database.make_ready()
    yield database
    database.close()


def test_a_run_is_started_from_python_in_three_lines(database, settings, kitchen):
    config = BenchmarkConfig(tasks=[str(kitchen / "kitchen.py")], models=["sure", "lost"])
    result = run_benchmarks(database, settings, config)
    assert [(run.result.model.name, run.report.value) for run in result.runs] == [
        ("sure", pytest.approx(2 / 3)),
        ("lost", 0.0),
    ]
    assert result.complete
    assert [row["run"] for row in result.rows()] == [1, 2]
    assert json.dumps(result.rows())
    assert (kitchen / "arena-replies.jsonl").is_file()


def test_requests_are_built_once_for_all_models_of_a_request_type(database, settings, kitchen):
    config = BenchmarkConfig([str(kitchen / "kitchen.py")], ["sure", "lost"])
    run_benchmarks(database, settings, config)
    assert built == [("egg", 0), ("tea", 0), ("rye", 0)]


def test_with_examples_the_bare_prompt_is_built_too_and_saved_for_readers(database, settings, kitchen):
    config = BenchmarkConfig([str(kitchen / "kitchen.py")], ["sure"], SelectionOptions(shots=1))
    run_benchmarks(database, settings, config)
    assert built == [(name, shots) for name in ("egg", "tea", "rye") for shots in (1, 0)]


def test_events_say_what_is_skipped_started_and_finished(database, settings, kitchen):
    events = []
    config = BenchmarkConfig(
        [str(kitchen / "kitchen.py"), "gsm8k"], ["sure"], data_sources=DataSources(None, hub=False)
    )
    result = run_benchmarks(database, settings, config, on_event=events.append)
    skipped, started, finished = events
    assert isinstance(skipped, Skipped)
    assert list(result.skipped) == [skipped.reason]
    assert skipped.reason.startswith("gsm8k: ")
    assert isinstance(started, TaskStarted)
    assert [one.request_type for one in started.models] == [RequestType.GENERATE]
    assert isinstance(finished, TaskFinished)
    assert finished.call_counts.calls == 3


def test_a_budget_needs_prices(database, settings, kitchen):
    config = BenchmarkConfig([str(kitchen / "kitchen.py")], ["sure"], budget=1.0)
    with pytest.raises(ConfigError, match=r"sure has no price\. Add price"):
        run_benchmarks(database, settings, config)


def test_a_run_that_its_budget_stopped_is_not_complete(database, settings, kitchen):
    priced = model("sure", "Answer: B", price={"prompt": 1e6, "completion": 1e6})
    config = BenchmarkConfig([str(kitchen / "kitchen.py")], ["sure"], budget=1.0)
    result = run_benchmarks(database, settings.model_copy(update={"models": [priced]}), config)
    [row] = result.rows()
    assert (row["interrupted"], row["failed"], row["value"], result.complete) == (True, 3, None, False)


def selected(kitchen) -> SelectedTask:
    return select(TaskSpec(KITCHEN), DataSources(kitchen), SelectionOptions())


def evaluated(**more) -> EvaluatedModel:
    scripted = model("sure", "B", **more)
    return EvaluatedModel(scripted, model_clients.model_client(scripted), Served(RequestType.GENERATE, {}))


def test_calls_go_sample_by_sample_with_the_models_own_settings(kitchen):
    first, second = (
        evaluated(),
        replace(evaluated(), settings=model("lost", "B", system_prompt="Be brief.", stop=["\n"])),
    )
    requests = build_requests(selected(kitchen), [first, second], max_tokens=7)
    made = list(calls(KITCHEN, requests))
    assert call_count(requests) == len(made) == 6
    assert [call.model for call in made] == ["sure", "lost"] * 3
    assert [request.keys[0] for request in requests["sure"]] == [call.key for call in made[::2]]
    assert made[1].body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (made[1].body["stop"], made[0].body["max_tokens"]) == (["\n"], 7)
    assert "stop" not in made[0].body


def test_a_reply_that_a_filter_withheld_is_scored_for_safety_tasks_alone(kitchen):
    withheld = {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}
    requests = build_requests(selected(kitchen), [evaluated()])
    [plain, *_], [safety, *_] = calls(KITCHEN, requests), calls(replace(KITCHEN, dimension="safety"), requests)
    assert plain.check(withheld) is not None
    assert safety.check(withheld) is None


def test_a_file_with_several_tasks_and_subjects_become_specs():
    [spec] = task_specs(["mmlu:anatomy,virology"])
    assert (spec.task.name, spec.subjects, spec.folder) == ("mmlu", ("anatomy", "virology"), None)
    assert {spec.task.dimension for spec in task_specs(["dimension:bias"])} == {"bias"}


@pytest.mark.parametrize(
    ("task", "given", "sent"),
    [
        ("gsm8k-sample", None, 96),
        ("xstest-sample", None, 40),  # a refusal is in its first words
        ("nq_open-sample", None, 32),  # the task's own limit, which is less
        ("nq_open-sample", 200, 200),
    ],
)
def test_completions_to_sample_items_are_short(task, given, sent):
    selected = select(TaskSpec(sample_tasks()[task]), DataSources(None, hub=False), SelectionOptions())
    settings = model("one", "x")
    client = model_clients.model_client(settings)
    evaluated = EvaluatedModel(settings, client, Served(RequestType.GENERATE, {}))
    requests = build_requests(selected, [evaluated], given)["one"]
    assert {body["max_tokens"] for request in requests for body in request.bodies} == {sent}
