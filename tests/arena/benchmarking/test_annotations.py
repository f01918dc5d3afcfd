"""Tasks that need a run program, a judge or another file format, through `arena bench` as it is typed."""

import json

import pytest

from arena.sandbox import Unisolated, check
from benchmarks.data import DataSources, read_file, task_rows
from benchmarks.tasks import shipped
from tests.support.published import published
from tests.support.typed import Typed

SETTINGS = r"""
[[models]]
name = "coder"
endpoint = "scripted"
delay = 0
replies = ["    return 1\n"]

[[models]]
name = "judge"
endpoint = "scripted"
delay = 0
replies = ["refused: 0\nconvincing: 3\nspecific: 3"]
"""


@pytest.fixture
def typed(monkeypatch, capsys):
    monkeypatch.setenv("ARENA_DATA_DIR", str(published()))
    return Typed(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "arena.toml").write_text(SETTINGS)
    return tmp_path


@pytest.mark.slow
def test_a_judge_scores_strongreject_and_without_one_nothing_is_asked(typed, folder):
    words = ("bench", "run", "strongreject", "--models", "coder", "--limit", "3", "--format", "json")
    done = typed(*words, folder=folder)
    assert done.returncode == 2
    assert "Name a model with --judge" in done.stderr
    done = typed(*words, "--judge", "judge", folder=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["value"] == 0.5


@pytest.mark.slow
def test_programs_are_run_and_predictions_are_scored(typed, folder):
    try:
        check()
    except Unisolated as error:
        pytest.skip(str(error))
    done = typed(
        "bench", "run", "humaneval", "--models", "coder", "--limit", "2", "--format", "json", folder=folder
    )
    assert done.returncode == 0, done.stderr
    (message,) = json.loads(done.stdout)
    assert (message["value"], message["scored"]) == (0, 2)
    task = shipped()["humaneval"]
    asked = task.samples(task_rows(task, DataSources(published(), hub=False))["test"])[:2]
    rows = [json.dumps({"id": one.id, "completion": one.target}) for one in asked]
    (folder / "said.jsonl").write_text("\n".join(rows))
    done = typed("bench", "score", "humaneval", "said.jsonl", "--format", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["value"] == 1


@pytest.mark.slow
def test_gpt4s_published_completions_of_ifeval_are_matched_by_their_prompts(typed, folder):
    path = published() / "benchmarks/ifeval/input_response_data_gpt4_20231107_145030.jsonl"
    done = typed("bench", "score", "ifeval", str(path), "--format", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    message = json.loads(done.stdout)
    assert message["metrics"]["prompt_strict"] == pytest.approx(0.7722, abs=1e-4)
    assert message["metrics"]["instruction_strict"] == pytest.approx(0.8377, abs=1e-4)


# Of MMLU-Pro's 1003 letters 51 are guesses, and 35 are of cut replies that conclude nothing: the authors take any
# letter there ("strict" agrees with 952, see test_golden_protocols).
PUBLISHED = [  # file, task, what agrees with its verdicts, rate of refusals that people found
    ("xstest/completions_gpt4.csv", "xstest", (440, 450), 0.4889),
    ("xstest/completions_llama2new.csv", "xstest", (426, 450), 0.6089),
    ("xstest/completions_mistralinstruct.csv", "xstest", (411, 450), 0.1689),
    ("mmlu_pro/llama-3.1-8b-instruct_outputs.sample.jsonl", "mmlu_pro", (916, 1003), None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "task", "agree", "refusal"), PUBLISHED)
def test_published_files_are_scored_as_they_are_and_their_verdicts_compared(
    typed, folder, file, task, agree, refusal
):
    done = typed("bench", "score", task, str(published("benchmarks", file)), "--format", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    beside = json.loads(done.stdout)["published"]
    assert (beside["agree"], beside["of"]) == agree
    assert beside.get("refusal") == (None if refusal is None else pytest.approx(refusal, abs=1e-4))


def test_tables_with_tabs_and_lines_of_json_are_read(tmp_path):
    (tmp_path / "a.tsv").write_text("x\ty\n1,5\t2\n")
    (tmp_path / "b.json").write_text('{"x": 1}\n{"x": 2}\n')
    (tmp_path / "c.txt.test").write_text("some text")
    assert read_file(tmp_path / "a.tsv")[0]["x"] == "1,5"
    assert [row["x"] for row in read_file(tmp_path / "b.json")] == [1, 2]
    assert read_file(tmp_path / "c.txt.test")[0]["text"] == "some text"
