"""A migration keeps every row, on SQLite and on PostgreSQL, and can be taken back."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from arena.store import Database
from arena.store import battles as stored
from arena.store.models import register_models
from arena.store.schema.all_tables import METADATA
from arena.store.schema_version import _alembic
from tests.support.ballots import ballots

TABLES = ("battle", "turn", "completion", "vote", "battle_category", "battle_style", "pair_count")


def migrate(database: Database, revision: str) -> None:
    """Up or down to `revision`, in one transaction as `arena db upgrade` does it."""
    config, step = _alembic(), command.upgrade
    if revision == "base" or (database.revision() or "") > revision:
        step = command.downgrade
    with database.writing() as connection:
        config.attributes["connection"] = connection
        step(config, revision)


def rows(database: Database) -> dict[str, list[dict]]:
    with database.engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2")).mappings()]
            for name in TABLES
        }


def battle_layout(database: Database) -> tuple:
    """Columns, unique columns and indexes of the table of battles, in no order."""
    inspector = inspect(database.engine)
    columns = {
        (column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns("battle")
    }
    unique = {tuple(item["column_names"]) for item in inspector.get_unique_constraints("battle")}
    indexes = {item["name"] for item in inspector.get_indexes("battle") if not item["unique"]}
    keys = {item["referred_table"] for item in inspector.get_foreign_keys("battle")}
    return columns, unique, indexes, keys


def test_rows_survive_the_removal_of_the_ticket_and_its_return(database):
    ballots(database, shared=True)
    before = rows(database)
    migrate(database, "0007")
    older = rows(database)["battle"]
    for row in before["battle"]:
        assert row.pop("owner") is None
        assert [row.pop(name) for name in ("mode", "suggested", "stop_requested")] == ["blind", False, False]
        assert [row.pop(name) for name in ("texts", "warned", "visitor_unchecked")] == [None, False, False]
    for row in before["vote"]:
        assert [row.pop("reasons"), row.pop("import_id")] == [None, None]
    assert [row.pop("ticket") for row in older] == [row["public_id"] for row in before["battle"]]
    assert older == before["battle"]
    migrate(database, "0008")
    assert rows(database) == before
    migrate(database, "head")
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


@pytest.mark.parametrize(
    "change", ["DELETE FROM battle", "UPDATE battle SET public_id = 'same'", "UPDATE battle SET model_a_id = 99"]
)
def test_battles_keep_their_constraints_without_the_ticket(database, change):
    ballots(database)
    migrate(database, "0007")
    migrate(database, "0008")
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text(change))


def test_the_older_layout_comes_back_as_it_was(database):
    migrate(database, "base")
    migrate(database, "0007")
    before = battle_layout(database)
    migrate(database, "0008")
    assert "ticket" not in {name for name, _, _ in battle_layout(database)[0]}
    migrate(database, "0007")
    assert battle_layout(database) == before


def test_an_older_version_gets_interrupted_battles_closed(database):
    """It would accept votes on their completions."""
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        stored.add_turn(session, stored.add_battle(session, "ann", "amber", "birch", 1.0).id, "Hello?")
        session.execute(text("UPDATE battle SET status = 'open', owner = 'x'"))
        session.execute(text("UPDATE completion SET status = 'abandoned', text = 'so far'"))
    migrate(database, "0008")
    assert [row["status"] for row in rows(database)["battle"]] == ["abandoned"]
    assert [row["text"] for row in rows(database)["completion"]] == ["so far", "so far"]


@pytest.mark.slow
def test_the_list_of_tables_is_whole_without_any_other_import(sqlite):
    code = "from arena.store.schema.all_tables import all_tables; print(*(table.name for table in all_tables()))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {*printed.split(), "alembic_version"} == set(inspect(sqlite.engine).get_table_names())
