import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from arena.errors import DatabaseFailed
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Database, DatabaseError, open_database, running_turns
from arena.store import battles as stored
from arena.store.battles import WrongStatus
from arena.store.models import model_names, register_models
from arena.store.running_turns import TextSoFar
from arena.store.schema.battles import BattleStatus, CompletionStatus, PairCount, Turn, Vote, now
from arena.store.schema_version import latest_revision
from arena.store.stored_battles import Written, find_battle
from arena.store.votes import AlreadyVoted, add_vote, pair_counts, recount, rewrite_pair_counts, vote_count


def begin(database: Database, status: BattleStatus = BattleStatus.OPEN) -> int:
    """A battle of one turn between `left` and `right`."""
    with database.write() as session:
        register_models(session, ["left", "right"])
        battle = stored.add_battle(session, "voter", "left", "right", 1.0)
        stored.add_turn(session, battle.id, "Hello?")
        if status is not BattleStatus.RUNNING:
            done = Written("Hi.", CompletionStatus.FINISHED)
            stored.finish_turn(session, battle.id, {"a": done, "b": done}, status)
        return battle.id


def vote(database: Database, battle_id: int, winner: str = "model_a", source: str = HUMAN) -> None:
    with database.write() as session:
        add_vote(session, battle_id, source, "voter", winner, stopped_early=False)


def test_two_servers_that_start_together_register_a_model_once(database):
    def register() -> None:
        with database.write() as session:
            register_models(session, ["left", "right"])

    with ThreadPoolExecutor() as threads:
        with database.write() as session:
            register_models(session, ["left", "right"])
            session.flush()
            second = threads.submit(register)
            assert wait([second], timeout=0.5).not_done  # it waits for the first
        second.result()
    with database.read() as session:
        assert model_names(session) == ["left", "right"]


def test_all_statements_of_a_read_see_the_same_state(database):
    """A view of a battle is several statements: between two of them a pending vote must not vanish."""
    number = begin(database)
    with database.read() as session:
        assert session.exec(select(Vote.id)).all() == []
        vote(database, number)
        assert session.exec(select(Vote.id)).all() == []
    with database.read() as session:
        assert len(session.exec(select(Vote.id)).all()) == 1


def test_migrations_and_tables_agree(database):
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    assert differences == []
    assert database.revision() == latest_revision()


@pytest.mark.parametrize(
    ("winner", "expected"),
    [("model_a", (1, 0, 0, 0)), ("model_b", (0, 1, 0, 0)), ("tie", (0, 0, 1, 0)), ("both_bad", (0, 0, 0, 1))],
)
def test_each_winner_adds_to_its_own_column(database, winner, expected):
    vote(database, begin(database), winner)
    with database.read() as session:
        (counted,) = pair_counts(session)
    assert (counted.model_a, counted.model_b) == ("left", "right")
    assert (counted.wins, counted.losses, counted.ties, counted.both_bad) == expected


def test_a_second_vote_of_a_source_changes_nothing(database):
    battle_id = begin(database)
    vote(database, battle_id)
    with pytest.raises(WrongStatus):
        vote(database, battle_id, "model_b")
    vote(database, battle_id, source="judge:someone")
    with pytest.raises(AlreadyVoted, match="judge:someone has already voted on battle"):
        vote(database, battle_id, "tie", source="judge:someone")
    with database.read() as session:
        assert session.exec(select(Vote.winner)).all() == ["model_a", "model_a"]
        assert vote_count(session) == 2
        assert recount(session) == []


def test_a_vote_never_goes_back_and_a_closed_battle_takes_none(database):
    battle_id = begin(database)
    vote(database, battle_id)
    for before, after in ((BattleStatus.OPEN, BattleStatus.RUNNING), (BattleStatus.RUNNING, BattleStatus.OPEN)):
        with pytest.raises(WrongStatus), database.write() as session:
            stored.move(session, battle_id, before, after)
    with pytest.raises(WrongStatus):
        vote(database, begin(database, BattleStatus.FAILED))


def test_a_judge_may_vote_where_a_person_has(database):
    battle_id = begin(database)
    vote(database, battle_id)
    vote(database, battle_id, "tie", source="judge:someone")
    with database.read() as session:
        assert [c.wins for c in pair_counts(session)] == [1]
        assert [(c.wins, c.ties) for c in pair_counts(session, source=None)] == [(1, 1)]


def test_the_database_itself_refuses_an_unknown_winner(database):
    battle_id = begin(database)
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Vote(battle_id=battle_id, source=HUMAN, voter="v", winner="modelA"))


def test_recount_finds_and_repair_mends_a_wrong_count(database):
    vote(database, begin(database))
    with database.write() as session:
        session.exec(select(PairCount).where(PairCount.category == OVERALL)).one().wins = 7
    with database.read() as session:
        (difference,) = recount(session)
    assert (difference.stored, difference.counted) == ((7, 0, 0, 0), (1, 0, 0, 0))
    with database.write() as session:
        rewrite_pair_counts(session)
    with database.read() as session:
        assert recount(session) == []


def test_votes_of_another_category_also_count_overall(database):
    battle_id = begin(database)
    with database.write() as session:
        session.execute(text("UPDATE battle SET category = 'code'"))
    vote(database, battle_id)
    with database.read() as session:
        assert len(pair_counts(session, category="code")) == len(pair_counts(session, category=OVERALL)) == 1
        assert recount(session) == []
        assert vote_count(session) == 1


def test_a_failed_transaction_leaves_no_vote_and_no_count(database):
    battle_id = begin(database)

    def vote_and_fail() -> None:
        with database.write() as session:
            add_vote(session, battle_id, HUMAN, "voter", "tie", stopped_early=False)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        vote_and_fail()
    with database.read() as session:
        assert session.exec(select(Vote)).all() == []
        assert pair_counts(session) == []


