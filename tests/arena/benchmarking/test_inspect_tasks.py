"""Tasks of inspect_ai from the command line: the example of the docs, whole, and what becomes of failures."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.refusing_server import plain_reply, refusing_server
from tests.support.timing import PATIENCE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is None, reason="needs the extra 'inspect'"),
]
ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "docs" / "benchmarks.md").read_text().split("## Tasks of inspect_ai\n")[1].split("\n## ")[0]
EXAMPLE = {"python": "ledger.py", "toml": "arena.toml"}
LEDGER = "inspect:ledger.py@ledger"


@pytest.fixture
def folder(tmp_path):
    for language, name in EXAMPLE.items():
        [text] = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
        (tmp_path / name).write_text(text)
    return tmp_path


def arena(folder, *words):
    """A command in a process of its own, since inspect_ai changes the logging of the process."""
    return subprocess.run(
        [sys.executable, "-m", "arena", *words],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE * 10,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip


def ran(folder, *more, models="clerk", code=0):
    done = arena(folder, "bench", "run", LEDGER, "--models", models, "--format", "json", *more)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout), done.stderr


def samples(folder, run):
    return json.loads(arena(folder, "bench", "show", str(run), "--format", "json").stdout)["samples"]


def logged(folder):
    from inspect_ai.log import read_eval_log

    [file] = (folder / "logs").glob("*.eval")
    return read_eval_log(str(file))


def test_the_example_of_the_docs_runs_whole_and_again_from_the_cache(folder):
    [row], told = ran(folder, "--inspect-logs", "logs")
    assert (row["task"], row["metric"], row["value"]) == (LEDGER, "includes", 0.5)
    assert (row["scored"], row["unparsed"], row["failed"], row["calls"]) == (2, 0, 0, 4)
    assert (row["lower"] < 0.5 < row["upper"], row["metrics"]["includes/accuracy"]) == (True, 0.5)
    assert "warning:" in told
    assert "protects nothing" in told
    pens, inks = samples(folder, row["run"])
    assert (pens["sample"], pens["metrics"], pens["reply"]) == ("pens", {"includes": 1.0}, "I counted 7 pens.")
    assert (inks["sample"], inks["metrics"]) == ("inks", {"includes": 0.0})
    results = [
        message.text for sample in logged(folder).samples for message in sample.messages if message.role == "tool"
    ]
    assert results == ["pens,3\npens,4\n"] * 2
    [again], _ = ran(folder)
    assert (again["run"], again["value"], again["calls"], again["from_journal"]) == (row["run"], 0.5, 0, 4)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
def test_the_example_runs_in_bubblewrap_without_a_warning(folder):
    [row], told = ran(folder, "--sandbox", "bubblewrap", "--inspect-logs", "logs")
    assert (row["value"], row["failed"]) == (0.5, 0)
    assert "warning:" not in told
    log = logged(folder)
    assert log.eval.sandbox.type.endswith("bubblewrap")
    assert [message.text for message in log.samples[0].messages if message.role == "tool"] == ["pens,3\npens,4\n"]


def test_arguments_epochs_limit_and_price_reach_the_task_and_its_result(folder):
    settings = (folder / "arena.toml").read_text()
    (folder / "arena.toml").write_text(settings + "price = { prompt = 1.0, completion = 2.0 }\n")
    [row], _ = ran(folder, "-T", "unit=pencils", "--limit", "1", "--repeats", "3")
    assert (row["value"], row["scored"], row["calls"]) == (0.0, 3, 6)
    assert [one["sample"] for one in samples(folder, row["run"])] == ["pens", "pens (epoch 2)", "pens (epoch 3)"]
    assert row["cost"] == pytest.approx((row["prompt_tokens"] + 2 * row["completion_tokens"]) / 1e6)
    assert row["cost"] > 0


def test_failed_calls_are_failed_samples_and_never_scored(folder):
    settings = (folder / "arena.toml").read_text()
    broken = settings[settings.index("[[models]]") :].replace("clerk", "ill") + 'fault = "before_first_token"\n'
    (folder / "arena.toml").write_text(settings + broken)
    rows, told = ran(folder, models="clerk,ill", code=1)
    clerk, ill = rows
    assert (clerk["value"], clerk["failed"]) == (0.5, 0)
    assert (ill["value"], ill["scored"], ill["unparsed"], ill["failed"]) == (None, 0, 0, 2)
    assert {one["status"] for one in samples(folder, ill["run"])} == {"failed"}
    assert "fail before the first token" in samples(folder, ill["run"])[0]["reason"]
    assert "refused" in told


SERVED = """
[[models]]
name = "served"
endpoint = "openai"
url = "{url}"
stop = ["END"]
max_tokens = 77
"""


def calls_bash_once(body):
    """A reply that calls the tool, and one that reads its result."""
    reply = plain_reply(body)
    results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    function = {"name": "bash", "arguments": json.dumps({"command": "cut -d, -f2 sales.csv | head -1"})}
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": function}],
    }
    message = {"role": "assistant", "content": f"{results[-1].strip()} pens"} if results else call
    return {
        **reply,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop" if results else "tool_calls"}],
    }


def test_a_server_receives_tools_and_their_results_and_the_models_own_settings(folder):
    with refusing_server(reply=calls_bash_once) as server:
        settings = (folder / "arena.toml").read_text()
        (folder / "arena.toml").write_text(settings + SERVED.format(url=server.url))
        [row], _ = ran(folder, "--limit", "1", models="served")
    first, second = server.answered
    assert [tool["function"]["name"] for tool in first["tools"]] == ["bash"]
    assert (first["tool_choice"], first["stop"], first["max_tokens"]) == ("auto", ["END"], 77)
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert second["messages"][-1] == {"role": "tool", "content": "3\n", "tool_call_id": "c"}
    assert (row["value"], row["scored"], row["calls"]) == (0.0, 1, 2)


GRADED = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes, metric, model_graded_qa

@task
def graded():
    return Task(dataset=[Sample(input="2 + 2?", target="4"), Sample(input="3 + 3?", target="6")], scorer=model_graded_qa())

@metric
def odd():
    def value(scores):
        raise RuntimeError("no such metric")
    return value

@task
def unfinished():
    return Task(dataset=[Sample(input="2 + 2?", target="4")], scorer=includes(), metrics=[odd()])

@task
def broken():
    raise RuntimeError("no such data")
"""
JUDGE = """
[[models]]
name = "strict"
endpoint = "scripted"
delay = 0.0
enabled = false
replies = ["GRADE: I"]
"""


