"""Votes in their compact form follow from the votes, whichever way they come in, on SQLite and on PostgreSQL."""

from collections import Counter

import numpy as np
import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import select

from arena.rules.vote_clusters import SHARED, prompt_code, published_prompt, voter_code
from arena.store import packed_votes as module
from arena.store.battle_prompts import record_prompt
from arena.store.imports import NewVote, add_votes
from arena.store.packed_votes import (
    add_packed,
    packed,
    packed_differences,
    packed_votes,
    rewrite_packed_votes,
)
from arena.store.schema.battles import Battle, Vote, now
from arena.store.schema.clusters import BattlePrompt, PackedVotes
from arena.store.schema_version import _alembic
from arena.store.tags import add_tags, replace_tags
from arena.store.voter_deletion import delete_voter
from arena.store.votes import recount
from tests.support.ballots import PLAIN, ballot, ballots


def stored(session):
    rows = session.exec(select(PackedVotes)).all()
    return sorted((row.category, row.source, row.part, row.chunk, row.votes) for row in rows)


def new_vote(number, **given):
    plain = {"model_a": "amber", "model_b": "birch", "winner": "model_a", "source": "human", "voter": "worker"}
    return NewVote(public_id=f"b{number}", created_at=now(), **{**plain, **given})


def test_every_vote_is_there_once_in_each_of_its_categories(database):
    ballots(database)
    with database.read() as session:
        votes = packed_votes(session, "human")
        names = dict(session.execute(text("SELECT id, name FROM model")).all())
        given = [(names[a], names[b], module.WINNERS[voter & 3]) for _, voter, _, a, b in votes.tolist()]
        assert Counter(given) == Counter(PLAIN)
        assert sorted(votes["vote"].tolist()) == list(range(1, len(PLAIN) + 1))
        assert len(packed_votes(session, "human", "english")) == len(PLAIN)
        assert len(packed_votes(session, "judges")) == 0
        assert len(packed_votes(session, None)) == len(PLAIN)
        assert len(np.unique(votes["voter"] >> 2)) == 3
        assert packed_differences(session) == []


def test_rewritten_from_the_votes_they_are_the_same(database):
    ballots(database)
    ballot(database, "amber", "cedar", "tie", source="judge:x", voter="judge:x")
    with database.write() as session:
        before = stored(session)
        rewrite_packed_votes(session)
        assert stored(session) == before


def test_an_import_writes_the_same_as_the_votes_one_by_one(database):
    with database.write() as session:
        votes = [new_vote(n, voter=f"v{n % 3}", turns=(("What is a tree?", "a", "b"),)) for n in range(7)]
        add_votes(session, votes)
        assert add_votes(session, [*votes, new_vote(9, source="judge:x", voter="judge:x")]) == 1
        before = stored(session)
        assert packed_differences(session) == []
        rewrite_packed_votes(session)
        assert stored(session) == before
        prompts = packed_votes(session, "human")["prompt"]
        assert len(np.unique(prompts)) == 1
        assert prompts[0] & SHARED


def test_tags_add_votes_and_take_them_back(database):
    ballots(database)
    with database.write() as session:
        before = stored(session)
        assert add_tags(session, {1: ["tagged (llm)", "math (llm)"]}, "llm-1 x") == 1
        assert packed_votes(session, "human", "math (llm)")["vote"].tolist() == [1]
        assert packed_differences(session) == []
        assert replace_tags(session, {1: []}, "llm-1 y") == 1
        assert stored(session) == before


def test_the_clusters_of_a_deleted_voter_stay(database):
    ballots(database)
    with database.write() as session:
        before = stored(session)
        delete_voter(session, "voter-1")
    with database.write() as session:
        assert stored(session) == before
        assert packed_differences(session) == []


def test_a_full_row_is_continued_in_the_next(database, monkeypatch):
    monkeypatch.setattr(module, "FULL", 3 * module.ENTRY.itemsize)
    for _ in range(8):
        ballot(database, "amber", "birch", "model_a", voter="one")
    with database.write() as session:
        rows = [row for row in stored(session) if row[0] == "overall"]
        assert [(row[3], len(row[4]) // 16) for row in rows] == [(0, 3), (1, 3), (2, 2)]
        assert packed_votes(session, "human")["vote"].tolist() == list(range(1, 9))
        before = stored(session)
        rewrite_packed_votes(session)
        assert stored(session) == before


def test_bytes_arrive_as_they_are(database):
    """Zeros, and bytes that are no text."""
    with database.write() as session:
        entries = [bytes([n, 0, 255, 128] * 4) for n in range(40)]
        for entry in entries:
            add_packed(session, [(module.PackedVote(1, "human", 7, entry), ["overall"])])
        assert packed_votes(session, "human").tobytes() == b"".join(entries)


def test_what_differs_is_named(database):
    ballots(database)
    with database.write() as session:
        vote = next(packed(session, Vote.id == 1))
        add_packed(session, [(vote, ["english"])])
        assert packed_differences(session) == [("english", "human")]
        rewrite_packed_votes(session)
        session.execute(text("DELETE FROM packed_votes WHERE category = 'overall'"))
        assert packed_differences(session) == [("overall", "human")]
        session.execute(text("UPDATE packed_votes SET category = 'other'"))
        assert packed_differences(session) == [("english", "human"), ("other", "human"), ("overall", "human")]
        assert recount(session) == []


def test_an_older_database_gets_the_votes_of_its_votes(database):
    ballots(database)
    ballot(database, "amber", "birch", "model_a", prompt="Suggest a name.")
    with database.write() as session:
        session.execute(text("UPDATE battle SET suggested = :yes WHERE id IN (1, 2)"), {"yes": True})
        add_votes(session, [new_vote(1, turns=(("What is a leaf?", "a", "b"),))])
        session.execute(text("DELETE FROM battle_prompt"))
        for battle in session.exec(select(Battle).where(Battle.suggested)):
            record_prompt(session, battle)
        session.execute(text("INSERT INTO battle_prompt SELECT id, 'x' FROM battle WHERE public_id = 'b1'"))
        rewrite_packed_votes(session)
        before, prompts = stored(session), session.exec(select(BattlePrompt.battle_id)).all()
    migrate(database, "0014")
    migrate(database, "head")
    with database.read() as session:
        assert session.exec(select(BattlePrompt.battle_id)).all() == prompts
        assert [row[:4] for row in stored(session)] == [row[:4] for row in before]
        assert packed_differences(session) == []
        assert len(np.unique(packed_votes(session, "human")["prompt"])) == len(PLAIN) - 1 + 2


def migrate(database, revision):
    step = command.downgrade if revision == "0014" else command.upgrade
    config = _alembic()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        step(config, revision)


@pytest.mark.parametrize("voter", [None, "", "human"])
def test_a_vote_without_a_voter_is_a_cluster_of_one(voter):
    assert voter_code(voter, "battle-1") != voter_code(voter, "battle-2")
    assert voter_code("ann", "battle-1") == voter_code("ann", "battle-2") < 2**30


def test_a_prompt_is_known_by_its_words_and_what_a_voter_wrote_by_its_battle():
    key = b"key"
    assert published_prompt(key, " What  is\nthis? ") == published_prompt(key, "what is this?")
    assert published_prompt(key, " \n") is None
    assert prompt_code("abc", "one") == prompt_code("abc", "two") >= SHARED
    assert SHARED > prompt_code(None, "one") != prompt_code(None, "two")