def test_what_a_stopped_server_left_running_is_opened_with_its_texts(database):
    running, waiting = begin(database, BattleStatus.RUNNING), begin(database)
    with database.write() as session:
        turn = session.exec(select(Turn).where(Turn.battle_id == running)).one()
        running_turns.save_texts(session, [TextSoFar(turn.id, 1, "a", "So far")])
        assert running_turns.interrupt_all_but(session, "this") == 1
    with database.read() as session:
        found = {b.id: b for b in (find_battle(session, public_id=p) for p in _public_ids(session))}
    assert found[running].status is BattleStatus.OPEN
    assert found[running].turns[0].completions["a"] == Written("So far", CompletionStatus.ABANDONED)
    assert found[running].turns[0].completions["b"] == Written("", CompletionStatus.ABANDONED)
    assert found[waiting].turns[0].completions["a"] == Written("Hi.", CompletionStatus.FINISHED)


def test_an_old_open_battle_is_abandoned(database):
    begin(database)
    with database.write() as session:
        assert stored.close_stale(session, before=now()) == 1
        assert stored.close_stale(session, before=now()) == 0


def test_a_regenerated_turn_keeps_its_first_attempt_on_record(database):
    battle_id = begin(database)
    with database.write() as session:
        stored.move(session, battle_id, BattleStatus.OPEN, BattleStatus.RUNNING)
        stored.add_attempt(session, battle_id)
        again = Written("Better.", CompletionStatus.FINISHED)
        stored.finish_turn(session, battle_id, {"a": again, "b": again}, BattleStatus.OPEN)
    with database.read() as session:
        battle = find_battle(session, public_id=_public_ids(session)[0])
        texts = session.execute(text("SELECT text FROM completion WHERE side = 'a' ORDER BY attempt")).scalars()
        assert list(texts) == ["Hi.", "Better."]
    assert battle.turns[0].attempt == 2
    assert battle.turns[0].completions["a"].text == "Better."


def test_times_come_back_in_utc(database):
    begin(database)
    vote(database, 1)
    with database.read() as session:
        created = session.exec(select(Vote.created_at)).one()
    assert created.utcoffset().total_seconds() == 0
    assert abs((now() - created).total_seconds()) < 60


def _public_ids(session):
    return session.execute(text("SELECT public_id FROM battle ORDER BY id")).scalars().all()


def test_sqlite_is_set_up_so_that_an_acknowledged_vote_is_on_disk(sqlite):
    with sqlite.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_one_sqlite_file_has_one_server(sqlite):
    sqlite.lock()
    second = Database(sqlite.url)
    with pytest.raises(DatabaseError, match=r"in use by another arena\. Stop that arena"):
        second.lock()
    second.close()


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "arena.db").write_text("this is not a database, whatever its name may say" * 20)
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with pytest.raises(DatabaseError, match="file is not a database"):
        database.make_ready()
    database.close()


def test_an_opened_database_is_ready_and_translates_its_errors(tmp_path):
    url = f"sqlite:///{tmp_path / 'arena.db'}"
    with pytest.raises(DatabaseError, match="not found"), open_database(url, create=False):
        pass
    with open_database(url) as database, database.write() as session:
        register_models(session, ["x"])
    with (
        pytest.raises(DatabaseFailed, match="no such table: absent"),
        open_database(url, create=False) as database,
        database.read() as session,
    ):
        session.execute(text("SELECT * FROM absent"))


def test_an_older_layout_asks_for_an_upgrade(tmp_path):
    _with_revision(tmp_path / "arena.db", "0001")
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with pytest.raises(DatabaseError, match="arena db upgrade --db"):
        database.make_ready()
    database.close()


@pytest.mark.parametrize(
    ("revision", "said"),
    [(None, "contains tables of another program"), ("9999", "created by a newer version of Arena")],
)
def test_an_upgrade_leaves_a_database_alone_that_it_does_not_know(tmp_path, revision, said):
    _with_revision(tmp_path / "arena.db", revision)
    before = _dump(tmp_path / "arena.db")
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    for step in (database.upgrade, database.make_ready):
        with pytest.raises(DatabaseError, match=said):
            step()
    database.close()
    assert _dump(tmp_path / "arena.db") == before


def test_an_upgrade_that_fails_is_reported_and_undone(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    database.make_ready()
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    with pytest.raises(DatabaseError, match="already exists"):
        database.upgrade()
    assert database.revision() == "0002"
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url):
    with pytest.raises(DatabaseError, match="Give a file"):
        Database(url)


def test_a_lock_that_cannot_be_made_is_not_somebody_elses(tmp_path):
    (tmp_path / "file").write_text("")
    database = Database(f"sqlite:///{tmp_path / 'file' / 'arena.db'}")
    with pytest.raises(DatabaseError, match=r"arena.db-lock cannot be written .*--db"):
        database.lock()
    database.close()


def test_a_newer_layout_asks_for_a_newer_arena(tmp_path):
    _with_revision(tmp_path / "arena.db", "9999")
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with pytest.raises(DatabaseError, match="created by a newer version of Arena"):
        database.make_ready()
    database.close()


def _dump(file):
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def _with_revision(file, revision):
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    if revision:
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("url", ["arena.db", "nosuch://x/y"])
def test_a_wrong_url_is_named(url):
    with pytest.raises(DatabaseError, match=r"is not a database URL|nosuch"):
        Database(url)


def test_a_password_is_not_shown():
    assert "secret" not in Database("postgresql://me:secret@127.0.0.1:1/x").shown
