"""Battles of elsewhere: brought in, rated as published, and out again to the same numbers."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import ratings
from arena.exchange.board_comparison import differences
from arena.exchange.folder import export_arena
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.import_battles import import_battles
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.leaderboard import publish
from arena.store import Database
from arena.store.ledger import sealed_votes
from arena.store.votes import pair_counts, recount
from ratings import POINTS_PER_LOGIT
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.published import published
from tests.support.typed import Typed


def lines(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def published_scores(name: str) -> dict[str, float]:
    with published("ratings", "evalica", f"{name}-golden.csv").open(newline="") as file:
        return {r["item"]: float(r["score"]) for r in csv.DictReader(file) if r["algorithm"] == "bradley_terry"}


def rated(database: Database, **options: float) -> dict[str, float]:
    with database.read() as session:
        votes = list(sealed_votes(session))
    columns = [[getattr(vote, name) for vote in votes] for name in ("model_a", "model_b", "winner")]
    fit = ratings.bradley_terry(*columns, **options)
    return dict(zip(fit.models, fit.ratings.tolist(), strict=True))


def as_published(scores: dict[str, float]) -> dict[str, float]:
    xi = {item: math.log(score) for item, score in scores.items()}
    mean = sum(xi.values()) / len(xi)
    return {item: 1000 + POINTS_PER_LOGIT * (value - mean) for item, value in xi.items()}


@pytest.mark.parametrize("name", ["food", "simple"])
def test_imported_battles_give_the_published_ratings(sqlite, name):
    import_battles(sqlite, published("ratings", "evalica", f"{name}.csv"))
    assert rated(sqlite) == pytest.approx(as_published(published_scores(name)), abs=1e-9)


@pytest.mark.slow
def test_the_published_test_set_of_pandalm_is_read_as_it_is(sqlite):
    """999 battles with three votes each; their majority is PandaLM's published human verdict."""
    done = import_battles(sqlite, published("judges", "pandalm", "testset-v1.json"))
    assert (done.votes, done.models) == (2997, 5)
    with sqlite.read() as session:
        voters = Counter(vote.winner for vote in sealed_votes(session))
    rows = json.loads(published("judges", "pandalm", "testset-v1.json").read_text())
    given = Counter(row[f"annotator{one}"] for row in rows for one in (1, 2, 3))
    assert voters == {"tie": given[0], "model_a": given[1], "model_b": given[2]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "not a list of objects, one for each battle"),
        ("[1]", "not a list of objects, one for each battle"),
        ("[]", "no column model_a or model_b or winner"),
        ("[{", "Expecting property name"),
        ('[{"annotator1": 1}]', "row 0: KeyError: 'cmp_key'"),
    ],
)
def test_other_json_is_refused_by_what_it_lacks(sqlite, tmp_path, text, problem):
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(BadBattlesFile, match=re.escape(problem)):
        import_battles(sqlite, tmp_path / "b.json")


@pytest.mark.parametrize("parquet", [False, True])
def test_pandas_reads_the_export_to_the_published_ratings(sqlite, tmp_path, parquet):
    """A dozen lines that know nothing of us: Zermelo's iteration over counts that pandas made."""
    pandas = pytest.importorskip("pandas")
    import_battles(sqlite, published("ratings", "evalica", "food.csv"))
    export_arena(sqlite, tmp_path / "out", parquet=parquet)
    frame = (
        pandas.read_parquet(tmp_path / "out" / "battles.parquet")
        if parquet
        else pandas.read_json(tmp_path / "out" / "battles.jsonl", lines=True)
    )
    score = frame.winner.map({"model_a": 1.0, "model_b": 0.0}).fillna(0.5)
    won = pandas.concat([score.groupby(frame.model_a).sum(), (1 - score).groupby(frame.model_b).sum()])
    won = won.groupby(level=0).sum()
    met = pandas.crosstab(frame.model_a, frame.model_b).reindex(index=won.index, columns=won.index, fill_value=0)
    met = (met + met.T).to_numpy()
    strength = won.to_numpy() * 0 + 1.0
    for _ in range(2000):
        strength = won.to_numpy() / (met / (strength[:, None] + strength[None, :])).sum(axis=1)
        strength /= strength.sum()
    assert as_published(dict(zip(won.index, strength.tolist(), strict=True))) == pytest.approx(
        rated(sqlite), abs=1e-6
    )