def test_the_judge_is_the_grader_of_the_task(folder):
    (folder / "graded.py").write_text(GRADED)
    (folder / "arena.toml").write_text((folder / "arena.toml").read_text() + JUDGE)
    words = ("bench", "run", "inspect:graded.py@graded", "--models", "clerk", "--format", "json")
    done = arena(folder, *words, "--judge", "strict")
    [row] = json.loads(done.stdout)
    assert (done.returncode, row["value"], row["scored"], row["metric"]) == (0, 0.0, 2, "model_graded_qa")


def test_an_evaluation_without_an_end_saves_no_score(folder):
    (folder / "graded.py").write_text(GRADED)
    done = arena(folder, "bench", "run", "inspect:graded.py@unfinished", "--models", "clerk")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ended with the status error" in " ".join(done.stderr.split())
    assert json.loads(arena(folder, "bench", "show", "--format", "json").stdout) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("inspect:missing.py@ledger", "File missing.py not found"),
        ("inspect:ledger.py@nothing", "nothing"),
        ("inspect:no_such_package/task", "Task not found"),
        ("inspect:graded.py@broken", "RuntimeError: no such data"),
    ],
)
def test_a_task_that_is_not_there_or_broken_is_an_error_in_one_line(folder, name, reason):
    (folder / "graded.py").write_text(GRADED)
    done = arena(folder, "bench", "run", name, "--models", "clerk")
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
