"""Whose votes imported rows are, and who may read their texts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from arena.errors import ConfigError
from arena.exchange.folder import export_arena
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.import_battles import import_battles
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.exchange.vote_sources import source_option
from arena.leaderboards.anomalous_voters import check_stored_voters
from arena.leaderboards.vote_filters import DAILY, find_filter
from arena.store.ledger import sealed_votes
from arena.store.shared_battles import public_battles
from tests.support.typed import Typed


def lines(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def battle(winner: str = "a", **fields: object) -> dict:
    return {"model_a": "x", "model_b": "y", "winner": winner, **fields}


def voters(database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(vote.source, vote.voter) for vote in sealed_votes(session)]


@pytest.mark.parametrize(
    ("judge", "source"),
    [
        ("gpt4_pair", "judge:gpt4_pair"),
        (["gpt-4", "pair-v2"], "judge:gpt-4"),
        ("claude-3-opus-20240229", "judge:claude-3-opus-20240229"),
        ("o3-mini", "judge:o3-mini"),
        ("expert_14", "human"),
        ("author_2", "human"),
        ("arena_user_973", "human"),
        ("claude", "human"),
    ],
)
def test_the_verdicts_of_a_model_are_a_judges_votes(sqlite, tmp_path, judge, source):
    """MT-bench's `gpt4_pair` came in as people's votes."""
    import_battles(sqlite, lines(tmp_path / "b.jsonl", battle(judge=judge, question_id=81)))
    ((found, voter),) = voters(sqlite)
    assert (found, voter == source) == (source, source != "human")


def test_source_is_for_rows_that_do_not_say(sqlite, tmp_path):
    rows = battle(), battle("b", source="human", voter="ann"), battle("b", source="judge:k")
    import_battles(sqlite, lines(tmp_path / "b.jsonl", *rows), source=source_option("gpt-4o"))
    assert Counter(source for source, _ in voters(sqlite)) == {"judge:gpt-4o": 1, "human": 1, "judge:k": 1}


def test_the_option_names_people_or_a_judge():
    assert [source_option(text) for text in (None, "people", "human", "gpt-4o", "judge:gpt-4o")] == [
        None, "human", "human", "judge:gpt-4o", "judge:gpt-4o",
    ]  # fmt: skip
    for wrong in ("", "judge:", "a\nb", "x" * 200):
        with pytest.raises(ConfigError, match="is no name of a judge"):
            source_option(wrong)


def test_sessions_are_voters_and_rows_without_any_have_none(sqlite, tmp_path):
    """All 140,000 voters of a public file were one voter, "imported"."""
    rows = [battle(id=n, evaluation_session_id=f"s{n % 2}") for n in range(4)] + [
        battle(id=n) for n in range(4, 9)
    ]
    done = import_battles(sqlite, lines(tmp_path / "b.jsonl", *rows))
    assert done.without_voter == 5
    found = Counter(voter for _, voter in voters(sqlite))
    assert (found.pop("human"), sorted(found.values())) == (5, [2, 2])


@pytest.mark.parametrize("missing", [None, "", float("nan")])
def test_an_empty_field_is_no_voter(sqlite, tmp_path, missing):
    import_battles(sqlite, lines(tmp_path / "b.jsonl", battle(voter=missing, worker=missing)))
    assert voters(sqlite) == [("human", "human")]


def test_votes_without_voter_are_in_no_test_of_voters_and_under_no_daily_cap(sqlite, tmp_path):
    rows = [battle("ab"[n % 2], id=n, timestamp=1_700_000_000) for n in range(DAILY + 20)]
    own = [battle("tie" if n % 3 == 0 else "ab"[n % 2], id=f"o{n}", voter=f"v{n % 3}") for n in range(30)]
    import_battles(sqlite, lines(tmp_path / "b.jsonl", *rows, *own))
    with sqlite.read() as session:
        assert sorted(check_stored_voters(session).check.votes) == [10, 10, 10]
        votes = list(sealed_votes(session))
    assert sum(1 for _ in find_filter("capped-1").counted(votes)) == DAILY + 50


def test_a_known_voter_is_still_capped(sqlite, tmp_path):
    rows = [battle(id=n, timestamp=1_700_000_000, voter="ann") for n in range(DAILY + 20)]
    import_battles(sqlite, lines(tmp_path / "b.jsonl", *rows))
    with sqlite.read() as session:
        assert sum(1 for _ in find_filter("capped-1").counted(sealed_votes(session))) == DAILY


def test_an_export_with_votes_without_voter_verifies(sqlite, tmp_path):
    import_battles(
        sqlite, lines(tmp_path / "b.jsonl", battle(), battle("b", voter="ann"), battle(judge="gpt4_pair"))
    )
    seal(sqlite)
    export_arena(sqlite, tmp_path / "out")
    assert verify(tmp_path / "out").problems == []


@pytest.mark.parametrize("address", ["arena_user_203.0.113.9", "2001:db8::7", "198.51.100.2"])
def test_an_address_is_not_stored(sqlite, tmp_path, address):
    """FastChat's logs, and battles cleaned without --sanitize-ip, name voters by their address."""
    rows = [battle(judge=address, question_id=n) for n in range(2)]
    import_battles(sqlite, lines(tmp_path / "b.jsonl", *rows))
    assert len(set(voters(sqlite))) == 1
    with sqlite.read() as session:
        raw = session.connection().exec_driver_sql(
            "select v.voter, b.voter from vote v join battle b on b.id = battle_id"
        )
        assert all(address not in str(row) for row in raw)
    assert import_battles(sqlite, tmp_path / "b.jsonl").there == 2


