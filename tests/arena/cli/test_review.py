"""`arena review` over a real store, and `arena agreement --against reviewers`."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from arena.cli import app
from arena.errors import ConfigError
from arena.reviews.desk import Desk
from tests.support.reviews import add_reviewers, disputed_battles, public_id


@pytest.fixture
def run(sqlite, tmp_path, monkeypatch):
    """Runs a command on the database; returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        result = CliRunner().invoke(app, [*words, "--db", sqlite.url], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return command


def decided(database, names, winner_of):
    """Every reviewer decides everything; `winner_of` is given the reviewer and the text on their left."""
    desk = Desk(database, hours=24)
    for account in add_reviewers(database, *names):
        while task := desk.next(account):
            desk.decide(account, task.assignment, winner_of(account, task.turns[0].left))


def left(_, text):
    return "model_a" if text.startswith("Left") else "model_b"


def test_the_queue_is_filled_decided_and_exported_without_names(sqlite, run):
    (battle,) = disputed_battles(sqlite, 1)
    filled = json.loads(
        run("review", "fill", "--disputed", "against", "--k", "2", "--by", "op", "--format", "json")
    )
    assert filled == {"fitting": 1, "unreadable": 0, "added": 1, "causes": {"against": 1}}
    decided(sqlite, ("ann", "bob"), left)
    status = json.loads(run("review", "status", "--format", "json"))
    assert (status["queued"], status["complete"], status["reviews"]) == (1, 1, 2)
    assert [row["name"] for row in status["reviewers"]] == ["ann", "bob"]
    rows = [json.loads(line) for line in run("review", "export").splitlines()]
    assert {(row["battle"], row["choice"]) for row in rows} == {(public_id(sqlite, battle), "model_a")}
    assert len({row["reviewer"] for row in rows}) == 2
    assert "ann" not in json.dumps(rows)
    assert json.loads(run("review", "export", "--format", "json")) == rows
    assert list(csv.DictReader(io.StringIO(run("review", "export", "--format", "csv")))) == rows


def test_the_tables_are_printed(sqlite, run):
    disputed_battles(sqlite, 1, shared=False)
    run("review", "fill")
    disputed_battles(sqlite, 1, start=1)
    run("review", "fill")
    decided(sqlite, ("ann",), left)
    assert "ann" in run("review", "status")


def test_judges_are_held_against_the_labels_of_reviewers(sqlite, run):
    disputed_battles(sqlite, 8)
    with pytest.raises(ConfigError, match="reviewers have decided none"):
        run("agreement", "--against", "reviewers")
    run("review", "fill", "--k", "1")
    decided(sqlite, ("ann",), left)
    found = json.loads(run("agreement", "--against", "reviewers", "--format", "json"))
    assert (found["against"], found["battles"]) == ("reviewers", 8)
    accuracy = {row["between"]: row["value"] for row in found["figures"] if row["measure"] == "accuracy"}
    assert accuracy["judge:j ~ reviewers"] == accuracy["human ~ reviewers"] == 0.5
    assert accuracy["judge:j ~ human"] == 0
    human = json.loads(run("agreement", "--format", "json"))
    assert human["against"] == "human"
    assert not any("reviewers" in row["between"] for row in human["figures"])


def test_a_public_board_does_not_count_reviews(sqlite, run):
    disputed_battles(sqlite, 2)
    before = json.loads(run("leaderboard", "--format", "json"))
    run("review", "fill")
    decided(sqlite, ("ann", "bob", "cy"), left)
    assert json.loads(run("leaderboard", "--format", "json")) | {"as_of": before["as_of"]} == before
