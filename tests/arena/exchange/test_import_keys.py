"""Which rows of a file are votes that the arena has already: none is lost, and none counts twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.import_battles import import_battles
from arena.exchange.import_keys import digest
from arena.rules.votes import HUMAN
from arena.store.imports import NewVote, add_votes
from arena.store.ledger import sealed_votes
from arena.store.schema.battles import now
from arena.store.votes import pair_counts, recount


def lines(path: Path, *records: dict) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def battle(winner: str, **fields: object) -> dict:
    return {"model_a": "x", "model_b": "y", "winner": winner, **fields}


def stored(database) -> Counter:
    with database.read() as session:
        assert recount(session) == []
        return Counter(vote.winner for vote in sealed_votes(session))


def test_another_file_of_the_same_name_adds_its_rows(sqlite, tmp_path):
    """Today four of seven votes were kept, and the leader was the other model."""
    import_battles(sqlite, lines(tmp_path / "mon" / "votes.jsonl", *[battle("a", day=1)] * 3))
    done = import_battles(sqlite, lines(tmp_path / "tue" / "votes.jsonl", *[battle("b", day=2)] * 4))
    assert (done.votes, done.there) == (4, 0)
    assert stored(sqlite) == {"model_a": 3, "model_b": 4}


def test_a_renamed_or_reordered_file_adds_nothing_and_a_longer_one_what_is_new(sqlite, tmp_path):
    rows = [battle("a", n=n % 3) for n in range(6)] + [battle("b")]
    import_battles(sqlite, lines(tmp_path / "one.jsonl", *rows))
    shuffled = random.Random(0).sample(rows, len(rows))
    again = import_battles(sqlite, lines(tmp_path / "two.jsonl", *shuffled, battle("a", n=0), battle("tie")))
    assert (again.votes, again.there) == (2, 7)
    assert stored(sqlite) == {"model_a": 7, "model_b": 1, "tie": 1}


def test_a_table_and_lines_with_the_same_rows_are_the_same_votes(sqlite, tmp_path):
    import_battles(
        sqlite, lines(tmp_path / "b.jsonl", battle("a", turn=1, anony=True), battle("b", turn=2, note=None))
    )
    table = "model_a,model_b,winner,turn,anony,note\nx,y,a,1,True,\nx,y,model_b,2,,\n"
    (tmp_path / "b.csv").write_text(table)
    assert import_battles(sqlite, tmp_path / "b.csv").there == 2


def test_the_same_rows_under_a_name_are_further_votes(sqlite, tmp_path):
    file = lines(tmp_path / "b.jsonl", battle("a"), battle("b"))
    assert [import_battles(sqlite, file, name).votes for name in (None, "other", "other")] == [2, 2, 0]


def test_a_vote_with_another_winner_is_an_error_that_names_the_row_and_adds_nothing(sqlite, tmp_path):
    one = [battle("a", id="q1"), battle("b", id="q2", voter="ann")]
    import_battles(sqlite, lines(tmp_path / "v.jsonl", *one))
    for changed in (battle("b", id="q1"), battle("tie", id="q2", voter="ann")):
        with pytest.raises(
            BadBattlesFile, match=r"v.jsonl: row 1: this vote is already imported with winner model_"
        ):
            import_battles(sqlite, lines(tmp_path / "v.jsonl", battle("a", id="q9"), changed))
    assert stored(sqlite) == {"model_a": 1, "model_b": 1}
    assert import_battles(sqlite, lines(tmp_path / "v.jsonl", battle("b", id="q1")), "corrected").votes == 1


def test_voters_of_one_battle_are_told_apart_whatever_their_order(sqlite, tmp_path):
    """PandaLM, MT-bench and llmfao have several people's votes on one id."""
    first = [battle("b", id=1, voter="ben"), battle("a", id=1, voter="cas")]
    import_battles(sqlite, lines(tmp_path / "v.jsonl", *first))
    longer = [battle("tie", id=1, voter="ann"), *reversed(first), battle("a", id=1, voter="dot")]
    done = import_battles(sqlite, lines(tmp_path / "v.jsonl", *longer))
    assert (done.votes, done.there) == (2, 2)
    assert stored(sqlite) == {"model_a": 2, "model_b": 1, "tie": 1}


def test_votes_on_both_turns_of_one_question_are_two(sqlite, tmp_path):
    rows = [battle(winner, question_id=81, judge="expert_1", turn=turn) for winner, turn in (("a", 1), ("b", 2))]
    file = lines(tmp_path / "mt.jsonl", *rows)
    assert [import_battles(sqlite, file).votes for _ in range(2)] == [2, 0]
    with pytest.raises(BadBattlesFile, match="row 1: this vote is already imported with winner model_b"):
        import_battles(sqlite, lines(tmp_path / "mt.jsonl", rows[0], {**rows[1], "winner": "a"}))


def test_a_judges_vote_joins_the_battle_of_people(sqlite, tmp_path):
    import_battles(sqlite, lines(tmp_path / "v.jsonl", battle("a", id=1, voter="ann")))
    judged = lines(tmp_path / "v.jsonl", battle("b", id=1, source="judge:j"))
    assert [import_battles(sqlite, judged).votes for _ in range(2)] == [1, 0]
    with sqlite.read() as session:
        assert len({vote.battle for vote in sealed_votes(session)}) == 1


def test_what_an_earlier_version_imported_is_not_added_again(database, tmp_path):
    """Before 0.3 a row without an id was known by the name of the file and its number."""
    old = [
        NewVote(digest("v", f"#{row}", "x", "y"), "x", "y", winner, HUMAN, "imported", now())
        for row, winner in enumerate(("model_a", "model_b"))
    ]
    with database.write() as session:
        add_votes(session, old)
    done = import_battles(database, lines(tmp_path / "v.jsonl", battle("a"), battle("b")))
    assert (done.votes, done.there) == (0, 2)
    other = import_battles(database, lines(tmp_path / "v.jsonl", battle("a"), battle("a")))
    assert (other.votes, other.there) == (2, 0)


def test_many_rows_are_found_again(sqlite, tmp_path):
    file = lines(tmp_path / "v.jsonl", *[battle("a", n=n) for n in range(2_100)], *[battle("b")] * 3)
    assert [import_battles(sqlite, file).votes for _ in range(2)] == [2_103, 0]
    with sqlite.read() as session:
        assert sum(c.wins for c in pair_counts(session)) == 2_100


@pytest.mark.parametrize("turn", [1, 1.0, "1", "1.0"])
def test_a_file_that_a_tool_wrote_again_holds_the_same_votes(sqlite, tmp_path, turn):
    """pandas writes whole numbers as 1.0 where the column has an empty field."""
    path = tmp_path / "again.jsonl"
    row = {"model_a": "x", "model_b": "y", "winner": "tie"}
    path.write_text(json.dumps({**row, "turn": 1}))
    import_battles(sqlite, path)
    path.write_text(json.dumps({**row, "turn": turn}))
    assert import_battles(sqlite, path).votes == 0
    path.write_text(json.dumps({**row, "turn": 10}))
    assert import_battles(sqlite, path).votes == 1
