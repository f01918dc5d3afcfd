"""`arena votes quarantine`, `release`, `list` and `log`: single votes and those of a voter, at the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest

from arena.rules.seals import published_voter
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import Database
from arena.store.account_voters import link
from arena.store.accounts import find_account
from arena.store.audit import AuditFilter, entries
from arena.store.ledger import ledger_key
from arena.store.quarantine import hold
from tests.support.accounts import with_account
from tests.support.arenas import new_file
from tests.support.ballots import ballots
from tests.support.typed import typed


@pytest.fixture
def url(tmp_path):
    """Eight votes of three voters, the last one pending."""
    database = new_file(tmp_path / "arena.db")
    ballots(database)
    with database.write() as session:
        hold(session, [8], VoteState.PENDING, QuarantineReason.MODERATION, by="moderation")
    database.close()
    return f"sqlite:///{tmp_path / 'arena.db'}"


def as_json(*words):
    done = typed("votes", *words, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def counted(url):
    return json.loads(typed("leaderboard", "--format", "json", "--db", url).stdout)["votes"]


def test_votes_are_quarantined_and_released_with_a_log(url):
    words = (
        "--vote",
        1,
        "--vote",
        2,
        "--reason",
        "burst",
        "--detail",
        "nine in a minute",
        "--by",
        "ann",
        "--db",
        url,
    )
    dry = as_json("quarantine", *words, "--dry-run")
    assert dry["votes"] == 2
    assert dry["changes"][0] == {"category": "overall", "source": "human", "counted_before": 7, "counted_after": 5}
    assert counted(url) == 7
    assert as_json("quarantine", *words) == dry
    assert counted(url) == 5
    assert as_json("list", "--db", url)["states"] == [
        {"state": "accepted", "reason": "", "votes": 5}, {"state": "pending", "reason": "moderation", "votes": 1},
        {"state": "quarantined", "reason": "burst", "votes": 2}]  # fmt: skip
    rows = as_json("list", "--reason", "burst", "--db", url)["held"]
    assert [(row["vote"], row["voter"], row["detail"]) for row in rows] == [
        (2, "voter-1", "nine in a minute"), (1, "voter-0", "nine in a minute")]  # fmt: skip
    back = ("--why", "looked at", "--by", "bob", "--db", url)
    assert as_json("release", "--reason", "burst", "--voter", "voter-1", *back)["votes"] == 1
    assert as_json("release", "--state", "pending", *back)["changes"][0]["counted_after"] == 7
    assert counted(url) == 7
    log = as_json("log", "--db", url)["states"]
    assert [(row["state"], row["reason"], row["votes"], row["by"], row["detail"]) for row in log] == [
        ("pending", "moderation", 1, "moderation", ""),
        ("quarantined", "burst", 2, "ann", "nine in a minute"),
        ("released", "burst", 1, "bob", "looked at"),
        ("accepted", "moderation", 1, "bob", "looked at"),
    ]
    assert typed("db", "recount", "--db", url).returncode == 0


def test_the_votes_of_a_voter_are_chosen_by_either_name(url):
    database = Database(url)
    with database.read() as session:
        name = published_voter(ledger_key(session), "voter-0")
    database.close()
    done = typed("votes", "quarantine", "--voter", name, "--reason", "voter_test", "--db", url)
    assert "3 votes are quarantined" in " ".join(done.stdout.split())
    assert as_json("release", "--voter", "voter-0", "--why", "looked at", "--db", url)["votes"] == 3


@pytest.mark.parametrize("text", ["3\n5\n", "vote,note\n3,a\n5,b\n", "\ufeff3\n\n5"])
def test_votes_are_chosen_by_a_file(url, tmp_path, text):
    (tmp_path / "ids").write_text(text)
    chosen = ("--file", tmp_path / "ids", "--db", url)
    assert as_json("quarantine", "--reason", "burst", *chosen)["votes"] == 2
    assert as_json("quarantine", "--reason", "burst", *chosen)["votes"] == 0
    assert as_json("release", "--why", "looked at", *chosen)["votes"] == 2


def test_tables_and_csv(url):
    typed("votes", "quarantine", "--vote", 1, "--reason", "burst", "--db", url)
    assert "Votes by state" in typed("votes", "list", "--db", url).stdout
    assert "2 changes of states" in typed("votes", "log", "--db", url).stdout
    held = typed("votes", "list", "--state", "quarantined", "--db", url, "--format", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(held))
    assert (row["vote"], row["sentence"]) == ("1", QuarantineReason.BURST.sentence)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["quarantine", "--reason", "burst"], "Give one of --vote ID, --voter NAME and --file FILE."),
        (["quarantine", "--reason", "burst", "--vote", 1, "--voter", "x"], "Give one of --vote ID"),
        (["quarantine", "--reason", "burst", "--vote", 99], "There is no vote 99 here. Give numbers from"),
        (["quarantine", "--reason", "burst", "--voter", "x"], "No voter 'x' has votes here. `arena voters` shows"),
        (["quarantine", "--reason", "burst", "--file", "/nowhere"], "has no numbers of votes"),
        (["quarantine", "--reason", "burst", "--vote", 1, "--detail", " "], "--detail is empty, too long or not"),
        (["release", "--vote", 1, "--why", ""], "--why is empty, too long or not printable."),
        (["release", "--why", "looked at"], "Give one of --vote ID, --voter NAME and --file FILE."),
        (["list", "--state", "released"], "Votes that are released count. Give --state pending"),
    ],
)
def test_what_cannot_be_done_is_reported(url, words, message):
    done = typed("votes", *words, "--db", url)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert counted(url) == 7


def trail(url):
    database = Database(url)
    with database.read() as session:
        rows = [
            (row.actor, row.role, row.action, row.target, row.reason) for row in entries(session, AuditFilter(), 9)
        ]
    database.close()
    return rows[::-1]


def test_what_the_terminal_does_is_in_the_audit_trail_and_a_dry_run_is_not(url):
    held = (
        "quarantine",
        "--voter",
        "voter-0",
        "--reason",
        "burst",
        "--detail",
        "nine",
        "--by",
        "ann",
        "--db",
        url,
    )
    typed("votes", *held, "--dry-run")
    assert trail(url) == []
    typed("votes", *held)
    typed("votes", "release", "--vote", 1, "--why", "looked at", "--by", "bob", "--db", url)
    typed("votes", *held[:2], "nobody", *held[3:])
    assert trail(url) == [
        ("ann", "terminal", "vote.quarantine", "voter voter-0", "nine"),
        ("bob", "terminal", "vote.release", "vote 1", "looked at"),
    ]


def test_the_table_of_held_votes_has_names_that_can_be_typed(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    database, voter = new_file(tmp_path / "arena.db"), "0d5a4d183a2bcdd379a5e78e40123456"
    ballots(database, voter=voter)
    with database.write() as session:
        hold(
            session, [1], VoteState.QUARANTINED, QuarantineReason.DUPLICATE_PROMPT, detail="too many", by="checks"
        )
    database.close()
    table = typed("votes", "list", "--state", "quarantined", "--db", f"sqlite:///{tmp_path / 'arena.db'}").stdout
    assert voter in table


def test_many_votes_change_in_parts_with_their_progress(url, monkeypatch):
    monkeypatch.setattr("arena.store.vote_parts.PART", 2)
    words = [word for number in range(1, 6) for word in ("--vote", number)]
    done = typed("votes", "quarantine", *words, "--reason", "burst", "--db", url)
    assert done.returncode == 0, done.stderr
    assert "5 of 5 votes" in done.stderr
    assert counted(url) == 2


def test_nobody_releases_votes_of_their_own_account(url):
    database = Database(url)
    with_account(database, "ann")
    with database.write() as session:
        link(session, find_account(session, "ann").id, "voter-0", is_main=True)
        hold(session, [1, 2, 4], VoteState.QUARANTINED, QuarantineReason.BURST, by="checks")
    database.close()
    words = ("release", "--why", "I am sure", "--db", url)
    done = typed("votes", *words, "--vote", 1, "--by", "ann")
    assert done.returncode == 2
    assert "Votes of ann's own that stay held: 1. Another operator has to release them." in _flat(done.stderr)
    done = typed("votes", *words, "--reason", "burst", "--by", "ann", "--dry-run")
    assert "1 votes would count again" in _flat(done.stdout)
    done = typed("votes", *words, "--reason", "burst", "--by", "ann", "--format", "json")
    assert "Votes of ann's own that stay held: 2." in _flat(done.stderr)
    assert json.loads(done.stdout)["votes"] == 1
    assert as_json(*words, "--vote", 1, "--vote", 4, "--by", "bob")["votes"] == 2
    assert trail(url)[1:] == [
        ("ann", "terminal", "vote.release_refused", "vote 1", "I am sure"),
        ("ann", "terminal", "vote.release_refused", "2 votes", "I am sure"),
        ("ann", "terminal", "vote.release", "vote 2", "I am sure"),
        ("bob", "terminal", "vote.release", "2 votes", "I am sure"),
    ]


def _flat(text):
    return " ".join(text.split())
