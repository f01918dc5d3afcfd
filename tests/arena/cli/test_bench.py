"""`arena bench` as it is typed, with the scripted endpoint and a task of one's own."""

import json

import pytest

from tests.support.typed import Typed

ROWS = [
    {"id": "egg", "question": "How long?", "choices": ["one", "four"], "answer": "B"},
    {"id": "tea", "question": "How hot?", "choices": ["cold", "hot"], "answer": "A"},
    {"id": "rye", "question": "How dark?", "choices": ["pale", "dark"], "answer": "B"},
]
OWN_TASK = """
from benchmarks.choice import MultipleChoice, by_letter, lettered, own_choice
from benchmarks.known_files import own

TASKS = (
    MultipleChoice(
        name="kitchen", dimension="knowledge", licence="mine", read=own_choice, options=by_letter,
        sources={"test": [own("kitchen.jsonl", "question", "choices", "answer")]},
        prompt=lambda sample: f"{lettered(sample)}\\nAnswer:",
    ),
)
"""
SETTINGS = """
database_url = "sqlite:///bench.db"
[[models]]
name = "sure"
endpoint = "scripted"
replies = ["Answer: B"]
delay = 0.0
[[models]]
name = "lost"
endpoint = "scripted"
replies = ["Who knows?"]
delay = 0.0
"""


