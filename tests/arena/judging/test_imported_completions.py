"""Completions that were imported are judged as if they had been made here, in every mode."""

from __future__ import annotations

import json

import pytest

from tests.support.faulty_judge import FaultyJudge
from tests.support.typed import Typed

JUDGE = """
[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"

[[models]]
name = "scorer"
endpoint = "scripted"
enabled = false
replies = ["Short and right. Rating: [[7]]"]
delay = 0
"""
MADE = """
[[models]]
name = "plain"
endpoint = "scripted"
delay = 0

[[models]]
name = "lists"
endpoint = "scripted"
style = "lists"
delay = 0
"""
MODES = (
    ("single", "--judge", "scorer", "--protocol", "mt_bench"),
    ("baseline", "--judge", "judge", "--baseline", "plain", "--protocol", "arena"),
    ("pairwise", "--judge", "judge"),
)


@pytest.fixture
def arena(monkeypatch, capsys):
    typed = Typed(monkeypatch, capsys)

    def run(folder, *arguments):
        done = typed(*arguments, folder=folder)
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_imported_completions_get_the_verdicts_of_those_made_here(arena, tmp_path):
    made, brought = tmp_path / "made", tmp_path / "brought"
    for folder in (made, brought):
        folder.mkdir()
    with FaultyJudge() as judge:
        (made / "arena.toml").write_text(MADE + JUDGE.format(url=judge.url))
        (brought / "arena.toml").write_text(JUDGE.format(url=judge.url))
        rows = [{"question_id": n, "text": f"Question {n}?", "category": "misc"} for n in range(12)]
        (made / "question.jsonl").write_text("\n".join(map(json.dumps, rows)))
        arena(made, "prompts", "import", "question.jsonl", "--name", "set")
        arena(made, "answer", "--prompts", "set", "--models", "plain,lists")
        arena(made, "export", "--format", "mt_bench", "--prompts", "set", "--out", "out")
        arena(brought, "prompts", "import", str(made / "question.jsonl"), "--name", "set")
        answers = sorted(map(str, (made / "out" / "model_answer").glob("*.jsonl")))
        done = arena(brought, "completions", "import", *answers, "--prompts", "set")
        assert "set: 24 completions of 2 models (fastchat)" in done.stderr
        assert (
            "0 completions of 0 models (fastchat); 24 were already there"
            in arena(brought, "completions", "import", *answers, "--prompts", "set").stderr
        )
        for mode in MODES:
            command = ("judge", *mode, "--prompts", "set", "--name", mode[0], "--format", "json")
            here, there = (json.loads(arena(folder, *command).stdout) for folder in (made, brought))
            assert here["published"], mode
            assert here == there, mode
