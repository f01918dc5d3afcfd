"""One rule for every command: 0 done, 2 wrong use, which another command mends, 1 work that was begun and failed."""

from __future__ import annotations

import contextlib
import json
import re

import pytest
import typer

from arena.cli import app
from tests.support.arenas import new_file
from tests.support.ballots import ballots
from tests.support.typed import Typed, typed

SETTINGS = """
[[models]]
name = "one"
endpoint = "scripted"
delay = 0

[[models]]
name = "two"
endpoint = "scripted"
style = "lists"
delay = 0

[[models]]
name = "dead"
endpoint = "openai"
url = "http://127.0.0.1:9/v1"
retries = 0
"""
PROMPTS = '{"id": "p1", "prompt": "Why is the sky blue?"}\n{"id": "p2", "prompt": "Name a river."}\n'
KITCHEN = json.dumps({"question": "Salt is", "choices": ["sweet", "salty"], "answer": "B"}) + "\n"
TASK = """
from benchmarks.choice import MultipleChoice, by_letter, lettered, own_choice
from benchmarks.known_files import own

TASKS = (
    MultipleChoice(
        name="kitchen",
        dimension="knowledge",
        licence="mine",
        read=own_choice,
        options=by_letter,
        sources={"test": [own("kitchen.jsonl", "question", "choices", "answer")]},
        prompt=lambda sample: f"{lettered(sample)}\\nAnswer:",
    ),
)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Settings, a database with votes and a prompt set, and files that are nothing of ours."""
    place = tmp_path_factory.mktemp("exit")
    (place / "arena.toml").write_text(SETTINGS)
    (place / "set.jsonl").write_text(PROMPTS)
    (place / "bad.jsonl").write_text("nothing of ours\n")
    (place / "kitchen.py").write_text(TASK)
    (place / "many.py").write_text(TASK.replace("kitchen.jsonl", "many.jsonl"))
    (place / "many.jsonl").write_text(KITCHEN * 4)
    (place / "kitchen.jsonl").write_text(KITCHEN)
    (place / "bad.db").write_text("nothing of ours " * 100)
    database = new_file(place / "arena.db")
    ballots(database, day="2026-01-05", shared=True)
    database.close()
    with contextlib.chdir(place):
        for words in (
            ("prompts", "import", "set.jsonl"),
            ("answer", "--prompts", "set", "--models", "one,two"),
            ("export", "--out", "changed"),
        ):
            done = typed(*words)
            assert done.returncode == 0, done.stderr
    rows = (place / "changed" / "models.jsonl").read_text()
    (place / "changed" / "models.jsonl").write_text(rows.replace("amber", "bitter"))
    return place


@pytest.fixture
def arena(monkeypatch, capsys, folder):
    run = Typed(monkeypatch, capsys)
    return lambda *words: run(*words, folder=folder)


def leaves(command, words=()):
    if not hasattr(command, "commands"):
        return [words]
    return [leaf for name, one in command.commands.items() for leaf in leaves(one, (*words, name))]


def named(value):
    """A row by its command, in the list of tests."""
    return " ".join(value) if isinstance(value, tuple) else ""


