"""Votes that versions before 0.3 imported get a name, by which they can be set aside as those of later imports."""

from __future__ import annotations

from sqlmodel import select

from arena.rules.set_aside import IMPORT
from arena.rules.votes import HUMAN, OVERALL
from arena.store.imports import NewVote, add_votes, begin_import
from arena.store.schema.battles import Battle, Vote, now
from arena.store.schema.judging import VerdictRow
from arena.store.set_aside import Selection, listed, set_aside
from arena.store.votes import add_vote, pair_counts, recount
from tests.arena.store.test_migrations import migrate
from tests.support.ballots import ballot, ballots

TURNS = (("What is a tree?", "A plant.", "It has leaves."),)
EARLIER = Selection(IMPORT, "before 0.3")


def old_vote(name, source=HUMAN, turns=()):
    return NewVote(name, "amber", "birch", "model_a", source, source, now(), categories=("english",), turns=turns)


def imported(database, votes, name=None):
    """Import votes, as versions before 0.3 did where they have no name."""
    with database.write() as session:
        add_votes(session, votes, None if name is None else begin_import(session, name))


def names(database):
    with database.read() as session:
        return {row.name: row.votes for row in listed(session) if row.kind == IMPORT}


def again(database):
    migrate(database, "0028")
    migrate(database, "head")


def test_earlier_imports_have_a_name_and_can_be_set_aside(database):
    ballots(database)
    ballot(database, "amber", "birch", "tie", source="judge:here", voter="judge:here")
    imported(
        database, [old_vote("with", turns=TURNS), old_vote("without"), old_vote("without", "judge:gpt4_pair")]
    )
    imported(database, [old_vote("new")], "later")
    with database.write() as session:  # a judge that ran here on an imported battle
        battle = session.exec(select(Battle.id).where(Battle.public_id == "with")).one()
        number = add_vote(session, battle, "judge:here", "judge:here", "tie", stopped_early=False)
        session.add(VerdictRow(vote_id=number, preference=0.5, strength=0, config_hash="x"))
    assert names(database) == {"later": 1}
    again(database)
    assert names(database) == {"later": 1, "before 0.3": 3}
    with database.write() as session:
        before = sum(row.wins for row in pair_counts(session, HUMAN, OVERALL))
        assert set_aside(session, EARLIER, "not ours", "ann") == 3
        assert sum(row.wins for row in pair_counts(session, HUMAN, OVERALL)) == before - 2
        assert recount(session) == []
        assert session.get_one(Vote, number).import_id is None


def test_a_database_without_earlier_imports_has_none_by_name(database):
    ballots(database)
    imported(database, [old_vote("new")], "later")
    again(database)
    assert names(database) == {"later": 1}


def test_an_older_version_finds_the_votes_as_it_left_them(database):
    imported(database, [old_vote("without")])
    again(database)
    migrate(database, "0028")
    with database.read() as session:
        assert session.exec(select(Vote.import_id)).all() == [None]
    assert names(database) == {}
