"""`arena votes`: judges and imports set aside and taken back at the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest

from arena.store import Database
from arena.store.audit import AuditFilter, entries
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.typed import typed


@pytest.fixture
def url(tmp_path):
    database = new_file(tmp_path / "arena.db")
    ballots(database)
    for a, b, winner in PLAIN[:3]:
        ballot(database, a, b, winner, source="judge:lenient", voter="judge:lenient")
    database.close()
    (tmp_path / "mt.csv").write_text("model_a,model_b,winner\n" + "amber,birch,model_a\n" * 4)
    assert typed("import", str(tmp_path / "mt.csv"), "--db", f"sqlite:///{tmp_path / 'arena.db'}").returncode == 0
    return f"sqlite:///{tmp_path / 'arena.db'}"


def as_json(*words):
    return json.loads(typed("votes", *words, "--format", "json").stdout)


def counted(url, source):
    return json.loads(typed("leaderboard", "--source", source, "--format", "json", "--db", url).stdout)["votes"]


def test_votes_are_set_aside_and_taken_back_with_a_log(url):
    chosen = ("--judge", "lenient", "--by", "ann", "--db", url)
    dry = as_json("set-aside", *chosen, "--reason", "too lenient", "--dry-run")
    assert dry["votes"] == 3
    assert dry["changes"][0] == {
        "category": "overall", "source": "judge:lenient", "votes": 3, "counted_before": 3, "counted_after": 0,
        "boards": "judge:lenient, judges, both, all"}  # fmt: skip
    assert counted(url, "all") == 15
    assert as_json("set-aside", *chosen, "--reason", "too lenient")["changes"] == dry["changes"]
    assert counted(url, "all") == 12
    assert {row["name"]: row["set_aside"] for row in as_json("list", "--db", url)["selections"]} == {
        "judge:lenient": True, "mt": False}  # fmt: skip
    assert as_json("take-back", *chosen, "--reason", "checked")["changes"][0]["counted_after"] == 3
    assert counted(url, "all") == 15
    (entry,) = as_json("log", "--db", url)["log"]
    assert (entry["set_aside_by"], entry["reason"], entry["votes"]) == ("ann", "too lenient", 3)
    assert (entry["taken_back_by"], entry["taken_back_reason"]) == ("ann", "checked")
    assert typed("db", "recount", "--db", url).returncode == 0
    assert trail(url) == [
        ("ann", "terminal", "vote.set_aside", "judge judge:lenient", "too lenient", 3),
        ("ann", "terminal", "vote.take_back", "judge judge:lenient", "checked", 3),
    ]


def trail(url):
    database = Database(url)
    with database.read() as session:
        rows = [
            (row.actor, row.role, row.action, row.target, row.reason, row.details["votes"])
            for row in entries(session, AuditFilter(), 9)
        ]
    database.close()
    return rows[::-1]


def test_an_import_is_chosen_by_its_name(url):
    done = typed("votes", "set-aside", "--import", "mt", "--reason", "of unknown origin", "--db", url)
    assert "4 votes of mt are set aside" in " ".join(done.stdout.split())
    assert counted(url, "human") == 8
    log = list(csv.DictReader(io.StringIO(typed("votes", "log", "--format", "csv", "--db", url).stdout)))
    assert [row["name"] for row in log] == ["mt"]
    assert log[0]["set_aside_by"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reason", "why"], "Give one of --judge NAME and --import NAME. `arena votes list` shows the names."),
        (["--judge", "x", "--import", "y", "--reason", "why"], "Give one of --judge NAME and --import NAME."),
        (["--judge", "x", "--reason", "why"], "No judge 'judge:x' has votes here. Use one of: judge:lenient."),
        (["--judge", "lenient", "--reason", " "], "--reason is empty, too long or not printable."),
        (["--judge", "lenient", "--reason", "why", "--by", ""], "--by is empty, too long or not printable."),
    ],
)
def test_what_cannot_be_set_aside_is_reported(url, words, message):
    done = typed("votes", "set-aside", *words, "--db", url)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