CHANGES = ("enable", "pause", "retire", "release")  # of a model
JUDGE_SET = ("--prompts", "set", "--judge", "dead")
WRONG = [
    (("demo", "--port", "many"), "Invalid value for '--port'"),
    (("serve", "--config", "none.toml"), "none.toml: no such file"),
    (("models", "list", "--config", "bad.jsonl"), "bad.jsonl: is not valid TOML"),
    *((("models", change, "nobody", "--reason", "x"), "nobody") for change in CHANGES),
    (("models", "weight", "nobody", "2", "--reason", "x"), "nobody"),
    (("models", "boost", "nobody", "5", "--reason", "x"), "nobody"),
    (("models", "reload", "--config", "none.toml"), "none.toml: no such file"),
    (("models", "log", "--db", "nonsense"), "is not a database URL"),
    (("attack-cost", "--accuracy", "0.5"), "--accuracy 0.5"),
    (("accounts", "add", "Not a name!", "--password-env", "HOME"), "name"),
    *((("accounts", change, "nobody"), "nobody") for change in ("disable", "enable")),
    (("accounts", "role", "nobody", "operator"), "nobody"),
    (("accounts", "password", "nobody", "--password-env", "HOME"), "The password has"),
    (("accounts", "list", "--db", "nonsense"), "is not a database URL"),
    (("review", "fill", "--k", "0"), "Invalid value for '--k'"),
    (("review", "status", "--db", "nonsense"), "is not a database URL"),
    (("review", "export", "--db", "nonsense"), "is not a database URL"),
    (("trust", "check", "--db", "nonsense"), "is not a database URL"),
    (("votes", "quarantine", "--reason", "burst", "--detail", "x"), "--vote"),
    (("votes", "release", "--why", "x"), "--vote"),
    (("db", "upgrade", "--db", "nonsense"), "is not a database URL"),
    (("db", "recount", "--db", "sqlite:///none.db"), "Database none.db not found"),
    (("db", "copy", "sqlite:///arena.db"), "in use by another|is not empty"),
    (
        ("leaderboard", "--source", "judge:nobody"),
        "'judge:nobody' has no verdicts. Judges with verdicts: none",
    ),
    (("leaderboard", "--source", "judge:nobody", "--at", "2999-01-01"), "'judge:nobody' has no verdicts"),
    (("view", "judge/9"), "Judge run 9 not found"),
    (("view", "judge/1", "bench/1"), "Name runs of one kind"),
    (("rate", "none.csv"), "none.csv"),
    (("rate", "bad.jsonl"), "bad.jsonl"),
    (("moved", "amber", "--from", "2020-01-01", "--to", "2020-01-02"), "'amber' has no votes"),
    (
        ("moved", "amber", "--from", "2020-01-01", "--to", "2999-01-02", "--source", "judge:nobody"),
        "'judge:nobody' has no verdicts",
    ),
    (("voters", "--level", "2"), "--level 2"),
    (("votes", "list", "--db", "nonsense"), "is not a database URL"),
    (("votes", "log", "--db", "nonsense"), "is not a database URL"),
    (("votes", "set-aside", "--reason", "x"), "Give one of --judge NAME and --import NAME"),
    (("votes", "take-back", "--reason", "x", "--import", "none"), "No import 'none' has votes here"),
    (("tag", "nobody"), "no model is called 'nobody'"),
    (("prompts", "import", "none.jsonl"), "none.jsonl: no such file"),
    (("prompts", "import", "bad.jsonl", "--format", "wildbench"), "bad.jsonl"),
    (("prompts", "import", "set.jsonl", "--map", "prompt"), "--map prompt is invalid. Write FIELD=SOURCE"),
    (("completions", "import", "bad.jsonl"), "bad.jsonl"),
    (("completions", "import", "set.jsonl", "bad.jsonl"), "Add --prompts SET"),
    (("prompts", "list", "--db", "nonsense"), "is not a database URL"),
    (("answer", "--prompts", "none", "--models", "one"), "Prompt set 'none' not found"),
    (("judge", "single", "--prompts", "none", "--judge", "one"), "Prompt set 'none' not found"),
    (("judge", "baseline", *JUDGE_SET), "--baseline"),
    (("judge", "pairwise", *JUDGE_SET, "--models", "one,ghost"), "arena answer"),
    (("judge", "battles", "--judge", "one", "--models", "nobody,two"), "No human votes on battles between"),
    (("judge", "peers", "--prompts", "set", "--models", "one,two"), "2 models; a peer examination needs"),
    (("judge", "link", "--old", "judge:a", "--new", "judge:b"), "No verdicts of 'judge:a'"),
    (("judge", "import", "bad.jsonl", "--judge", "j"), "bad.jsonl"),
    (("judge", "delete", "nobody"), "nobody"),
    (("judge", "calibrate", "nobody"), "No battle has a verdict of both judge:nobody and human"),
    (("judge", "rank", *JUDGE_SET, "--group", "99"), "Groups of 99 completions are out of range"),
    (("judge", "align", "--judge", "nobody"), "--judge: no model is called 'nobody'"),
    (("judge", "board", "nobody", "--prompts", "set"), "judge:nobody has judged nothing in 'set'"),
    (("judge", "single", *JUDGE_SET, "--rubric", "none.yaml"), "none.yaml: no such file"),
    (("judge", "run", "none.toml"), "none.toml: no such file"),
    (("judge", "score", "mt_bench", "bad.jsonl"), "bad.jsonl"),
    (("judge", "score", "mt_bench", "none.jsonl"), "none.jsonl"),
    (("agreement", "--between", "human,judge:b"), "no votes of 'judge:b'"),
    (("disputed", "--judge", "nobody"), "--judge"),
    (("explain", "999999", "--judge", "dead"), "999999"),
    (("bench", "list", "--format", "poem"), "Invalid value for '--format'"),
    (("bench", "run", "nonsense", "--models", "one"), "Task 'nonsense' not found"),
    (("bench", "run", "kitchen.py", "--models", "nobody"), "no model is called 'nobody'"),
    (("bench", "fetch", "nonsense"), "Task 'nonsense' not found"),
    (("bench", "score", "kitchen.py", "bad.jsonl"), "bad.jsonl"),
    (("bench", "score", "kitchen.py", "none.jsonl"), "none.jsonl"),
    (("bench", "compare", "one", "two"), "'one' has no run"),
    (("bench", "show", "99"), "99"),
    (("bench", "delete", "99"), "99"),
    (("speed", "nobody"), "no model is called 'nobody'"),
    (("audit", "nobody", "kitchen.py"), "no model is called 'nobody'"),
    (("reports", "--kind", "boring"), "Invalid value for '--kind'"),
    (("export", "--out", "bad.jsonl"), "already exists"),
    (("export", "--format", "lm_eval", "--runs", "99"), "Benchmark run 99 not found"),
    (("import", "none.csv"), "none.csv"),
    (("import", "bad.jsonl"), "bad.jsonl"),
    (("seal", "--filter", "none"), "Filter 'none' is unknown"),
    (("seal", "--every", "9", "--format", "csv"), "--every has no end"),
    (("verify", "none"), "none not found"),
]
FAILED = [
    (("models",), "", "unreachable"),  # the table is the result
    (("answer", "--prompts", "set", "--models", "dead"), "transport", ""),
    (("tag", "dead"), "transport", ""),
    (("judge", "pairwise", *JUDGE_SET, "--models", "one,two"), "0.0%", ""),
    (("bench", "run", "kitchen.py", "--models", "dead", "--request-type", "generate"), "transport", ""),
    (("bench", "run", "kitchen.py", "--models", "dead"), "Cannot connect to host", ""),
    (("audit", "dead", "many.py", "--shards", "2"), "Cannot connect to host", ""),
    (("speed", "dead", "--requests", "1", "--warmup", "0", "--repeats", "1"), "", ""),
    (("explain", "1", "--judge", "dead"), "", ""),
    (("leaderboard", "--db", "sqlite:///bad.db"), "file is not a database", ""),
    (("verify", "changed"), "", "does not follow"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=named)
def test_wrong_use_is_2_and_says_what_to_do(arena, words, message):
    done = arena(*words)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert re.search(message, " ".join(done.stderr.split()))
    assert "Traceback" not in done.stderr


@pytest.mark.slow  # refusals are waited for and asked again
@pytest.mark.parametrize(
    ("words", "message", "result"), FAILED, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_work_that_failed_is_1(arena, words, message, result):
    done = arena(*words)
    assert done.returncode == 1, done.stderr
    assert message in done.stderr
    assert result in done.stdout
    assert "Traceback" not in done.stderr


def test_every_command_has_a_row():
    there = set(leaves(typer.main.get_command(app)))
    message = {words[:2] if words[:2] in there else words[:1] for words, _ in WRONG}
    assert message == there


@pytest.mark.parametrize(
    "arguments",
    [
        ("leaderboard", "--source", "judge:\udcff"),
        ("import", "votes\udcff.csv"),
        ("votes", "set-aside", "--import", "\udcff"),
    ],
)
def test_an_argument_that_is_no_utf_8_is_an_error_without_a_traceback(monkeypatch, capsys, folder, arguments):
    """A shell passes any bytes, and Python gives those that are no UTF-8 as halves of surrogate pairs."""
    done = Typed(monkeypatch, capsys)(*arguments, folder=folder)
    assert (done.returncode, "is not UTF-8 text" in done.stderr) == (2, True)