@pytest.mark.slow
def test_evalica_reads_the_export_to_our_ratings(sqlite, tmp_path):
    """`EVALICA_PYTHON` is a Python that has evalica and pandas."""
    python = os.environ.get("EVALICA_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import evalica, pandas"], capture_output=True, check=False).returncode:
        pytest.skip("no evalica: set EVALICA_PYTHON to a Python that has it")
    import_battles(sqlite, published("ratings", "llmfao", "crowd-comparisons.csv"))
    export_arena(sqlite, tmp_path / "out")
    program = """
import evalica, json, pandas, sys
rows = pandas.read_json(sys.argv[1], lines=True)
W = evalica.Winner
winner = [{"model_a": W.X, "model_b": W.Y}.get(one, W.Draw) for one in rows.winner]
found = evalica.bradley_terry(rows.model_a, rows.model_b, winner, tolerance=1e-14, limit=100000)
print(json.dumps(found.scores.to_dict()))
"""
    done = subprocess.run(
        [python, "-c", program, str(tmp_path / "out" / "battles.jsonl")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert as_published(json.loads(done.stdout)) == pytest.approx(rated(sqlite), abs=1e-5)


@pytest.mark.slow
def test_a_real_board_is_imported_sealed_exported_and_verified(sqlite, tmp_path):
    done = import_battles(sqlite, published("ratings", "llmfao", "crowd-comparisons.csv"))
    assert (done.votes, done.there, done.models) == (8931, 0, 59)
    seal(sqlite)
    export_arena(sqlite, tmp_path / "out")
    found = verify(tmp_path / "out")
    assert (found.problems, found.votes) == ([], 8931)
    with published("ratings", "llmfao", "crowd-comparisons.csv").open(newline="") as file:
        workers = {row["worker"] for row in csv.DictReader(file)}
    with sqlite.read() as session:
        assert len({vote.voter for vote in sealed_votes(session)}) == len(workers)


def test_a_second_import_adds_nothing(database, tmp_path):
    file = lines(
        tmp_path / "b.jsonl",
        {"model_a": "x", "model_b": "y", "winner": "a"},
        {"model_a": "x", "model_b": "y", "winner": "tie (bothbad)"},
        {"model_a": "y", "model_b": "x", "winner": "model_a", "source": "judge:j"},
    )
    first, again = import_battles(database, file), import_battles(database, file)
    assert ((first.votes, first.there), (again.votes, again.there)) == ((3, 0), (0, 3))
    assert import_battles(database, file, "other").votes == 3
    with database.read() as session:
        assert recount(session) == []
        assert sum(c.wins + c.losses + c.ties + c.both_bad for c in pair_counts(session)) == 4


def test_an_export_comes_back_whole(sqlite, tmp_path):
    ballots(sqlite, shared=True, prompt="Write a python function, please.", day="2026-02-03")
    ballots(sqlite, PLAIN[:2], texts=("secret", "## secret\n- hidden"))
    ballot(sqlite, "amber", "birch", "tie", source="judge:j", voter="judge:j")
    export_arena(sqlite, tmp_path / "one")
    other = new_file(tmp_path / "other.db")
    done = import_battles(other, tmp_path / "one" / "battles.jsonl", share=True)
    assert (done.votes, import_battles(other, tmp_path / "one" / "battles.jsonl").votes) == (11, 0)
    export_arena(other, tmp_path / "two")
    one, two = (json.loads((tmp_path / name / "boards.json").read_text()) for name in ("one", "two"))
    key = lambda board: (board["source"], board["category"], board["board"])  # noqa: E731
    varying = ("filter", "models", "style")
    for board, twin in zip(sorted(one, key=key), sorted(two, key=key), strict=True):
        # the voters have other pseudonyms, so that sums over them are in another order
        assert not list(differences(board, twin, 1e-6))
        assert {**board, **dict.fromkeys(varying)} == {**twin, **dict.fromkeys(varying)}
    given, again = (
        [json.loads(line) for line in (tmp_path / name / "battles.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    kept = (
        "question_id",
        "winner",
        "timestamp",
        "conversation_a",
        "conversation_b",
        "length_a",
        "bold_b",
        "source",
    )
    assert [{name: row[name] for name in kept} for row in given] == [
        {name: row[name] for name in kept} for row in again
    ]
    with other.read() as session:
        assert recount(session) == []
    other.close()


def test_public_rows_bring_texts_times_and_categories(sqlite, tmp_path):
    pytest.importorskip("pyarrow")
    talk = [
        {"role": "user", "content": "Write a python function."},
        {"role": "assistant", "content": "def f(): ..."},
    ]
    parts = [talk[0], {"role": "assistant", "content": [{"type": "text", "text": "## No\nWords."}]}]
    import_battles(
        sqlite,
        lines(
            tmp_path / "p.jsonl",
            {"question_id": "q1", "model_a": "x", "model_b": "y", "winner": "model_b", "judge": "arena_user_9",
             "conversation_a": talk, "conversation_b": parts, "tstamp": 1_682_351_591.1322},
            {"question_id": "q2", "model_a": "x", "model_b": "y", "winner": "tie", "timestamp": 1_682_351_591_132},
        ),
        share=True,
    )  # fmt: skip
    export_arena(sqlite, tmp_path / "out")
    first, second = (json.loads(line) for line in (tmp_path / "out" / "battles.jsonl").read_text().splitlines())
    assert first["conversation_b"][1]["content"] == "## No\nWords."
    assert (first["timestamp"], second["timestamp"]) == (
        "2023-04-24T15:53:11.132200+00:00",
        "2023-04-24T15:53:11.132000+00:00",
    )
    assert "code" in first["categories"]
    assert (first["headers_b"], second["conversation_a"], second["length_a"]) == (1, None, None)
    with sqlite.read() as session:
        assert publish(session, category="code").board.battles == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"winner": "c"}, "UnknownWinner: row 1: winner 'c'"),
        ({"model_b": "x"}, "SelfBattle: row 1: 'x' against itself"),
        ({"source": "people"}, "row 1: source 'people' is unknown. Use human, or judge:NAME"),
        ({"timestamp": "yesterday"}, "row 1: time 'yesterday' is invalid"),
        ({"conversation_a": "[{]"}, "row 1: Expecting property name"),
        ({"conversation_a": "7"}, "row 1: conversation '7' is invalid. Use a list"),
        ({"conversation_a": [{"role": "user", "content": 7}]}, "row 1: content '7' is invalid. Use text"),
        ({"tstamp": "nan"}, "row 1: time 'nan' is invalid. Use seconds since 1970"),
        ({"model_a": "x" * 200}, "is longer than 120 characters or not printable"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_written(sqlite, tmp_path, row, said):
    good = {"model_a": "x", "model_b": "y", "winner": "a"}
    with pytest.raises(BadBattlesFile) as message:
        import_battles(sqlite, lines(tmp_path / "b.jsonl", good, {**good, **row}))
    assert said in str(message.value)
    with sqlite.read() as session:
        assert list(sealed_votes(session)) == []


def test_the_command_imports_into_a_new_database(tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    lines(tmp_path / "b.jsonl", {"model_a": "x", "model_b": "y", "winner": "a"})
    done = arena("import", "b.jsonl", folder=tmp_path)
    assert (done.returncode, "b: 1 votes on 2 models" in done.stderr) == (0, True)
    assert "1 were already imported" in arena("import", "b.jsonl", folder=tmp_path).stderr
    assert arena("import", "none.jsonl", folder=tmp_path).returncode == 2
