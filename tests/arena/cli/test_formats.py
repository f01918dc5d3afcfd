"""What a program reads of commands that tell people a sentence: JSON alone on standard output, or CSV."""

from __future__ import annotations

import csv
import json

import pytest
from sqlmodel import select

from arena.store import Database
from arena.store.schema.battles import PairCount
from arena.store.schema_version import latest_revision
from tests.support.arenas import new_file
from tests.support.ballots import ballots
from tests.support.typed import Typed

SETTINGS = '[[models]]\nname = "one"\nendpoint = "scripted"\ndelay = 0\n'
BATTLE = {"model_a": "x", "model_b": "y", "winner": "model_a"}


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    (tmp_path / "arena.toml").write_text(SETTINGS)
    (tmp_path / "set.jsonl").write_text('{"id": "p1", "prompt": "Why?"}\n')
    (tmp_path / "battles.jsonl").write_text(json.dumps(BATTLE) + "\n")
    database = new_file(tmp_path / "arena.db")
    ballots(database)
    database.close()
    typed = Typed(monkeypatch, capsys)

    def run(*words: str, code: int = 0) -> str:
        done = typed(*words, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done.stdout

    return run


def as_json(text):
    return json.loads(text)


def as_csv(text):
    return list(csv.DictReader(text.splitlines()))


def test_import_tells_what_came(arena):
    came = {"name": "battles", "votes": 1, "there": 0, "models": 2, "without_voter": 1, "skipped": {}}
    assert as_json(arena("import", "battles.jsonl", "--format", "json")) == came
    assert as_csv(arena("import", "battles.jsonl", "--format", "csv")) == [
        {"name": "battles", "votes": "0", "there": "1", "models": "2", "without_voter": "1", "skipped": "0"}
    ]


def test_answer_tells_what_was_written_and_what_failed(arena):
    arena("prompts", "import", "set.jsonl")
    words = ("answer", "--prompts", "set", "--models", "one", "--format")
    message = as_json(arena(*words, "json"))
    assert (message["written"], message["ok"], message["failed"]) == (1, 1, {})
    (row,) = as_csv(arena(*words, "csv"))  # a second time there is nothing to ask
    assert (row["written"], row["requests"], row["failed"]) == ("0", "0", "0")


def test_seal_tells_the_new_seals_and_the_last(arena):
    message = as_json(arena("seal", "--format", "json"))
    assert [one["votes"] for one in message["new"]] == [8]
    assert message["last"] == message["new"][0]
    again = as_json(arena("seal", "--format", "json"))
    assert again == {"new": [], "last": message["last"]}
    assert arena("seal", "--format", "csv") == ""


def test_upgrade_tells_both_layouts(arena, tmp_path):
    words = ("db", "upgrade", "--db", f"sqlite:///{tmp_path / 'new.db'}", "--format", "json")
    message = as_json(arena(*words))
    assert (message["from"], message["to"]) == (None, latest_revision())
    assert as_json(arena(*words))["from"] == latest_revision()


def test_recount_tells_each_difference_by_the_models_names(arena, tmp_path):
    assert as_json(arena("db", "recount", "--format", "json")) == {
        "votes": 8,
        "differences": [],
        "repaired": False,
    }
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with database.write() as session:
        session.exec(select(PairCount).where(PairCount.category == "overall")).first().wins = 99
    database.close()
    (row,) = as_csv(arena("db", "recount", "--format", "csv", code=1))
    assert (row["model_a"], row["category"], row["source"], row["stored_wins"]) == (
        "amber",
        "overall",
        "human",
        "99",
    )
    message = as_json(arena("db", "recount", "--repair", "--format", "json"))
    assert (message["repaired"], message["differences"][0]["stored_wins"]) == (True, 99)


def test_copy_tells_the_rows_of_each_table(arena, tmp_path):
    rows = as_csv(arena("db", "copy", f"sqlite:///{tmp_path / 'new.db'}", "--format", "csv"))
    assert {row["table"]: row["rows"] for row in rows}["vote"] == "8"


def test_judging_votes_whose_texts_are_not_here_is_reported(arena, monkeypatch, capsys, tmp_path):
    words = ("--db", f"sqlite:///{tmp_path / 'bare.db'}")
    arena("import", "battles.jsonl", *words)
    done = Typed(monkeypatch, capsys)("judge", "battles", "--judge", "one", *words, folder=tmp_path)
    assert done.returncode == 2
    assert "has complete texts of both sides" in done.stderr
    assert "No human votes" not in done.stderr