TALK = [{"role": "user", "content": "Where is the key?"}, {"role": "assistant", "content": "Under the mat."}]


def texts(database, folder: Path) -> list:
    export_arena(database, folder)
    return [json.loads(line)["conversation_a"] for line in (folder / "battles.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("judge", ["expert_1", "gpt4_pair"])
def test_imported_texts_are_private_unless_shared(sqlite, tmp_path, judge):
    """Readers may see all texts of a judge run, and those of an imported judge no more than others."""
    file = lines(tmp_path / "b.jsonl", battle(conversation_a=TALK, conversation_b=TALK, judge=judge))
    import_battles(sqlite, file)
    assert texts(sqlite, tmp_path / "one") == [None]
    with sqlite.read() as session:
        assert public_battles(session, 0, 10, model=None, category=None, judged=True) == []
    import_battles(sqlite, file, "public", share=True)
    assert texts(sqlite, tmp_path / "two") == [None, TALK]


def test_half_a_surrogate_in_a_text_does_not_refuse_the_file(sqlite, tmp_path):
    """Kaggle's 55,000 battles have some."""
    talk = [TALK[0], {"role": "assistant", "content": "half \ud83d of a pair"}]
    import_battles(
        sqlite, lines(tmp_path / "b.jsonl", battle(conversation_a=talk, conversation_b=TALK)), share=True
    )
    assert texts(sqlite, tmp_path / "one")[0][1]["content"] == "half \ufffd of a pair"


def test_the_command_says_what_it_did(tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    lines(tmp_path / "b.jsonl", battle(anony=True), battle("b", anony=False), battle("b", anony=True))
    done = arena("import", "b.jsonl", folder=tmp_path)
    assert "b: 2 votes on 2 models" in done.stderr
    assert "2 votes name no voter" in done.stderr
    assert "skipped 1 rows: the models were named before the vote" in done.stderr
    assert (
        "already imported (if they are other votes, add --name)"
        in arena("import", "b.jsonl", folder=tmp_path).stderr
    )
    judged = arena("import", "b.jsonl", "--source", "gpt-4o", "--share", "--format", "json", folder=tmp_path)
    assert json.loads(judged.stdout)["votes"] == 2
    assert arena("import", "b.jsonl", "--source", "judge:", folder=tmp_path).returncode == 2


def test_pairs_have_to_say_who_chose(sqlite, tmp_path):
    pair = {"prompt": "p", "chosen": "good", "rejected": "bad", "chosen_model": "x", "rejected_model": "y"}
    file = lines(tmp_path / "b.jsonl", pair)
    with pytest.raises(BadBattlesFile, match=r"does not say who chose. Add --source people, or --source NAME"):
        import_battles(sqlite, file)
    assert import_battles(sqlite, file, source="judge:ultra").votes == 1
