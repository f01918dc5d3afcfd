"""Files whose columns are missing or of odd types: one clear error each, and nothing is imported by half."""

from __future__ import annotations

import datetime
import decimal
import json
import re

import pytest

from arena.exchange.battles_file import read_battles_file
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.import_battles import import_battles
from arena.store.ledger import sealed_votes

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
GOOD = {"model_a": ["x", "x"], "model_b": ["y", "y"], "winner": ["a", "b"]}


@pytest.mark.parametrize("left", [(), ("model_a",), ("model_a", "winner"), ("winner",)])
def test_parquet_without_all_columns_names_what_is_missing(sqlite, tmp_path, left):
    columns = {name: GOOD[name] for name in left} | {"n": [1, 2]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "b.parquet")
    missing = " or ".join(name for name in GOOD if name not in left)
    with pytest.raises(BadBattlesFile, match=f"no column {missing}"):
        import_battles(sqlite, tmp_path / "b.parquet")


NUMBERS = {
    "integers": [0, 1],
    "booleans": [True, False],
    "floats": [0.0, 1.0],
    "small integers": pyarrow.array([0, 1], pyarrow.int8()),
    "decimals": [decimal.Decimal(0), decimal.Decimal(1)],
}


@pytest.mark.parametrize("winner", NUMBERS.values(), ids=NUMBERS.keys())
def test_winners_in_numbers_are_refused_since_files_mean_either_side(sqlite, tmp_path, winner):
    """Integers failed in the database, after some batches."""
    parquet.write_table(pyarrow.table({**GOOD, "winner": winner}), tmp_path / "b.parquet")
    with pytest.raises(BadBattlesFile, match=r"row 0: winner .* Write model_a, model_b, tie or both_bad"):
        import_battles(sqlite, tmp_path / "b.parquet")


def test_winners_in_numbers_of_json_are_refused_too(sqlite, tmp_path):
    rows = [{"model_a": "x", "model_b": "y", "winner": winner} for winner in ("a", 1)]
    (tmp_path / "b.json").write_text(json.dumps(rows))
    with pytest.raises(BadBattlesFile, match="row 1: winner is 1, and numbers mean A in some files"):
        read_battles_file(tmp_path / "b.json")


ODD = {
    "lists as models": {"model_a": [["x"], ["x"]]},
    "numbers as models": {"model_a": [1.5, 2.5]},
    "bytes as models": {"model_a": [b"x", b"x"]},
    "no models": {"model_a": pyarrow.nulls(2)},
    "a missing model": {"model_b": ["y", None]},
    "no winners": {"winner": pyarrow.nulls(2)},
    "a missing winner": {"winner": ["a", None]},
    "dates as winners": {"winner": [datetime.date(2026, 1, 1)] * 2},
    "lists as winners": {"winner": [["a"], ["b"]]},
    "a struct as conversation": {"conversation_a": [{"role": "user"}] * 2},
    "numbers as conversations": {"conversation_a": [7, 8]},
    "texts as messages": {"conversation_a": [["hello"], ["hello"]]},
    "numbers as contents": {"conversation_a": [[{"role": "user", "content": 7}]] * 2},
    "lists as times": {"timestamp": [[1], [2]]},
    "words as times": {"timestamp": ["noon", "noon"]},
    "an endless time": {"tstamp": [1e400, 0.0]},
    "a probability above one": {"pair_probability": [0.5, 7.0]},
    "a probability in words": {"pair_probability": ["0.5", "half"]},
    "numbers as categories": {"categories": [1, 2]},
    "words as style counts": {
        f"{name}_{side}": ["many", "few"] for name in ("length", "headers", "lists", "bold") for side in "ab"
    },
}


@pytest.mark.parametrize("columns", ODD.values(), ids=ODD.keys())
def test_an_odd_column_is_one_error_with_its_row_and_nothing_is_imported(sqlite, tmp_path, columns):
    parquet.write_table(pyarrow.table({**GOOD, **columns}), tmp_path / "b.parquet")
    with pytest.raises(BadBattlesFile, match=r"b.parquet: .*row [01]"):
        import_battles(sqlite, tmp_path / "b.parquet")
    with sqlite.read() as session:
        assert list(sealed_votes(session)) == []


FINE = {
    "coded models": {"model_a": pyarrow.array(["x", "x"]).dictionary_encode()},
    "large texts": {"model_a": pyarrow.array(["x", "x"], pyarrow.large_string())},
    "texts by view": {"model_b": pyarrow.array(["y", "y"], pyarrow.string_view())},
    "numbered models": {"model_a": [1, 1], "model_b": [2, 2]},
    "times with a zone": {"timestamp": [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)] * 2},
    "times in nanoseconds": {"timestamp": pyarrow.array([1_767_225_600_000_000_000] * 2, pyarrow.timestamp("ns"))},
    "dates": {"timestamp": [datetime.date(2026, 1, 1)] * 2},
    "decimal seconds": {"tstamp": [decimal.Decimal("1767225600.5")] * 2},
    "nothing in the rest": {
        "timestamp": pyarrow.nulls(2),
        "conversation_a": pyarrow.nulls(2),
        "source": [None, ""],
    },
    "conversations without text": {"conversation_a": [[{"role": "assistant", "content": None}]] * 2},
}


@pytest.mark.parametrize("columns", FINE.values(), ids=FINE.keys())
def test_other_types_of_what_is_meant_are_read(sqlite, tmp_path, columns):
    parquet.write_table(pyarrow.table({**GOOD, **columns}), tmp_path / "b.parquet")
    assert import_battles(sqlite, tmp_path / "b.parquet").votes == 2
    with sqlite.read() as session:
        times = [vote.created_at[:10] for vote in sealed_votes(session)]
    known = any(name in columns and columns[name] != pyarrow.nulls(2) for name in ("timestamp", "tstamp"))
    assert times == ["2026-01-01"] * 2 if known else len(times) == 2


def test_an_error_late_in_a_large_file_writes_none_of_its_rows(sqlite, tmp_path):
    rows = [{"model_a": "x", "model_b": "y", "winner": "a", "id": n} for n in range(4_500)]
    (tmp_path / "one.json").write_text(json.dumps([{**rows[4_400], "winner": "b"}]))
    import_battles(sqlite, tmp_path / "one.json", "set")
    (tmp_path / "all.json").write_text(json.dumps(rows))
    with pytest.raises(BadBattlesFile, match=re.escape("row 4400: this vote is already imported")):
        import_battles(sqlite, tmp_path / "all.json", "set")
    with sqlite.read() as session:
        assert sum(1 for _ in sealed_votes(session)) == 1
