"""The command line, as a user types it."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import pytest
from sqlmodel import select

from arena.store import Database
from arena.store.schema.battles import PairCount
from arena.store.schema_version import latest_revision
from tests.support.arenas import opened_battles, settled
from tests.support.typed import Typed

TWO = """
[[models]]
name = "one"
endpoint = "scripted"

[[models]]
name = "two"
endpoint = "scripted"
"""


@pytest.fixture
def arena(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def vote_once(folder: Path) -> None:
    async def vote() -> None:
        database = Database(f"sqlite:///{folder / 'arena.db'}")
        database.make_ready()
        battles = await opened_battles(database)
        view = await battles.begin("ann", "hello")
        await settled(battles, "ann", view.public_id)
        await battles.vote("ann", view.public_id, "model_a")
        database.close()

    asyncio.run(vote())


def test_the_leaderboard_is_json_on_standard_output_alone(arena, tmp_path):
    vote_once(tmp_path)
    done = arena("leaderboard", "--format", "json", folder=tmp_path)
    board = json.loads(done.stdout)
    assert done.returncode == 0
    assert (board["votes"], board["source"], board["category"]) == (1, "human", "overall")
    assert {"model", "rating", "lower", "upper", "rank", "battles", "wins"} <= board["models"][0].keys()
    assert [model["wins"] for model in board["models"]] == [1, 0]


def test_the_leaderboard_prints_as_table_and_csv(arena, tmp_path):
    vote_once(tmp_path)
    assert "plain" in arena("leaderboard", folder=tmp_path).stdout
    rows = list(csv.DictReader(arena("leaderboard", "--format", "csv", folder=tmp_path).stdout.splitlines()))
    assert {row["model"] for row in rows} == {"plain-model", "lists-model"}


def test_an_unknown_source_is_wrong_use(arena, tmp_path):
    done = arena("leaderboard", "--source", "people", folder=tmp_path)
    assert done.returncode == 2
    assert "Use human, judges, judge:NAME, both or all" in done.stderr
    assert done.stdout == ""


def test_a_wrong_setting_is_reported_in_one_line_without_a_traceback(arena, tmp_path):
    (tmp_path / "arena.toml").write_text(TWO + "wieght = 1\n")
    done = arena("serve", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip() == "error: arena.toml: models[2].wieght: unknown key. Did you mean 'weight'?"


def test_serving_without_models_says_what_to_do(arena, tmp_path):
    done = arena("serve", folder=tmp_path)
    assert done.returncode == 2
    assert "Add a [[models]] table for each model, or run `arena demo`" in done.stderr


def test_a_missing_settings_file_is_named(arena, tmp_path):
    done = arena("serve", "--config", "nowhere.toml", folder=tmp_path)
    assert done.returncode == 2
    assert "nowhere.toml: no such file" in done.stderr


def test_a_port_in_use_is_reported_before_anything_is_loaded(arena, tmp_path):
    import socket

    (tmp_path / "arena.toml").write_text(TWO)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = arena("serve", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert done.returncode == 2
    assert "Choose another --host or --port" in done.stderr


@pytest.mark.parametrize("command", [("leaderboard",), ("db", "recount")])
def test_reading_in_the_wrong_folder_makes_no_database(arena, tmp_path, command):
    done = arena(*command, folder=tmp_path)
    assert done.returncode == 2
    assert "Database arena.db not found" in done.stderr
    assert not (tmp_path / "arena.db").exists()


def test_recount_proves_and_repairs(arena, tmp_path):
    vote_once(tmp_path)
    done = arena("db", "recount", folder=tmp_path)
    assert (done.returncode, "every pair count agrees" in done.stderr) == (0, True)
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with database.write() as session:
        session.exec(select(PairCount).where(PairCount.category == "overall")).one().wins = 9
    database.close()
    assert arena("db", "recount", folder=tmp_path).returncode == 1
    assert arena("db", "recount", "--repair", folder=tmp_path).returncode == 0
    assert arena("db", "recount", folder=tmp_path).returncode == 0


def test_upgrade_makes_a_new_database(arena, tmp_path):
    done = arena("db", "upgrade", "--db", f"sqlite:///{tmp_path / 'new.db'}", folder=tmp_path)
    assert done.returncode == 0
    assert f"new → {latest_revision()}" in done.stderr


def test_models_are_called_and_their_problems_are_reported(arena, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    unreachable = '[[models]]\nname = "three"\nendpoint = "openai"\nurl = "http://127.0.0.1:9/v1"\nretries = 0\n'
    keyless = unreachable.replace("three", "four") + 'api_key_env = "NO_SUCH_KEY"\n'
    (tmp_path / "arena.toml").write_text(TWO + unreachable + keyless)
    done = arena("models", "--format", "json", folder=tmp_path)
    rows = {row["model"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert rows["one"]["ok"]
    assert "unreachable" in rows["three"]["message"]
    assert "is the server running" in rows["three"]["advice"]
    assert "NO_SUCH_KEY is not set" in rows["four"]["message"]


@pytest.mark.parametrize("command", ["demo", "serve", "models", "leaderboard", "db"])
def test_every_command_explains_itself(arena, tmp_path, command):
    done = arena(command, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("options", "method"),
    [(("--category", "english"), "bradley_terry"), (("--method", "elo"), "elo")],
)
def test_the_leaderboard_takes_method_style_and_category(arena, tmp_path, options, method):
    vote_once(tmp_path)
    done = arena("leaderboard", "--format", "json", *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    board = json.loads(done.stdout)
    assert (board["votes"], board["method"]) == (1, method)
    assert ("classifier" in board) is ("--category" in options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--category", "poetry"), "Category 'poetry' has no votes. Categories with votes:"),
        (("--method", "elo", "--style"), "Style control needs method bt"),
        (("--source", "both", "--style"), "has its own method"),
        (("--source", "both"), "at least one judge"),
        (("--method", "davidson"), "no battle is tie"),
        (("--style",), "No two completions differ in style"),
    ],
)
def test_a_board_that_cannot_be_made_says_why(arena, tmp_path, options, said):
    vote_once(tmp_path)
    done = arena("leaderboard", *options, folder=tmp_path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize("old", ["--journal=x.jsonl", "--journal"])
def test_an_old_spelling_of_an_option_is_accepted_and_not_shown(arena, tmp_path, old):
    (tmp_path / "arena.toml").write_text(TWO)
    arguments = [old] if "=" in old else [old, "x.jsonl"]
    done = arena("answer", "--prompts", "none", "--models", "one", *arguments, folder=tmp_path)
    assert "No such option" not in done.stderr
    shown = arena("answer", "--help", folder=tmp_path).stdout
    assert "--reply-cache" in shown
    assert "--journal" not in shown
