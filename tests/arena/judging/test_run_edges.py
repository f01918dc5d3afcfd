"""Judge runs at their edges: a budget that allows no call, one prompt, refusals, and wrong words in a run file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from arena.errors import ConfigError
from arena.judging.config import read_config
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.faulty_judge import FaultyJudge
from tests.support.typed import Typed

pytestmark = pytest.mark.service

SETTINGS = """
[[models]]
name = "plain"
endpoint = "scripted"
delay = 0

[[models]]
name = "lists"
endpoint = "scripted"
style = "lists"
delay = 0

[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
price = {{prompt = 1.0, completion = 2.0}}
"""


@pytest.fixture
def typed(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


@pytest.fixture
def judge():
    with FaultyJudge() as served:
        yield served


def answered(typed: Typed, folder: Path, url: str, prompts: int = 2) -> None:
    (folder / "arena.toml").write_text(SETTINGS.format(url=url))
    (folder / "set.jsonl").write_text(
        "\n".join(json.dumps({"id": f"p{n}", "prompt": f"Q {n}?"}) for n in range(prompts))
    )
    assert typed("prompts", "import", "set.jsonl", folder=folder).returncode == 0
    assert typed("answer", "--prompts", "set", "--models", "plain,lists", folder=folder).returncode == 0


def test_control_pairs_that_a_budget_stopped_say_nothing_about_the_judge(typed, judge, tmp_path):
    answered(typed, tmp_path, judge.url)
    by = ("judge", "pairwise", "--prompts", "set", "--judge", "judge", "--budget", "0.00001")
    stopped = typed(*by, folder=tmp_path)
    assert (stopped.returncode, judge.answered) == (1, 0)
    assert "not_asked: the budget" in stopped.stderr
    assert "Do not rely on this judge" not in stopped.stderr
    assert "Run the same command again to resume" in stopped.stderr
    report = json.loads(typed(*by, "--format", "json", folder=tmp_path).stdout)
    assert {row["missing"] for row in report["canaries"]} == {1}
    assert report["unread"] == {"not asked": 2}


def test_one_prompt_has_verdicts_and_no_board(typed, judge, tmp_path):
    answered(typed, tmp_path, judge.url)
    done = typed("judge", "pairwise", "--prompts", "set", "--judge", "judge", "--limit", "1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 new verdicts" in done.stderr


def test_refusals_are_not_advised_to_be_repeated(typed, tmp_path):
    with FaultyJudge(share=1.1, times=1000, faults=("refusal",)) as judge:
        answered(typed, tmp_path, judge.url)
        done = typed("judge", "pairwise", "--prompts", "set", "--judge", "judge", folder=tmp_path)
    assert done.returncode == 1
    assert "will be declined again" in done.stderr
    assert "Run the same command again" not in done.stderr


def test_battles_that_nobody_shared_leave_the_machine_only_when_told_to(typed, sqlite, tmp_path):
    ballots(sqlite, PLAIN[:3])
    ballot(sqlite, "amber", "birch", "model_a", shared=True)
    far = SETTINGS.format(url="https://judge.example/v1")
    (tmp_path / "arena.toml").write_text(far)
    by = ("judge", "battles", "--judge", "judge", "--format", "json")
    refused = typed(*by, folder=tmp_path)
    assert refused.returncode == 2
    assert (
        "3 of 4 battles were not shared by their voters, and their texts would go to judge.example"
        in refused.stderr
    )
    pairs = {
        word: json.loads(typed(*by, "--unshared", word, "--dry-run", folder=tmp_path).stdout)
        for word in ("skip", "send")
    }
    assert pairs["skip"]["requests"] < pairs["send"]["requests"]
    assert json.loads(typed(*by, "--dry-run", folder=tmp_path).stdout) == pairs["send"]
    (tmp_path / "arena.toml").write_text(far.replace("judge.example", "localhost"))
    assert json.loads(typed(*by, "--dry-run", folder=tmp_path).stdout)["requests"] == pairs["send"]["requests"]


def test_a_wrong_key_is_corrected_before_the_command_is_repeated(typed, tmp_path):
    with FaultyJudge(share=1.1, times=1000, faults=("401",)) as judge:
        answered(typed, tmp_path, judge.url)
        done = typed("judge", "pairwise", "--prompts", "set", "--judge", "judge", folder=tmp_path)
    assert done.returncode == 1
    assert "judge cannot be used. Correct what the reason names; then run" in done.stderr
    assert "Do not rely on this judge" not in done.stderr


@pytest.mark.parametrize(("answer", "code"), [("y", 1), ("n", 1)])
def test_a_terminal_is_asked_before_unshared_battles_are_sent(typed, sqlite, tmp_path, monkeypatch, answer, code):
    ballots(sqlite, PLAIN[:1])
    (tmp_path / "arena.toml").write_text(SETTINGS.format(url="https://judge.example/v1"))

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    done = typed("judge", "battles", "--judge", "judge", "--budget", "0.0000001", folder=tmp_path)
    assert done.returncode == code
    assert "Send them?" in done.stderr + done.stdout
    assert ("not_asked" in done.stderr) is (answer == "y")


def test_names_in_a_run_file_may_be_one_text(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('mode = "pairwise"\nprompts = "set"\npanel = "x, y"\nmodels = "a,b"')
    assert (read_config(path).models, read_config(path).panel) == (("a", "b"), ("x", "y"))
    path.write_text('mode = "pairwise"\nprompts = "set"\njudge = "x"\nmodels = 5')
    with pytest.raises(ConfigError, match="models: "):
        read_config(path)
    path.write_text('mode = "pairwise"\nprompts = "set"\njudge = "x"\nunshared = "send"')
    with pytest.raises(ConfigError, match="in the mode battles only"):
        read_config(path)
