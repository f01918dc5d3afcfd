"""`arena models` and its subcommands, which change a running arena."""

from __future__ import annotations

import json

import pytest

from arena.store import Database
from tests.support.arenas import new_file
from tests.support.ballots import ballot
from tests.support.typed import typed

SETTINGS = """
[[models]]
name = "one"
endpoint = "scripted"

[[models]]
name = "two"
endpoint = "scripted"
weight = 2.0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    new_file(tmp_path / "arena.db").close()
    (tmp_path / "arena.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_json(*words):
    return json.loads(typed("models", *words, "--format", "json").stdout)


def test_the_models_are_called_as_before(folder):
    assert [row["ok"] for row in as_json()] == [True, True]
    assert [row["ok"] for row in as_json("--no-probe")] == [None, None]


def test_a_model_is_paused_weighted_and_boosted_with_a_log(folder):
    pause = ("pause", "one", "--reason", "too slow", "--by", "ann")
    dry = as_json(*pause, "--dry-run")
    assert (dry["before"]["state"], dry["after"]["state"], dry["dry_run"]) == ("enabled", "paused", True)
    assert as_json("log")["log"] == []
    assert as_json(*pause)["after"] | {"since": None} == dry["after"] | {"since": None}
    assert as_json("weight", "two", "0.5")["after"]["weight"] == 0.5
    boosted = as_json("boost", "two", "250")
    assert [boosted[key]["boost_votes"] for key in ("before", "after")] == [100, 250], (
        "the file's is in force before"
    )
    assert as_json("weight", "two")["after"]["weight"] == 2.0
    one, two = as_json("list")["models"]
    assert (one["state"], one["reason"], one["by"]) == ("paused", "too slow", "ann")
    assert (two["state"], two["weight"], two["boost_votes"]) == ("enabled", 2.0, 250)
    log = as_json("log")["log"]
    assert [(row["model"], row["action"]) for row in log] == [
        ("two", "weight"), ("two", "boost"), ("two", "weight"), ("one", "pause")]  # fmt: skip
    assert "state" in typed("models", "enable", "one", "--reason", "mended").stdout


def test_a_boost_says_what_its_number_does(folder):
    said = [" ".join(typed("models", "boost", "two", number).stdout.split()) for number in ("300", "0")]
    assert "Its weight counts 2 times until it has 300 votes; it has 0." in said[0]
    assert "No boost: its weight counts once." in said[1]


def test_a_boost_below_the_votes_that_a_model_has_is_called_none(folder):
    database = Database(f"sqlite:///{folder / 'arena.db'}")
    for _ in range(3):
        ballot(database, "one", "two", "tie")
    database.close()
    said = " ".join(typed("models", "boost", "two", "2").stdout.split())
    assert "No boost: it has 3 votes, and the boost ends at 2 votes. Give a larger number." in said


def test_a_reload_is_asked_for_with_a_file_that_can_be_used(folder):
    assert as_json("reload")["models"] == ["one", "two"]
    assert [row["action"] for row in as_json("log")["log"]] == ["reload"]
    (folder / "arena.toml").write_text(SETTINGS + "wieght = 3\n")
    done = typed("models", "reload")
    assert (done.returncode, "unknown key" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pause", "on", "--reason", "x"), "No model 'on' is in the settings file. Did you mean one?"),
        (("pause", "one", "--reason", " "), "--reason is empty, too long or not printable"),
        (("release", "one", "--reason", "x"), "one is not private"),
    ],
)
def test_wrong_use_changes_nothing(folder, words, message):
    done = typed("models", *words)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert as_json("log")["log"] == []


def test_a_reward_model_is_never_enabled(folder):
    (folder / "arena.toml").write_text(
        SETTINGS + '[[models]]\nname = "judge"\nendpoint = "reward"\nsource = "x"\n'
    )
    done = typed("models", "enable", "judge", "--reason", "x")
    assert (done.returncode, "is a reward model" in done.stderr) == (2, True)
