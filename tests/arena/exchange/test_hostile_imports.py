"""Files of battles that somebody made to break an arena, or that a tool wrote badly."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import select

from arena.exchange.folder import export_arena
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.import_battles import import_battles
from arena.exchange.import_rows import STYLE
from arena.exchange.vote_sources import named_voter, voter_of
from arena.rules.seals import FORMER
from arena.store.battles import add_battle
from arena.store.models import register_models
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, Vote
from arena.store.votes import recount
from tests.support.ballots import ballot
from tests.support.exported import rows

BATTLE = {"model_a": "amber", "model_b": "birch", "winner": "model_a"}


def written(folder: Path, *battles: dict) -> Path:
    path = folder / "battles.jsonl"
    path.write_text("".join(json.dumps({**BATTLE, **battle}) + "\n" for battle in battles))
    return path


@pytest.mark.parametrize("value", [1 << 31, 10**24, -1, 5.5, float("inf"), "x"])
def test_a_style_count_that_no_text_has_is_refused_before_anything_is_written(database, tmp_path, value):
    path = written(tmp_path, {}, {**dict.fromkeys(STYLE, 1), "length_a": value})
    with pytest.raises(BadBattlesFile, match="row 1"):
        import_battles(database, path)
    with database.read() as session:
        assert session.exec(select(Vote)).all() == []


@pytest.mark.parametrize("source", ["judge:" + "x" * 5000, "judge:a\nb", "judge:\x1b[2J", ["judge:a"]])
def test_a_judge_of_a_file_has_a_name_that_can_be_shown(database, tmp_path, source):
    with pytest.raises(BadBattlesFile, match=r"row 0: source .* is unknown"):
        import_battles(database, written(tmp_path, {"source": source}))


@pytest.mark.parametrize("name", ["y" * 500, "a\tb"])
def test_the_judge_of_a_list_has_such_a_name_too(sqlite, tmp_path, name):
    with pytest.raises(BadBattlesFile, match="is unknown"):
        import_battles(sqlite, written(tmp_path, {"judge": [name, "pair"]}))


def test_categories_are_names_and_nothing_else(sqlite, tmp_path):
    import_battles(sqlite, written(tmp_path, {"categories": ["coding", None, "", "math"]}))
    with sqlite.read() as session:
        assert sorted(session.exec(select(BattleCategory.category)).all()) == ["coding", "math"]
    with pytest.raises(BadBattlesFile, match="is not printable"):
        import_battles(sqlite, written(tmp_path, {"categories": ["a\nb"]}))


@pytest.mark.parametrize("time", ["2999-01-01", 32_000_000_000, 32_000_000_000_000])
def test_a_vote_of_the_future_is_refused(sqlite, tmp_path, time):
    with pytest.raises(BadBattlesFile, match="in the future"):
        import_battles(sqlite, written(tmp_path, {"tstamp": time}))


@pytest.mark.parametrize("name", [" birch", "birch ", "cafe\u0301"])
def test_two_spellings_of_one_name_are_not_two_models(sqlite, tmp_path, name):
    with pytest.raises(BadBattlesFile, match="which would be another model"):
        import_battles(sqlite, written(tmp_path, {"model_b": name}))


@pytest.mark.parametrize(
    "voter",
    [
        "198.51.100.2:8080", " 198.51.100.2", "198.51.100.2, 10.0.0.1", "user_198.51.100.2", "['198.51.100.2']",
        "[2001:db8::7]:443", "2001:db8::7, 10.0.0.1", "fe80::1%eth0", "ann@example.org", "arena_user_198.51.100.2:99",
        FORMER + "0123456789abcdef0123",
    ],
)  # fmt: skip
def test_a_voter_with_an_address_in_it_is_stored_as_a_pseudonym(voter):
    row = {**BATTLE, "voter": voter}
    stored = voter_of(row, "human", b"key")
    assert (len(stored), set(stored) <= set("0123456789abcdef")) == (20, True)
    assert named_voter(row) == voter


@pytest.mark.parametrize("voter", ["ann", "session-1.2.3", "a:b:c", "@ann", "user 7", "12345"])
def test_other_voters_stay_as_they_are(voter):
    assert voter_of({**BATTLE, "voter": voter}, "human", b"key") == voter


def test_a_voter_that_an_earlier_version_stored_as_it_is_does_not_vote_again(sqlite, tmp_path):
    path = written(tmp_path, {"question_id": "q", "voter": "198.51.100.2:8080"})
    import_battles(sqlite, path)
    with sqlite.write() as session:
        session.exec(select(Vote)).one().voter = "198.51.100.2:8080"
    again = import_battles(sqlite, path)
    assert (again.votes, again.there) == (0, 1)


@pytest.mark.parametrize("blind", ["0", 0, "no", "False", 0.0])
def test_votes_that_were_not_blind_are_skipped_however_that_is_spelled(sqlite, tmp_path, blind):
    done = import_battles(sqlite, written(tmp_path, {"anony": blind}, {"anony": True}, {"anony": None}))
    assert (done.votes, list(done.skipped.values())) == (2, [1])


def test_votes_of_conversations_without_an_id_are_all_counted(sqlite, tmp_path):
    states = [{"conv_id": None, "model_name": name, "messages": []} for name in ("amber", "birch")]
    line = {"type": "leftvote", "models": ["", ""], "states": states, "ip": "198.51.100.2"}
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({**line, "tstamp": time}) + "\n" for time in (1.0, 2.0)))
    assert import_battles(sqlite, path).votes == 2


def test_two_columns_of_one_name_in_a_parquet_file_are_named(sqlite, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = [arrow.array([text]) for text in ("amber", "birch", "tie", "model_a")]
    table = arrow.Table.from_arrays(columns, names=["model_a", "model_b", "winner", "winner"])
    parquet.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(BadBattlesFile, match="two columns are named 'winner'"):
        import_battles(sqlite, tmp_path / "twice.parquet")


def test_two_imports_of_one_file_at_once_add_each_vote_once(database, tmp_path):
    path = written(tmp_path, *({"question_id": f"q{number}", "voter": "ann"} for number in range(300)))
    with ThreadPoolExecutor() as threads:
        done = list(threads.map(lambda _: import_battles(database, path), range(3)))
    assert (sum(one.votes for one in done), {one.votes + one.there for one in done}) == (300, {300})
    with database.read() as session:
        assert len(session.exec(select(Vote.id)).all()) == 300
        assert recount(session) == []


def exported_row(database, tmp_path: Path) -> dict:
    ballot(database, "amber", "birch", "model_a", voter="ann")
    export_arena(database, tmp_path / "export")
    return rows(tmp_path / "export")[0]


def test_an_export_with_other_models_does_not_change_the_counts_of_a_battle(database, tmp_path):
    row = exported_row(database, tmp_path)
    forged = {**row, "source": "judge:j", "model_a": "cedar"}
    with pytest.raises(BadBattlesFile, match=r"is between amber and birch, and a row has cedar and birch"):
        import_battles(database, written(tmp_path, forged))
    with database.read() as session:
        assert recount(session) == []


def test_one_battle_of_an_export_has_the_same_models_in_all_rows(sqlite, tmp_path):
    row = {**exported_row(sqlite, tmp_path), "question_id": "new"}
    with pytest.raises(BadBattlesFile, match="is between amber and birch"):
        import_battles(sqlite, written(tmp_path, row, {**row, "source": "judge:j", "model_b": "cedar"}))


def test_nobody_votes_on_an_open_battle_by_a_file(database, tmp_path):
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        session.flush()
        name = session.get_one(Battle, add_battle(session, "ann", "amber", "birch", 1.0).id).public_id
    with pytest.raises(BadBattlesFile, match="waits for the vote of its own voter"):
        import_battles(database, written(tmp_path, {"question_id": name, "vote": 1, "leaf": "00"}))


def test_an_id_that_is_too_long_is_not_cut_to_that_of_another_battle(sqlite, tmp_path):
    with pytest.raises(BadBattlesFile, match="is no id of a battle"):
        import_battles(sqlite, written(tmp_path, {"question_id": "q" * 41, "vote": 1, "leaf": "00"}))
