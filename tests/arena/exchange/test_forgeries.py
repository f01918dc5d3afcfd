"""Forgeries that other readers of an export would believe: other types, other archives, other proofs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from arena.exchange.board_comparison import by_key
from arena.exchange.files import BadExport
from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.rules.seals import Seal
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.exported import boards, rewrite, rows

TEXTS = ("A **plant**.", "It has\n- leaves")


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """Two seals of eight votes, and one vote that is not sealed."""
    folder = tmp_path_factory.mktemp("exported")
    database = new_file(folder / "arena.db")
    for _ in range(2):
        for number, (a, b, winner) in enumerate(PLAIN):
            ballot(database, a, b, winner, voter=f"voter-{number % 4}", texts=TEXTS)
        seal(database)
    ballot(database, "amber", "birch", "tie", texts=TEXTS)
    export_arena(database, folder / "export")
    database.close()
    return folder / "export"


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (-1, "vote", 17.7),
        (-1, "vote", "17"),
        (0, "suggested", 0),
        (0, "suggested", ""),
        (0, "seal", True),
        (0, "seal", 1.0),
        (0, "anony", 1),
    ],
)
def test_a_value_of_another_type_is_found(copy, place, name, value):
    """1, 1.0, true and "1" are four values to the readers of an export."""
    given = rows(copy)
    given[place][name] = value
    rewrite(copy, "battles.jsonl", given)
    assert f"{name} is {value!r}, and " in "\n".join(verify(copy).problems)


def test_a_winner_in_another_spelling_is_found(copy):
    given = rows(copy)
    for row in given:
        row["winner"] = row["winner"].replace("tie (bothbad)", "both_bad")
    rewrite(copy, "battles.jsonl", given)
    assert "winner is 'both_bad', and 'tie (bothbad)' follows" in "\n".join(verify(copy).problems)


@pytest.mark.parametrize("name", ["battles", "wins", "losses", "ties", "both_bad"])
def test_a_whole_number_has_no_tolerance(copy, name):
    given = boards(copy)
    given[0]["models"][0][name] += 0.0009
    given[0]["votes"] += 0.000009
    rewrite(copy, "boards.json", given)
    said = "\n".join(verify(copy).problems)
    assert f"amber: {name} is" in said
    assert "votes is 17.000009" in said


def test_a_column_that_is_in_a_parquet_file_twice_is_found(sqlite, tmp_path):
    """Readers take the first or the last of them."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    ballots(sqlite)
    export_arena(sqlite, tmp_path / "export", parquet=True)
    file = tmp_path / "export" / "battles.parquet"
    table = parquet.read_table(file)
    forged = arrow.array(["model_a"] * len(table))
    parquet.write_table(table.add_column(table.column_names.index("winner"), "winner", forged), file)
    with pytest.raises(BadExport, match="the column winner is there twice"):
        verify(tmp_path / "export")


def test_counts_of_other_types_and_further_keys_of_the_manifest_are_found(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["votes"] = 17.0
    manifest["files"]["boards.json"]["note"] = "audited"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    said = "\n".join(verify(copy).problems)
    assert "manifest.json: votes is 17.0, and 17 follows" in said
    assert "manifest.json: boards.json has note, rows, sha256; rows, sha256 follow" in said


def test_values_that_are_nested_deeply_are_an_error_without_a_traceback(copy):
    first, second = rows(copy, "seals.jsonl")
    first["boards"] = json.loads("[" * 600 + "]" * 600)
    rewrite(copy, "seals.jsonl", [first, second])
    with pytest.raises(BadExport):
        verify(copy)


def test_boards_of_an_export_without_seals_do_not_pass_as_older_ones(sqlite, tmp_path):
    """Versions before 0.3 had no column of prompts, and this export has one."""
    ballots(sqlite)
    export_arena(sqlite, tmp_path / "export")
    given = boards(tmp_path / "export")
    del given[0]["version"]
    given[0]["models"][0]["lower"] = 1000.0
    rewrite(tmp_path / "export", "boards.json", given)
    assert "version is missing" in "\n".join(verify(tmp_path / "export").problems)


def test_boards_whose_names_read_alike_are_two_boards():
    """Names of judges and categories have commas, too."""
    given = [
        {"source": "judge:x", "category": "y, z", "board": "bt"},
        {"source": "judge:x, y", "category": "z", "board": "bt"},
    ]
    assert list(by_key(given).values()) == given


def test_an_empty_seal_that_names_votes_is_found(copy):
    """Its votes are none, so that no root or count shows that the numbers are false."""
    first, second = rows(copy, "seals.jsonl")
    content = {**second, "number": 3, "previous": second["sha256"], "first_vote": 500, "last_vote": 16,
               "votes": 0}  # fmt: skip
    content["root"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    columns = dict.fromkeys(second["columns"], content["root"])
    third = Seal(**{name: value for name, value in {**content, "columns": columns}.items() if name != "sha256"})
    rewrite(copy, "seals.jsonl", [first, second, third.to_dict()])
    assert "seal 3: votes 500 to 16 do not follow vote 16" in "\n".join(verify(copy).problems)


def packed(copy: Path, *others: tuple[str, str], folder: str = "export") -> Path:
    """An archive of the folder, with further files before it."""
    path = copy.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in others:
            archive.writestr(name, text)
        for file in copy.iterdir():
            archive.write(file, f"{folder}/{file.name}")
    return path


def test_an_archive_of_an_export_verifies(copy):
    assert verify(packed(copy)).problems == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "name",
    [
        "boards.json",  # what somebody opens first
        "export/boards.json",  # twice: some programs take the first one
        "EXPORT/boards.json",  # the same file on disks that ignore case
        "other/boards.json",
        "/export/boards.json",
        "export/../export/boards.json",
        "export\\boards.json",
        "export/sub/boards.json",
        "export/sub/manifest.json",
    ],
)
def test_an_archive_with_other_files_than_those_that_are_checked_is_refused(copy, name):
    with pytest.raises(BadExport, match="Give what `arena export` wrote"):
        verify(packed(copy, (name, "[]")))


def test_a_signature_that_its_own_key_did_not_make_is_found(copy):
    pytest.importorskip("cryptography")
    from arena.exchange.signature_check import write_signature
    from arena.rules.signed_heads import Signer

    second = rows(copy, "seals.jsonl")[-1]
    write_signature(
        copy, Seal(**{name: value for name, value in second.items() if name != "sha256"}), Signer(bytes(32))
    )
    assert verify(copy).problems == []
    signature = json.loads((copy / "signature.json").read_text())
    signature["manifest"]["sha256"] = "0" * 64
    (copy / "signature.json").write_text(json.dumps(signature))
    assert "the manifest is not signed with the key" in "\n".join(verify(copy).problems)


@pytest.mark.parametrize("change", [{"created_at": "1999-01-01T00:00:00.000000+00:00"}, None])
def test_a_model_that_an_older_export_has_otherwise_is_found(exported, copy, change):
    first, *others = rows(copy, "models.jsonl")
    rewrite(copy, "models.jsonl", [*([{**first, **change}] if change else []), *others])
    found = "\n".join(verify(copy, against=exported).problems)
    assert f"models.jsonl: amber was of {first['created_at']} in the older export, and is " in found


def test_times_are_named_as_given_by_the_arenas_clock(exported):
    assert any("timestamp of votes and sealed_at of seals" in text for text in verify(exported).not_covered)