@pytest.fixture
def kitchen(tmp_path, monkeypatch):
    monkeypatch.delenv("ARENA_DATA_DIR", raising=False)
    (tmp_path / "arena.toml").write_text(SETTINGS)
    (tmp_path / "kitchen.py").write_text(OWN_TASK)
    (tmp_path / "broken.py").write_text("\nTASKS = nothing\n")
    (tmp_path / "kitchen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path


@pytest.fixture
def typed(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def ran(typed, folder, *more):
    done = typed("bench", "run", "kitchen.py", "--models", "sure,lost", "--format", "json", *more, folder=folder)
    assert done.returncode == 0, done.stderr
    return {row["model"]: row for row in json.loads(done.stdout)}


def test_a_users_task_is_run_stored_compared_and_read(typed, kitchen):
    rows = ran(typed, kitchen)
    assert rows["sure"]["value"] == pytest.approx(2 / 3)
    assert (rows["sure"]["rung"], rows["sure"]["scored"], rows["sure"]["calls"]) == ("generate", 3, 6)
    assert (rows["lost"]["value"], rows["lost"]["unparsed"], rows["lost"]["best"]) == (0.0, 3, 1.0)
    compared = json.loads(typed("bench", "compare", "sure", "lost", "--format", "json", folder=kitchen).stdout)
    [pair] = compared["pairs"]
    assert (pair["model_a"], pair["difference"], pair["test"]) == ("sure", pytest.approx(2 / 3), "mcnemar")
    assert compared["ties"] == {"kitchen": [["sure", "lost"]]}
    number = str(rows["sure"]["run"])
    read = json.loads(typed("bench", "show", number, "--failed", "--format", "json", folder=kitchen).stdout)
    assert [(one["sample"], one["answer"], one["target"]) for one in read["samples"]] == [("tea", "B", "A. cold")]


def test_a_repeated_run_makes_no_call_and_replaces_itself(typed, kitchen):
    first, second = ran(typed, kitchen), ran(typed, kitchen)
    assert (second["sure"]["calls"], second["sure"]["from_journal"]) == (0, 6)
    assert first["sure"]["run"] == second["sure"]["run"]
    assert len(json.loads(typed("bench", "show", "--format", "json", folder=kitchen).stdout)) == 2


def test_a_larger_limit_asks_the_same_samples_and_more(typed, kitchen):
    ran(typed, kitchen, "--limit", "2")
    assert ran(typed, kitchen)["sure"]["from_journal"] == 4


def test_stored_completions_are_scored_without_a_call(typed, kitchen):
    lines = [{"id": "rye", "completion": "B"}, {"id": "egg", "completion": None}]
    (kitchen / "said.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = typed("bench", "score", "kitchen.py", "said.jsonl", "--format", "json", folder=kitchen)
    found = json.loads(done.stdout)
    assert (found["value"], found["scored"], found["failed"], found["missing"]) == (1.0, 1, 1, 1)
    assert {"task", "metric", "standard_error", "lower", "upper", "unparsed", "metrics"} <= set(found)


def test_a_right_answer_has_its_price(typed, kitchen):
    settings = SETTINGS.replace(
        'replies = ["Answer: B"]', 'replies = ["Answer: B"]\nprice = {prompt = 1, completion = 1e6}'
    )
    (kitchen / "arena.toml").write_text(settings)
    row = ran(typed, kitchen)["sure"]
    assert row["cost_per_correct"] == pytest.approx(row["cost"] / 2)
    assert row["cost_per_correct_lower"] < row["cost_per_correct"]
    shown = typed("bench", "run", "kitchen.py", "--models", "sure", folder=kitchen)
    assert "per right answer" in shown.stderr
    assert ran(typed, kitchen)["lost"]["cost_per_correct"] is None


PROBLEMS = """
from dataclasses import replace
from benchmarks.known_files import own
from benchmarks.tasks.gsm8k import CHAINED
TASKS = (replace(CHAINED, name="sums", sources={"test": [own("sums.jsonl", "question", "answer")]}),)
"""


def test_repeats_let_the_majority_count(typed, kitchen):
    (kitchen / "sums.py").write_text(PROBLEMS)
    (kitchen / "sums.jsonl").write_text(json.dumps({"question": "6 * 7?", "answer": "#### 42"}))
    words = ("bench", "run", "sums.py", "--models", "lost,sure", "--format", "json", "--repeats", "3")
    done = typed(*words, folder=kitchen)
    assert done.returncode == 0, done.stderr
    assert {row["calls"] for row in json.loads(done.stdout)} == {6}
    refused = typed("bench", "run", "kitchen.py", "--models", "sure", "--repeats", "3", folder=kitchen)
    assert (refused.returncode, "takes one completion per sample" in refused.stderr) == (2, True)


def test_of_several_tasks_those_that_a_model_cannot_take_are_skipped(typed, kitchen):
    pair = OWN_TASK.replace('name="kitchen"', 'name="weighed", request_types=("loglikelihood",)')
    (kitchen / "weighed.py").write_text(pair)
    words = ("bench", "run", "weighed.py", "kitchen.py", "--models", "sure", "--format", "json")
    done = typed(*words, folder=kitchen)
    assert done.returncode == 0, done.stderr
    assert [row["task"] for row in json.loads(done.stdout)] == ["kitchen"]
    assert "skipped: weighed: sure: The endpoint serves no request type of this task" in done.stderr


def test_a_task_file_written_for_0_1_runs_with_a_note(typed, kitchen):
    old = OWN_TASK.replace('name="kitchen"', 'name="kitchen", rungs=(Rung.GENERATE,)')
    (kitchen / "kitchen.py").write_text("from benchmarks.task import Rung\n" + old)
    with pytest.warns(FutureWarning, match="`rungs` is deprecated. Use `request_types`"):
        rows = ran(typed, kitchen)
    assert rows["sure"]["rung"] == "generate"


def test_a_sample_runs_without_data_and_says_everywhere_that_it_is_one(typed, kitchen):
    words = ("bench", "run", "--sample", "mmlu:astronomy", "dimension:values", "--models", "sure", "--offline")
    rows = json.loads(typed(*words, "--format", "json", folder=kitchen).stdout)
    assert [(row["task"], row["scored"], row["sample"]) for row in rows] == [
        ("mmlu-sample", 5, True), ("hhh-sample", 20, True),
    ]  # fmt: skip
    for table in (typed(*words, folder=kitchen), typed("bench", "show", str(rows[0]["run"]), folder=kitchen)):
        assert "mmlu-sample" in table.stdout
        assert "not the published items; no benchmark score" in " ".join(table.stdout.split())
    shown = json.loads(typed("bench", "show", str(rows[0]["run"]), "--format", "json", folder=kitchen).stdout)
    assert (shown["task"], shown["options"]["max_tokens"], shown["options"]["shots"]) == ("mmlu-sample", 96, 2)
    assert ran(typed, kitchen)["sure"]["sample"] is False


WRONG = [
    (["run", "--models", "sure"], "No task is named. Name one, or use --sample"),
    (["run", "--sample", "arc_agi_2", "--models", "sure"], "arc_agi_2: This task has no sample items."),
    (["run", "--sample", "kitchen.py", "--models", "sure"], "Task 'kitchen.py' not found."),
    (["run", "mmul", "--models", "sure"], "Task 'mmul' not found. Did you mean mmlu"),
    (["run", "kitchen.py", "--models", "sur"], "no model is called 'sur'"),
    (["run", "dimension:wisdom", "--models", "sure"], "Dimension 'wisdom' not found."),
    (["run", "kitchen.py", "--models", "sure", "--request-type", "loglikelihood"], "returns text only"),
    (["run", "kitchen.py", "--models", "sure", "--shots", "9"], "--shots 9: There are"),
    (["run", "gsm8k", "--models", "sure", "--offline"], "Set ARENA_DATA_DIR"),
    (["run", "none.py", "--models", "sure"], "none.py: File not found."),
    (["run", "broken.py", "--models", "sure"], "broken.py:2: NameError: name 'nothing' is not defined"),
    (["run", "kitchen.py", "--models", ","], "--models: no model is named. Name one of: sure, lost"),
    (["list", "--dimension", "wisdom"], "Dimension 'wisdom' not found. Use one of: knowledge"),
    (["compare", "sure", "lost"], "has no run. Run `arena bench run TASK --models sure`"),
    (["show", "7"], "Benchmark run 7 not found"),
    (["score", "kitchen.py", "none.jsonl"], "none.jsonl: File not found."),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_use_says_what_to_type(typed, kitchen, words, message):
    typed("db", "upgrade", "--db", "sqlite:///bench.db", folder=kitchen)
    done = typed("bench", *words, folder=kitchen)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_list_has_every_task_with_its_dimension_and_licence(typed, kitchen):
    rows = json.loads(typed("bench", "list", "--format", "json", folder=kitchen).stdout)
    assert {"mmlu", "gsm8k", "bbh", "hellaswag"} <= {row["task"] for row in rows}
    assert all(row["licence"] and row["dimension"] and row["metric"] and row["source"] for row in rows)


@pytest.mark.parametrize(
    ("argument", "reason"),
    [("unit", "no value. Give NAME=VALUE"), ("=3", "no value"), ("unit=[", "not YAML. Quote it")],
)
def test_an_argument_of_an_inspect_task_that_cannot_be_read_is_named(typed, kitchen, argument, reason):
    done = typed("bench", "run", "inspect:a/b", "--models", "sure", "-T", argument, folder=kitchen)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--task-arg {argument}: " in done.stderr
    assert reason in " ".join(done.stderr.split())
