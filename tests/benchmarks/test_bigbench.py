"""BIG-bench's JSON tasks as their authors score them (bigbench/api/json_task.py, task_metrics.py)."""

import json

import pytest

from arena.benchmarking.selection import SelectionOptions, select
from arena.benchmarking.task_specs import task_specs
from arena.errors import ConfigError
from benchmarks.data import DataSources
from benchmarks.report import report
from benchmarks.task import RequestType
from benchmarks.tasks import shipped

GRADED = {
    "name": "graded",
    "description": "Choices with fractions and ties",
    "metrics": ["multiple_choice_grade"],
    "append_choices_to_input": False,
    "examples": [
        {"input": "one", "target_scores": {"good": 1.0, "fair": 0.5, "bad": 0.0}},
        {"input": "two", "target_scores": {"also": 1, "this": 1, "not": 0}},
        {"input": "three", "target_scores": {"less": 0.25, "least": 0.0}},
    ],
}
WRITTEN = {
    "name": "written",
    "metrics": ["exact_str_match"],
    "stop_string": "\n",
    "examples": [{"input": f"{number}", "target": f"t{number}"} for number in range(4)],
}


@pytest.fixture
def folder(tmp_path):
    for name, task in {"graded": GRADED, "written/first": WRITTEN, "written/second": WRITTEN}.items():
        place = tmp_path / "bigbench" / "benchmark_tasks" / name
        place.mkdir(parents=True)
        (place / "task.json").write_text(json.dumps(task))
    (tmp_path / "bigbench/benchmark_tasks/program").mkdir()
    return tmp_path


def selected(folder, name, **options):
    [spec] = task_specs([name], folder)
    return select(spec, DataSources(folder, hub=False), SelectionOptions(**options))


def choosing(task, sample, choice):
    replies = [{"logprob": -float(other != choice)} for other in sample.choices]
    return task.score(sample, replies, RequestType.LOGLIKELIHOOD)


def test_fractions_and_ties_count_as_the_file_scores_them(folder):
    found = selected(folder, "bigbench/graded")
    one, two, three = found.samples
    grades = {
        choice: choosing(found.task, sample, choice).metrics[found.task.metric]
        for sample in found.samples
        for choice in sample.choices
    }
    expected = {
        "good": 1.0,
        "fair": 0.5,
        "bad": 0.0,
        "also": 1.0,
        "this": 1.0,
        "not": 0.0,
        "less": 0.25,
        "least": 0.0,
    }
    assert grades == expected
    assert [choosing(found.task, two, choice).metrics["acc"] for choice in ("also", "this", "not")] == [
        1.0,
        1.0,
        0.0,
    ]
    outcomes = [
        choosing(found.task, one, "fair"),
        choosing(found.task, two, "this"),
        choosing(found.task, three, "less"),
    ]
    summary = report(found.task, found.samples, outcomes)
    assert summary.value == pytest.approx(1.75 / 3)
    chance = (0.5 + 2 / 3 + 0.125) / 3  # the mean score of the choices
    assert summary.metrics["normalised"] == pytest.approx(100 * (1.75 / 3 - chance) / (1 - chance))


def test_examples_are_parted_by_a_line_feed_unless_the_file_says_otherwise(folder):
    found = selected(folder, "bigbench/written:written/first", shots=2)
    sample = found.samples[0]
    shots = found.examples()(sample)
    [request] = found.task.requests(sample, shots, RequestType.GENERATE)
    solved = "\n".join(f"\nQ: {shot.fields['question']}\nA: {shot.target[0]}" for shot in shots)
    assert request["messages"][0]["content"] == f"{solved}\n\nQ: 0\nA: "


def test_a_text_counts_up_to_the_stop_string_of_its_file(folder):
    found = selected(folder, "bigbench/written")
    reply = {"choices": [{"message": {"content": "t0\nQ: more"}, "finish_reason": "stop"}]}
    assert found.task.score(found.samples[0], [reply], RequestType.GENERATE).metrics["exact_str_match"] == 1.0
    assert {sample.subject for sample in found.samples} == {"written/first", "written/second"}


@pytest.mark.parametrize("name", ["program", "nothing", "../graded", ""])
def test_a_task_without_examples_is_an_error_that_names_the_place(folder, name):
    with pytest.raises(ConfigError, match=r"No task\.json|not supported"):
        task_specs([f"bigbench/{name}"], folder)
    with pytest.raises(ConfigError, match="ARENA_DATA_DIR"):
        task_specs([f"bigbench/{name}"], None)


def test_the_published_separator_is_in_the_shipped_tasks(benchmark_data):
    data = DataSources(benchmark_data, hub=False)
    [spec] = task_specs(["bigbench_mc:emoji_movie"])
    found = select(spec, data, SelectionOptions(shots=1, limit=1))
    sample = found.samples[0]
    context = found.task.requests(sample, found.examples()(sample), RequestType.LOGLIKELIHOOD)[0]["context"]
    assert context.count("\n\nQ: ") == 1
    assert shipped()["bigbench_mc"].metric == "multiple_choice_grade"


def test_a_published_task_is_read_by_name(benchmark_data):
    by_name = selected(benchmark_data, "bigbench/novel_concepts")
    assert by_name.task.metric == "multiple_choice_grade"
    tied = [
        sample for sample in by_name.samples if sample.fields["scores"].count(max(sample.fields["scores"])) > 1
    ]
    assert (len(by_name.samples), len(tied)) == (32, 2)
