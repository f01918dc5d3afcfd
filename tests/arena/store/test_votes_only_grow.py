"""No vote is ever deleted: nothing in the store removes rows of votes, and every way to hold them keeps each row."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import event, text

import arena
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.rules.votes import HUMAN
from arena.store.appeals import Decision, add_appeal, decide
from arena.store.imports import NewVote, add_votes, begin_import
from arena.store.quarantine import NewHold, hold, release
from arena.store.schema.battles import Battle, now
from arena.store.set_aside import Selection, set_aside, take_back
from arena.store.tags import add_tags, delete_tags, replace_tags
from arena.store.voter_deletion import delete_voter
from arena.store.votes import add_vote, rewrite_pair_counts
from tests.arena.store.test_vote_cost import opened
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.typed import typed

FAST = QuarantineReason.TOO_FAST
SOURCES = sorted(Path(arena.__file__).parent.rglob("*.py"))
VOTE = "vote"


def names_the_table(call: ast.Call) -> bool:
    """Whether a call is `delete(Vote)`, or runs SQL that deletes votes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args else None
    if name == "delete" and isinstance(first, ast.Name):
        return first.id == "Vote"
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return is_text and f"delete from {VOTE}" in " ".join(str(first.value).lower().split()).replace('"', "") + " "


def test_no_statement_in_the_sources_deletes_votes():
    assert names_the_table(ast.parse("delete(Vote)").body[0].value)
    assert names_the_table(ast.parse("text('DELETE FROM vote WHERE id = 1')").body[0].value)
    found = [
        f"{path}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and names_the_table(node)
    ]
    assert found == []


@pytest.fixture
def voted(database):
    """Eight votes of people, three of a judge, and four imported ones; every statement is noted."""
    ballots(database)
    for a, b, winner in PLAIN[:3]:
        ballot(database, a, b, winner, source="judge:j", voter="judge:j")
    with database.write() as session:
        given = ("birch", "amber", "model_a", "human")
        votes = [NewVote(f"b{n}", *given, f"w{n}", now()) for n in range(4)]
        add_votes(session, votes, begin_import(session, "mt"))
    return database


def votes(database):
    with database.read() as session:
        query = "SELECT id, battle_id, source, winner, stopped_early, import_id FROM vote ORDER BY id"
        return session.execute(text(query)).all()


def test_every_change_keeps_each_vote(voted):
    statements: list[str] = []
    event.listen(voted.engine, "before_cursor_execute", lambda *given: statements.append(given[2].lower()))
    judged, imported = Selection("judge", "judge:j"), Selection("import", "mt")

    def appealed(session):
        hold(session, [1], VoteState.QUARANTINED, FAST, by="x", again=True)
        battle = session.get_one(Battle, 1)
        number = add_appeal(session, battle.voter, battle.public_id, "please")
        decide(session, number, Decision.RELEASE, "fine", "rita")

    def held_at_once(session):
        add_vote(
            session, battle, HUMAN, "ann", "tie", stopped_early=False, held=NewHold(VoteState.PENDING, FAST, "x")
        )

    battle = opened(voted)
    changes = [
        lambda s: hold(s, range(1, 16), VoteState.PENDING, FAST, by="x"),
        lambda s: hold(s, range(1, 16), VoteState.QUARANTINED, FAST, by="x"),
        lambda s: release(s, range(1, 16), "fine", "x"),
        appealed,
        held_at_once,
        lambda s: set_aside(s, judged, "why", "x"),
        lambda s: set_aside(s, imported, "why", "x"),
        lambda s: take_back(s, judged, "fine", "x"),
        lambda s: take_back(s, imported, "fine", "x"),
        lambda s: add_tags(s, {1: ["math (llm)"]}, "llm-1 x"),
        lambda s: replace_tags(s, {1: ["code (llm)"]}, "llm-1 y"),
        lambda s: delete_tags(s, "llm-1 y"),
        rewrite_pair_counts,
        lambda s: delete_voter(s, "voter-0"),
    ]
    for change in changes:
        before = votes(voted)
        with voted.write() as session:
            change(session)
        assert votes(voted)[: len(before)] == before
    assert len(votes(voted)) == 16
    assert not [statement for statement in statements if "delete from vote " in statement.replace('"', "") + " "]


def test_every_command_on_votes_keeps_each_vote(voted):
    before = votes(voted)
    for words in (
        ["votes", "quarantine", "--reason", "burst", "--voter", "voter-1"],
        ["votes", "release", "--reason", "burst", "--why", "fine"],
        ["votes", "set-aside", "--judge", "j", "--reason", "why"],
        ["votes", "take-back", "--judge", "j", "--reason", "fine"],
        ["votes", "list"],
        ["votes", "log"],
        ["judge", "delete", "judge:j"],
        ["db", "recount", "--write"],
    ):
        typed(*words, "--db", voted.url)
        assert votes(voted) == before, words
