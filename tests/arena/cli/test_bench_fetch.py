"""`arena bench fetch` as it is typed; a fetched task then runs with no option."""

import csv
import io
import json

import pytest

from tests.support.data_hub import data_hub
from tests.support.typed import Typed

SETTINGS = """
database_url = "sqlite:///bench.db"
[[models]]
name = "sure"
endpoint = "scripted"
replies = ["Answer: B"]
delay = 0.0
"""
HEAD = ["Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"]
REVISION = "5233cd1db58884ed0bf678c7c6be731722a23f84"
pytestmark = pytest.mark.service


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("ARENA_DATA_DIR", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    (tmp_path / "arena.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def hub(monkeypatch):
    with data_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def typed(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def table(rows):
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *rows])
    return text.getvalue().encode()


def test_a_fetched_task_runs_with_no_option(typed, folder, hub):
    content = table([[f"Question {number}?", "a", "b", "c", "d"] for number in range(3)])
    hub.dataset("Idavidrein/gpqa", REVISION, {"gpqa_diamond.csv": content, "gpqa_main.csv": b"x"})
    done = typed("bench", "fetch", "gpqa_diamond", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "gpqa_diamond: licence CC-BY-4.0" in done.stderr
    assert "fetched" in done.stdout
    listed = json.loads(typed("bench", "list", "--format", "json", folder=folder).stdout)
    assert {row["task"]: row["data"] for row in listed}["gpqa_diamond"] == "folder"
    ran = typed("bench", "run", "gpqa_diamond", "--models", "sure", "--format", "json", folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)[0]["scored"] == 3


def test_a_gated_set_fails_in_words_and_a_closed_one_names_its_place(typed, folder, hub):
    hub.status = 401
    done = typed("bench", "fetch", "gpqa_diamond", "ptb", "--data", "own", folder=folder)
    assert done.returncode == 1
    text = " ".join(done.stderr.split())
    assert "The data set is gated. Accept its terms at https://huggingface.co/datasets/Idavidrein/gpqa" in text
    assert "own/ptb/ptb.test.txt" in text
    rows = json.loads(typed("bench", "fetch", "ptb", "--format", "json", folder=folder).stdout)
    assert [(row["state"], row["licence"]) for row in rows] == [("by hand", "LDC")]
    assert typed("bench", "fetch", "ptb", "--format", "csv", folder=folder).stdout.startswith(
        "task,file,state,licence"
    )


def test_the_list_says_which_data_can_be_fetched(typed, folder):
    rows = json.loads(typed("bench", "list", "--format", "json", folder=folder).stdout)
    data = {row["task"]: row["data"] for row in rows}
    assert (data["xstest"], data["mmlu"], data["ptb"]) == ("fetch", "hub", "missing")
    missing = typed("bench", "run", "xstest", "--models", "sure", folder=folder)
    assert missing.returncode == 2
    assert "Run `arena bench fetch` with the task's name." in missing.stderr
