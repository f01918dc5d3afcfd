"""`arena judge peers` and `arena judge link`, as they are typed."""

from __future__ import annotations

import json

import pytest

from tests.support.faulty_judge import FaultyJudge
from tests.support.typed import Typed

MODEL = """
[[models]]
name = "{name}"
endpoint = "openai"
url = "{url}"
"""


@pytest.fixture
def arena(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def prepared(arena, folder, url: str) -> None:
    (folder / "arena.toml").write_text("".join(MODEL.format(name=name, url=url) for name in "abc"))
    (folder / "set.jsonl").write_text("\n".join(json.dumps({"id": f"{n}", "prompt": f"{n}?"}) for n in range(6)))
    assert arena("prompts", "import", "set.jsonl", folder=folder).returncode == 0
    assert arena("answer", "--prompts", "set", "--models", "a,b,c", folder=folder).returncode == 0


@pytest.mark.slow
def test_each_model_judges_the_others_and_the_weights_follow(arena, tmp_path):
    with FaultyJudge() as judge:
        prepared(arena, tmp_path, judge.url)
        done = arena("judge", "peers", "--prompts", "set", "--format", "json", folder=tmp_path)
        few = arena("judge", "peers", "--prompts", "set", "--models", "a,b", folder=tmp_path)
        dry = arena("judge", "peers", "--prompts", "set", "--dry-run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {row["model"] for row in found["models"]} == {"a", "b", "c"}
    weights = [row["weight"] for row in found["models"]]
    if None in weights:  # this judge's verdicts are random, and random judges may prefer each other in turns
        assert "unweighted" in done.stderr
        assert all(row["score"] == row["unweighted"] for row in found["models"])
    else:
        assert sum(weights) == pytest.approx(1)
    assert [run["judge"] for run in found["runs"]] == ["judge:a", "judge:b", "judge:c"]
    assert all(set(run["win_rates"]) == {"a", "b", "c"} - {run["judge"][-1]} for run in found["runs"])
    assert (few.returncode, "needs at least 3" in few.stderr) == (2, True)
    assert dry.stdout.count("cases of 2 models") == 3


@pytest.mark.slow
def test_a_new_judge_takes_over_from_an_old_one(arena, tmp_path):
    with FaultyJudge() as judge:
        prepared(arena, tmp_path, judge.url)
        run = ("judge", "pairwise", "--prompts", "set")
        assert arena(*run, "--judge", "a", "--name", "old", folder=tmp_path).returncode == 0
        assert arena(*run, "--judge", "b", "--name", "new", "--limit", "4", folder=tmp_path).returncode == 0
    link = ("judge", "link", "--old", "judge:old", "--new", "judge:new")
    found = json.loads(arena(*link, "--format", "json", folder=tmp_path).stdout)
    assert found["link"]["battles"] == 12
    for row in found["models"]:
        assert row["lower"] <= row["linked_win_rate"] <= row["upper"]
        expected = 0.5 + found["link"]["slope"] * (row["old_win_rate"] - 0.5)
        assert row["linked_win_rate"] == pytest.approx(expected)
    missing = arena("judge", "link", "--old", "judge:old", "--new", "judge:none", folder=tmp_path)
    assert (missing.returncode, "No verdicts of 'judge:none'" in missing.stderr) == (2, True)
