"""Receipts: whoever holds one can check, without the arena, that the vote is in a seal."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.exchange.files import BadExport
from arena.exchange.folder import export_arena
from arena.exchange.receipt_file import check_receipt_file
from arena.exchange.receipts import Receipts
from arena.exchange.sealing import seal
from arena.rules.receipt_checks import receipt_problems
from arena.rules.receipts import inclusion_path, place_of, root_of, voters_receipt
from arena.rules.seals import Tree
from arena.store.ledger import sealed_vote, voters_vote
from arena.store.schema.battles import Vote
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.typed import Typed

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


@given(st.integers(min_value=1, max_value=70), st.data())
def test_every_path_leads_to_the_root_of_the_tree(size, data):
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    place = data.draw(st.integers(min_value=0, max_value=size - 1))
    path = inclusion_path(leaves, place)
    assert root_of(leaves[place].hex(), path) == tree.root()
    assert len(path) <= size.bit_length()
    assert place_of(path, size) == place
    if path:  # a node above the leaf leads to the root, and so does the root itself
        assert place_of(path[1:], size) is None
        assert place_of([], size) is None
        assert place_of([["left", ""], *path], size) is None
    if size > 1:
        assert root_of(leaves[place - 1].hex(), path) != tree.root()


@pytest.fixture
def receipts(database) -> Receipts:
    """Two seals of the same eight votes, and one vote that is not sealed."""
    ballots(database)
    seal(database, batch=5)
    ballots(database)
    seal(database)
    ballot(database, "amber", "birch", "tie")
    return Receipts(database)


def leaf_of_vote(database, number: int) -> str:
    with database.read() as session:
        return sealed_vote(session, number).leaf().hex()


def test_every_sealed_vote_has_a_receipt_without_anything_about_its_voter(database, receipts):
    for number in range(1, 17):
        leaf = leaf_of_vote(database, number)
        found = receipts.find(number, leaf)
        assert list(receipt_problems(found)) == []
        assert found["seal"]["first_vote"] <= number <= found["seal"]["last_vote"]
        with database.read() as session:
            assert sealed_vote(session, number).voter not in json.dumps(found)


def test_a_vote_that_is_not_sealed_has_no_proof_yet(database, receipts):
    found = receipts.find(17, leaf_of_vote(database, 17))
    assert (found["sealed"], found["seal"]) == (False, None)
    (said,) = receipt_problems(found)
    assert said == "it has no proof yet: request its address again after the vote is sealed"
    seal(database)
    assert list(receipt_problems(receipts.find(17, found["leaf"]))) == []


def test_a_number_with_another_leaf_has_no_receipt(database, receipts):
    assert receipts.find(1, leaf_of_vote(database, 2)) is None
    assert receipts.find(99, leaf_of_vote(database, 2)) is None


def test_leaves_of_few_seals_stay_in_memory(sqlite, monkeypatch):
    monkeypatch.setattr("arena.exchange.receipts.KEPT", 4)
    ballots(sqlite, PLAIN)
    seal(sqlite, batch=1)
    receipts = Receipts(sqlite)
    for number in range(1, 9):
        receipts.find(number, leaf_of_vote(sqlite, number))
    assert len(receipts._kept) == 4


def test_a_voter_gets_what_the_leaf_is_the_hash_of(database, receipts):
    with database.read() as session:
        vote = voters_vote(session, session.get_one(Vote, 3).battle_id)
    own = voters_receipt(vote)
    assert (own["vote"], own["content"]) == (3, vote.to_dict())
    assert own["proof"] == f"/api/v1/receipts/3/{own['leaf']}"
    found = {**receipts.find(3, own["leaf"]), "content": own["content"]}
    assert list(receipt_problems(found)) == []
    found["content"] = {**own["content"], "winner": "tie" if vote.winner != "tie" else "model_a"}
    assert list(receipt_problems(found)) == ["its content is not what the leaf is the hash of"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: {**r, "leaf": "0" * 64}, "do not give the root of seal 1"),
        (lambda r: {**r, "path": r["path"][:-1]}, "do not give the root of seal 1"),
        (lambda r: {**r, "seal": {**r["seal"], "votes": 9}}, "the content of seal 1 does not give its hash"),
        (lambda r: {**r, "head": {**r["head"], "seal": 9}}, "its head is that of another seal"),
        (lambda r: {**r, "head": {**r["head"], "sealed_at": "1999"}}, "its head is that of another seal"),
        (lambda r: {**r, "head": {**r["head"], "note": "audited"}}, "its head is that of another seal"),
        (
            lambda r: {**r, "seal": {**r["seal"], "note": "audited"}},
            "the content of seal 1 does not give its hash",
        ),
        (lambda r: {**r, "vote": 3}, "its leaf is vote 2, not 3"),
        (lambda r: {**r, "vote": 2.0}, "its leaf is vote 2, not 2.0"),
        (lambda r: {**r, "winner": "model_a"}, "it has winner, which no receipt has"),
        (lambda r: {**r, "sealed": False}, "sealed is False, and it has a seal"),
        (lambda r: {**r, "leaf": r["seal"]["root"], "path": []}, "begins at none of the 5 leaves of seal 1"),
        (lambda r: {**r, "format": "other"}, "its format is other"),
    ],
)
def test_a_forged_receipt_is_found(database, receipts, change, said):
    found = receipts.find(2, leaf_of_vote(database, 2))
    assert said in "\n".join(receipt_problems(change(found)))


def test_a_receipt_of_another_head_or_key_is_found(database, receipts):
    found = receipts.find(2, leaf_of_vote(database, 2))
    assert "its seal is" in "".join(receipt_problems(found, head="0" * 64))


def test_a_signed_receipt_is_checked_with_the_key(database, receipts):
    pytest.importorskip("cryptography")
    from arena.rules.signed_heads import Signer

    signer = Signer(bytes(32))
    found = Receipts(database, signer).find(2, leaf_of_vote(database, 2))
    assert list(receipt_problems(found, signer.public)) == []
    assert "is not signed" in "".join(receipt_problems(found, Signer(b"1" * 32).public))


def test_a_file_that_is_no_receipt_is_reported(tmp_path):
    with pytest.raises(BadExport, match="is missing"):
        check_receipt_file(tmp_path / "nowhere")
    for text in ("[]", "{}", '{"format": "arena-receipt-1", "leaf": "00", "seal": {}, "path": [["up", "00"]]}'):
        (tmp_path / "receipt.json").write_text(text)
        with pytest.raises(BadExport, match="is no receipt"):
            check_receipt_file(tmp_path / "receipt.json")


def test_a_receipt_that_is_nested_deeply_is_no_receipt(database, receipts, tmp_path):
    found = receipts.find(2, leaf_of_vote(database, 2))
    found["seal"]["boards"] = json.loads("[" * 600 + "]" * 600)
    (tmp_path / "receipt.json").write_text(json.dumps(found))
    with pytest.raises(BadExport, match="receipt"):
        check_receipt_file(tmp_path / "receipt.json")


def test_what_a_receipt_does_not_prove_is_named(database, receipts, tmp_path):
    """Whoever shows a receipt may have made its seal as well."""
    found = receipts.find(2, leaf_of_vote(database, 2))
    (tmp_path / "receipt.json").write_text(json.dumps(found))
    alone = check_receipt_file(tmp_path / "receipt.json")
    assert (alone.problems, len(alone.not_covered)) == ((), 3)
    assert "pass --key or --head" in alone.not_covered[1]
    with database.read() as session:
        found["content"] = sealed_vote(session, 2).to_dict()
    (tmp_path / "receipt.json").write_text(json.dumps(found))
    (left,) = check_receipt_file(tmp_path / "receipt.json", head=found["seal"]["sha256"]).not_covered
    assert left.startswith("its state (accepted), which can change")


def test_the_command_and_the_snippet_of_the_docs(monkeypatch, capsys, sqlite, tmp_path):
    arena = Typed(monkeypatch, capsys)
    ballots(sqlite)
    seal(sqlite)
    export_arena(sqlite, tmp_path / "export")
    found = Receipts(sqlite).find(2, leaf_of_vote(sqlite, 2))
    (tmp_path / "receipt.json").write_text(json.dumps(found))
    alone = arena("verify", "--receipt", "receipt.json", folder=tmp_path)
    assert (alone.returncode, f"vote 2 is in seal {found['seal']['sha256']}" in alone.stdout) == (0, True)
    assert arena("verify", "export", "--receipt", "receipt.json", folder=tmp_path).returncode == 0
    snippet = DOCS.read_text().partition("```python\nimport hashlib")[2].partition("```")[0]
    run = [sys.executable, "-c", "import hashlib" + snippet]
    assert "the vote is in seal 1" in subprocess.run(run, cwd=tmp_path, capture_output=True, text=True).stdout

    (tmp_path / "receipt.json").write_text(json.dumps({**found, "leaf": "0" * 64}))
    assert arena("verify", "--receipt", "receipt.json", folder=tmp_path).returncode == 1
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    assert "Give the folder of an export" in arena("verify", folder=tmp_path).stderr


def test_a_receipt_of_another_chain_is_not_in_an_export(monkeypatch, capsys, sqlite, tmp_path):
    arena = Typed(monkeypatch, capsys)
    ballots(sqlite)
    export_arena(sqlite, tmp_path / "unsealed")
    seal(sqlite)
    found = Receipts(sqlite).find(2, leaf_of_vote(sqlite, 2))
    (tmp_path / "receipt.json").write_text(json.dumps(found))
    bad = arena("verify", "unsealed", "--receipt", "receipt.json", folder=tmp_path)
    assert (bad.returncode, "no seal has the hash" in bad.stdout) == (1, True)
