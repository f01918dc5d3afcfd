"""A copied database is the same arena, whichever kind it came from or went to."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text
from sqlmodel import select as sql

from arena.errors import DatabaseError
from arena.exchange.sealing import seal
from arena.leaderboards.leaderboard import publish_choice
from arena.leaderboards.query import BoardChoice
from arena.store import Database
from arena.store.copy import NOT_COPIED, copy_database
from arena.store.schema.all_tables import all_tables
from arena.store.schema.battles import Battle, Vote, now
from arena.store.schema.usage import AddressSalt, UsageEvent
from arena.store.usage import address_hashes, cookie_key
from arena.store.votes import recount
from tests.support.arenas import emptied, new_file
from tests.support.ballots import ballot, ballots
from tests.support.populated import populate
from tests.support.typed import typed


@pytest.fixture
def other(request, tmp_path):
    """An empty database of the kind that `database` is not."""
    if request.node.callspec.params["database"] == "sqlite":
        one = emptied(request.getfixturevalue("postgres"))
    else:
        one = new_file(tmp_path / "other.db")
    yield one
    one.close()


def rows(database: Database) -> dict[str, list[tuple]]:
    with database.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in all_tables()
            if table.name not in NOT_COPIED
        }


def quiet(stage: str, done: int, total: int) -> None:
    pass


@pytest.mark.slow
def test_every_row_arrives_as_it_was(database, other):
    populate(database, many=6, votes=60)
    seal(database, "every-1")
    copied = copy_database(database, other, quiet)
    assert rows(other) == rows(database)
    assert copied == {name: len(found) for name, found in rows(database).items()}
    assert copied["vote"] > 60
    assert copied["seal"] == 1


def test_a_copy_holds_no_salt_and_no_counted_action(database, other):
    with database.write() as session:
        address_hashes(session, "198.51.100.7", now())
        session.add(UsageEvent(subject="x", action="vote"))
    copy_database(database, other, quiet)
    with other.read() as session:
        assert session.exec(sql(UsageEvent)).all() == []
        assert session.exec(sql(AddressSalt)).all() == []
        with database.read() as original:
            assert cookie_key(session) == cookie_key(original)


def test_the_copy_has_the_same_board_and_goes_on_from_there(database, other):
    ballots(database)
    copy_database(database, other, quiet)
    boards = []
    for one in (database, other):
        ballot(one, "amber", "cedar", "model_b")  # the copy numbers what is new behind what is old
        with one.read() as session:
            assert recount(session) == []
            boards.append(publish_choice(session, BoardChoice()).to_dict()["models"])
    assert boards[0] == boards[1]


def test_the_chain_of_seals_goes_on_in_the_copy(database, other):
    ballots(database)
    first = seal(database, "every-1").last
    copy_database(database, other, quiet)
    ballot(other, "amber", "cedar", "model_b")
    (second,) = seal(other, "every-1").new
    assert (second.number, second.previous) == (2, first.sha256)


def test_progress_ends_with_all_rows(sqlite, tmp_path):
    ballots(sqlite)
    other, message = Database(f"sqlite:///{tmp_path / 'other.db'}"), []
    other.make_ready()
    copied = copy_database(sqlite, other, lambda *stage: message.append(stage))
    other.close()
    total = sum(copied.values())
    assert message[-1] == ("checking", total, total)
    assert [done for _, done, _ in message] == sorted(done for _, done, _ in message)


def test_a_target_that_holds_anything_is_left_alone(database, other):
    ballots(database)
    ballot(other, "amber", "cedar", "model_b")
    before = rows(other)
    with pytest.raises(DatabaseError, match=r"is not empty: 2 rows in model\. Give an empty database"):
        copy_database(database, other, quiet)
    assert rows(other) == before


def test_a_row_that_is_refused_is_reported_and_nothing_is_copied(sqlite, postgres):
    ballots(sqlite)
    with sqlite.write() as session:  # SQLite keeps texts of any length, and NUL in them
        session.execute(text("UPDATE turn SET prompt = 'a' || char(0) || 'b' WHERE id = 3"))
    other = emptied(postgres)
    with pytest.raises(DatabaseError, match=r"refused a row of turn between 1 and 8: .*. Nothing was copied"):
        copy_database(sqlite, other, quiet)
    born_with = {"ledger_key", "cookie_key"}
    assert {name for name, found in rows(other).items() if found} == born_with
    other.close()


def test_votes_during_the_copy_are_not_in_it(database, other):
    ballots(database)

    def vote_once(stage: str, done: int, total: int) -> None:
        if stage == "model":
            ballot(database, "amber", "cedar", "model_b")

    copied = copy_database(database, other, vote_once)
    assert (copied["battle"], copied["vote"]) == (8, 8)
    with other.read() as session:
        assert recount(session) == []
        assert len(session.execute(select(Battle.id)).all()) == len(session.execute(select(Vote.id)).all()) == 8


def test_the_command_copies_and_tells_json(sqlite, postgres, tmp_path):
    ballots(sqlite)
    emptied(postgres).close()
    done = typed("db", "copy", postgres, "--db", sqlite.url, "--format", "json")
    message = json.loads(done.stdout)
    assert (done.returncode, message["tables"]["vote"], message["to"]) == (0, 8, postgres)
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert typed("db", "copy", back, "--db", postgres).returncode == 0
    again = typed("db", "copy", back, "--db", postgres)
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)


def test_a_source_that_is_not_there_makes_no_target(tmp_path):
    done = typed("db", "copy", f"sqlite:///{tmp_path / 'new.db'}", "--db", f"sqlite:///{tmp_path / 'none.db'}")
    assert (done.returncode, "Start the arena once to create it (`arena serve`" in done.stderr) == (2, True)
    assert not (tmp_path / "new.db").exists()
