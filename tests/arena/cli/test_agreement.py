"""`arena judge battles` and `arena agreement`: judges on the battles that people voted on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from arena.rules.votes import HUMAN
from arena.store import battles as stored
from arena.store.models import register_models
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from tests.support.arenas import new_file
from tests.support.faulty_judge import FaultyJudge
from tests.support.typed import Typed

SETTINGS = """
[[models]]
name = "plain"
endpoint = "scripted"

[[models]]
name = "wordy"
endpoint = "scripted"

[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
"""
LONG = "- one\n- two\n" + "so it is, and so it goes on. " * 4
WINNERS = ["model_a", "model_b", "tie", "both_bad", "model_a", "model_a"]


@pytest.fixture
def arena(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def voted(folder: Path) -> None:
    """Six battles that people voted on: a plain completion on the left, a long list on the right."""
    database = new_file(folder / "arena.db")
    with database.write() as session:
        register_models(session, ["plain", "wordy"])
        for number, winner in enumerate(WINNERS):
            battle = stored.add_battle(session, "voter", "plain", "wordy", 1.0)
            stored.add_turn(session, battle.id, f"Question {number}?")
            sides = {"a": "Yes.", "b": LONG}
            texts = {side: Written(text, CompletionStatus.FINISHED) for side, text in sides.items()}
            stored.finish_turn(session, battle.id, texts, BattleStatus.OPEN)
            add_vote(session, battle.id, HUMAN, "voter", winner, stopped_early=False)
    database.close()


def figures(done) -> dict[tuple[str, str], dict]:
    return {(row["measure"], row["between"]): row for row in json.loads(done.stdout)["figures"]}


def test_judges_vote_on_battles_of_people_and_agreement_tells_how_they_compare(arena, tmp_path):
    voted(tmp_path)
    judging = ("judge", "battles", "--judge", "judge", "--format", "json")
    with FaultyJudge() as judge:
        (tmp_path / "arena.toml").write_text(SETTINGS.format(url=judge.url))
        first = json.loads(arena(*judging, folder=tmp_path).stdout)
        again = json.loads(arena(*judging, folder=tmp_path).stdout)
    assert (first["cases"], first["new"], again["new"]) == (6, 6, 0)
    assert again["requests"]["calls"] == 0

    found = figures(arena("agreement", "--format", "json", folder=tmp_path))
    assert found["accuracy", "judge:judge ~ human"]["items"] == 6
    assert found["lets the longer win", "human"]["value"] == pytest.approx(2 / 6)
    assert found["lets the one with a list win", "human"]["value"] == pytest.approx(2 / 6)
    assert found["swap consistency", "judge:judge"]["items"] == 6
    assert found["bias to the longer, logits", "judge:judge ~ human"]["items"] == 6
    assert found["position bias, logits", "judge:judge"]["share"] == 1
    assert ("lets its own win", "judge:judge") not in found

    board = json.loads(arena("leaderboard", "--source", "judges", "--format", "json", folder=tmp_path).stdout)
    assert (board["source"], board["votes"]) == ("judges", 6)

    table = arena("agreement", "--between", "human,judge:judge", folder=tmp_path)
    assert "Krippendorff" in table.stdout
    rows = list(csv.DictReader(io.StringIO(arena("agreement", "--format", "csv", folder=tmp_path).stdout)))
    assert {"measure", "between", "value", "lower", "upper", "items", "left_out", "share"} == rows[0].keys()


def test_a_voter_that_is_not_there_is_reported_with_those_that_are(arena, tmp_path):
    voted(tmp_path)
    done = arena("agreement", "--between", "human,judge:nobody", folder=tmp_path)
    assert done.returncode == 2
    assert "no votes of 'judge:nobody'. Choose some of: human" in done.stderr
    alone = arena("agreement", folder=tmp_path)
    assert "Only one voter" in alone.stderr


def test_without_votes_the_next_command_is_named(arena, tmp_path):
    (tmp_path / "arena.toml").write_text(SETTINGS.format(url="http://127.0.0.1:9/v1"))
    assert arena("db", "upgrade", folder=tmp_path).returncode == 0
    assert "arena serve" in arena("agreement", folder=tmp_path).stderr
    nothing = arena("judge", "battles", "--judge", "judge", folder=tmp_path)
    assert nothing.returncode == 2
    assert "No human votes on battles yet" in nothing.stderr
    both = arena("judge", "pairwise", "--prompts", "", "--judge", "judge", folder=tmp_path)
    assert "Use --prompts SET" in both.stderr
