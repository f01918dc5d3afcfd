"""Sealing votes: what a seal holds, and that it only ever adds."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from arena.errors import ConfigError
from arena.exchange.sealing import seal
from arena.leaderboards.leaderboard import publish
from arena.rules.seals import GENESIS, SealedVote, Tree, canonical, pseudonym
from arena.store.ledger import SealExists, add_seal, last_seal, sealed_votes, seals
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.ledger import SealRow
from tests.support.arenas import emptied
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.seals import merkle_root
from tests.support.typed import Typed


def sealed_vote(number: int, winner: str = "model_a") -> SealedVote:
    return SealedVote(
        number, f"b{number}", "x", "y", winner, "human", "v", False, False, "2026-01-01T00:00:00.000000+00:00"
    )


def recursive_root(leaves: list[bytes]) -> bytes:
    """The tree of RFC 6962, section 2.1, as it is written there: split at the largest power of two."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    both = recursive_root(leaves[:split]) + recursive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + both).digest()


@given(st.integers(min_value=1, max_value=70))
def test_the_tree_is_that_of_the_standard(size):
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    assert (tree.root(), tree.leaves) == (recursive_root(leaves).hex(), size)


def test_a_root_depends_on_every_vote_and_on_their_order():
    votes = [sealed_vote(number) for number in range(1, 8)]
    roots = {merkle_root(votes)[0], merkle_root(votes[:-1])[0], merkle_root(votes[::-1])[0]}
    roots.add(merkle_root([*votes[:3], sealed_vote(4, "tie"), *votes[4:]])[0])
    assert len(roots) == 4
    assert merkle_root([])[0] == hashlib.sha256(b"").hexdigest()


def test_canonical_json_has_one_form():
    assert canonical({"b": 1, "a": "é", "c": [1.5, None, True]}) == '{"a":"é","b":1,"c":[1.5,null,true]}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def test_a_pseudonym_needs_the_key():
    assert pseudonym(b"k", "ann") == pseudonym(b"k", "ann") != pseudonym(b"other", "ann")
    assert pseudonym(b"k", "ann") != pseudonym(b"k", "bob")


def test_a_seal_holds_the_new_votes_and_the_board_of_all(database):
    ballots(database, PLAIN[:5])
    (first,) = seal(database).new
    ballots(database, PLAIN[5:])
    (second,) = seal(database).new
    assert (first.number, first.previous, first.votes) == (1, GENESIS, 5)
    assert (second.number, second.previous, second.votes) == (2, first.sha256, 3)
    assert (second.first_vote, second.last_vote) == (first.last_vote + 1, first.last_vote + 3)
    with database.read() as session:
        board = publish(session).board
        assert seals(session) == [first, second]
        votes = list(sealed_votes(session, first.last_vote))
    assert merkle_root(votes) == (second.root, 3)
    (kept,) = second.boards
    assert (kept["source"], kept["votes"]) == ("human", 8)
    assert [row["rating"] for row in kept["models"]] == [round(row.rating, 4) for row in board.rows]
    assert {vote.voter for vote in votes}.isdisjoint({"voter-0", "voter-1", "voter-2"})


def test_nothing_new_writes_nothing(database):
    assert seal(database).last is None
    ballots(database)
    assert len(seal(database).new) == 1
    again = seal(database)
    assert (again.new, again.last.number) == ([], 1)
    with database.read() as session:
        assert len(session.exec(select(SealRow)).all()) == 1


def test_many_votes_become_several_seals_with_the_boards_of_their_time(database):
    ballots(database)
    made = seal(database, batch=3).new
    assert [one.votes for one in made] == [3, 3, 2]
    assert [one.boards[0]["votes"] for one in made] == [3, 6, 8]


def test_judges_and_people_have_boards_of_their_own_in_a_seal(sqlite):
    ballots(sqlite)
    ballot(sqlite, "amber", "birch", "tie", source="judge:j", voter="judge:j")
    (made,) = seal(sqlite).new
    assert [board["source"] for board in made.boards] == ["human", "judges", "all", "judge:j"]
    assert [board["votes"] for board in made.boards] == [8, 1, 9, 1]
    with sqlite.read() as session:
        for board in made.boards:
            published = publish(session, board["source"]).board
            assert [row["rating"] for row in board["models"]] == [round(row.rating, 4) for row in published.rows]


def test_a_changed_filter_is_sealed_even_without_new_votes(sqlite):
    ballots(sqlite)
    ballot(sqlite, "cedar", "amber", "model_a", leaked=True)
    (first,) = seal(sqlite).new
    (second,) = seal(sqlite, "blind-1").new
    assert (second.votes, second.first_vote, second.last_vote) == (0, 10, 9)
    assert [one.boards[0]["votes"] for one in (first, second)] == [9, 8]
    assert seal(sqlite, "blind-1").new == []


def test_a_filter_that_caps_votes_goes_on_counting_across_seals(sqlite, monkeypatch):
    monkeypatch.setattr("arena.leaderboards.vote_filters.DAILY", 2)
    ballots(sqlite, PLAIN[:4], voter="ann", day="2026-03-01")
    ballots(sqlite, PLAIN[:1], voter="bob", day="2026-03-01")
    seal(sqlite, "capped-1")
    ballots(sqlite, PLAIN[4:], voter="ann", day="2026-03-01")
    (made,) = seal(sqlite, "capped-1").new
    assert made.boards[0]["votes"] == 3


def test_an_unknown_filter_is_reported_with_those_there_are(sqlite):
    with pytest.raises(ConfigError, match=r"Filter 'all' is unknown. Use one of: every-1, blind-1, capped-1"):
        seal(sqlite, "all")


def test_two_runs_at_once_leave_one_chain(database, monkeypatch):
    """The second run finishes while the first is between reading and writing."""
    ballots(database)
    from arena.exchange import sealing

    monkeypatch.setattr(sealing, "_seal", _with_a_rival(sealing._seal, database))
    done = sealing.seal(database)
    with database.read() as session:
        chain = seals(session)
    assert [one.number for one in chain] == [1]
    assert done.new == []
    assert done.last == chain[0]


def test_a_number_of_the_chain_is_given_once(database):
    ballots(database)
    (made,) = seal(database).new
    with pytest.raises(SealExists, match="Seal 1 exists already"), database.write() as session:
        add_seal(session, made)


def test_a_vote_that_is_half_written_is_waited_for(postgres):
    """PostgreSQL gives out ids before it commits: without waiting, a seal would pass the earlier vote by."""
    one = emptied(postgres)
    ballots(one, PLAIN[:1])
    with ThreadPoolExecutor(1) as pool:
        with one.write() as session:
            battle = session.exec(select(Battle)).one()
            session.add(Vote(battle_id=battle.id, source="judge:slow", voter="judge:slow", winner="tie"))
            session.flush()
            running = pool.submit(seal, one)
            with pytest.raises(TimeoutError):
                running.result(timeout=0.3)
        (made,) = running.result(timeout=60).new
    one.close()
    assert (made.votes, made.last_vote) == (2, 2)


def _with_a_rival(real, database):
    raced = []

    def racing(*given):
        made = real(*given)
        if not raced:
            raced.append(True)
            seal(database)
        return made

    return racing


@pytest.fixture
def arena(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def test_the_command_seals_and_reports_it(arena, sqlite, tmp_path):
    ballots(sqlite)
    first = arena("seal", folder=tmp_path)
    with sqlite.read() as session:
        head = last_seal(session)
    assert (first.returncode, first.stdout) == (0, "")
    assert f"seal 1: 8 votes, every-1, {head.sha256}" in first.stderr
    assert f"no new votes since seal 1: {head.sha256}" in arena("seal", folder=tmp_path).stderr
    assert "Filter 'none' is unknown" in arena("seal", "--filter", "none", folder=tmp_path).stderr


def test_the_command_takes_its_filter_from_the_settings(arena, sqlite, tmp_path):
    ballots(sqlite)
    (tmp_path / "arena.toml").write_text('[ledger]\nfilter = "blind-1"\n')
    assert "8 votes, blind-1" in arena("seal", folder=tmp_path).stderr


def test_the_command_goes_on_until_it_is_stopped(arena, sqlite, tmp_path, monkeypatch):
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt
        ballots(sqlite, PLAIN[:2])

    monkeypatch.setattr("arena.cli.seal.time.sleep", wait)
    ballots(sqlite, PLAIN[:1])
    done = arena("seal", "--every", "30", folder=tmp_path)
    assert (done.returncode, waits) == (0, [30.0] * 3)
    with sqlite.read() as session:
        assert [one.votes for one in seals(session)] == [1, 2, 2]
    assert arena("seal", "--every", "0", folder=tmp_path).returncode == 2


def test_sealing_where_nobody_has_voted_is_reported(arena, sqlite, tmp_path):
    assert "No votes yet. Run: arena serve" in arena("seal", folder=tmp_path).stderr


def test_a_stored_seal_is_the_text_that_was_hashed(sqlite):
    ballots(sqlite)
    (made,) = seal(sqlite).new
    with sqlite.read() as session:
        row = session.exec(select(SealRow)).one()
    assert json.loads(row.boards) == made.boards
    assert row.sha256 == made.sha256
