"""Signed heads and exports, and exports that do not continue an older one."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from arena.errors import ConfigError
from arena.exchange.folder import export_arena
from arena.exchange.ledger_keys import read_key, write_new_key
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.rules.signed_heads import Signer, head_of, is_signed
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.typed import Typed

pytest.importorskip("cryptography")
# RFC 8032, section 7.1, test 2
SECRET = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNER = Signer(bytes.fromhex(SECRET))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with an older export `one` and a newer one `two` of the same arena, both signed."""
    folder = tmp_path_factory.mktemp("signed")
    database = new_file(folder / "arena.db")
    ballots(database)
    seal(database)
    ballot(database, "amber", "birch", "tie")
    export_arena(database, folder / "one", signer=SIGNER)
    ballots(database)
    seal(database)
    export_arena(database, folder / "two", signer=SIGNER)
    database.close()
    return folder


@pytest.fixture
def copy(exported, tmp_path) -> Path:
    return Path(shutil.copytree(exported / "two", tmp_path / "copy"))


def test_the_public_key_is_that_of_the_standard():
    assert SIGNER.public == PUBLIC


def test_a_signature_holds_for_its_content_and_its_key():
    signed = SIGNER.signed({"sha256": "00", "seal": 1})
    other = Signer(bytes(32))
    assert is_signed(signed, PUBLIC)
    assert not is_signed({**signed, "seal": 2}, PUBLIC)
    assert not is_signed({**signed, "note": ""}, PUBLIC)
    assert not is_signed(signed, other.public)
    assert not is_signed({**signed, "public_key": other.public}, other.public)
    assert not is_signed({}, PUBLIC)
    assert not is_signed({**signed, "signature": "no"}, PUBLIC)


def test_an_export_that_is_signed_verifies_with_the_key(exported):
    found = verify(exported / "two", key=PUBLIC)
    assert (found.problems, found.signed_by) == ([], PUBLIC)
    assert any(PUBLIC in text for text in verify(exported / "two").not_covered)


def test_a_text_that_no_seal_holds_is_found_by_the_signature(copy):
    """Without a key a forger signs the new manifest with another one; with it every byte is held."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["made_at"] = "2020-01-01T00:00:00.000000+00:00"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert verify(copy).problems == ["signature.json: another manifest was signed"]
    assert verify(copy, key=PUBLIC).problems == ["signature.json: another manifest was signed"]


def test_a_missing_or_foreign_signature_is_found(copy):
    other = Signer(bytes(32))
    assert "the manifest is not signed with the key" in "\n".join(verify(copy, key=other.public).problems)
    (copy / "signature.json").unlink()
    assert verify(copy, key=PUBLIC).problems == ["signature.json: is missing; the export is not signed"]
    assert "who published the export, since it is not signed" in verify(copy).not_covered
    with pytest.raises(ConfigError, match="is no public key"):
        verify(copy, key="abc")


def test_a_head_of_another_seal_is_found(copy):
    document = json.loads((copy / "signature.json").read_text())
    first = json.loads((copy / "seals.jsonl").read_text().splitlines()[0])
    document["head"] = SIGNER.signed({**document["head"], "seal": 1, "sha256": first["sha256"]})
    document["head"].pop("public_key")
    document["head"].pop("signature")
    document["head"] = SIGNER.signed(document["head"])
    (copy / "signature.json").write_text(json.dumps(document))
    assert "the signed head is seal 1" in "\n".join(verify(copy, key=PUBLIC).problems)


def test_the_newer_export_continues_the_older_one(exported):
    assert verify(exported / "two", against=exported / "one").problems == []
    problems = "\n".join(verify(exported / "one", against=exported / "two").problems)
    assert "seal 2: is in the older export and missing from this one" in problems
    assert "vote 10: is in the older export and missing from this one" in problems


@pytest.mark.parametrize("sealed_again", [True, False])
def test_a_past_that_was_rewritten_is_found_by_whoever_kept_an_export(exported, tmp_path, sealed_again):
    """The operator seals everything again after one vote was changed, and signs it: each export holds by itself."""
    database = new_file(tmp_path / "arena.db")
    rows = list(PLAIN)
    rows[0] = ("amber", "birch", "model_b")
    ballots(database, rows if sealed_again else PLAIN)
    seal(database)
    ballot(database, "amber", "birch", "model_a")
    export_arena(database, tmp_path / "forged", signer=SIGNER)
    assert verify(tmp_path / "forged", key=PUBLIC).problems == []
    problems = "\n".join(verify(tmp_path / "forged", key=PUBLIC, against=exported / "one").problems)
    assert "seal 1: was " in problems
    assert "vote 9: is not as it was in the older export" in problems
    head = json.loads((exported / "one" / "signature.json").read_text())["head"]
    assert is_signed(head, PUBLIC)
    assert "no seal has the hash" in verify(tmp_path / "forged", head=head["sha256"]).problems[0]
    assert verify(exported / "two", head=head["sha256"]).problems == []


def test_a_head_without_a_key_has_no_signature(sqlite):
    ballots(sqlite)
    (made,) = seal(sqlite).new
    assert head_of(made)["signature"] is None
    assert not is_signed(head_of(made), PUBLIC)
    assert is_signed(head_of(made, SIGNER), PUBLIC)
    assert head_of(made, SIGNER)["sha256"] == made.sha256


def test_a_key_lies_in_a_file_that_only_its_owner_reads(tmp_path):
    made = write_new_key(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "key") == made
    assert read_key(None) is None
    with pytest.raises(ConfigError, match="already exists"):
        write_new_key(tmp_path / "key")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_new_key(tmp_path / "nowhere" / "key")
    with pytest.raises(ConfigError, match="cannot be read as a key"):
        read_key(tmp_path / "nowhere")
    (tmp_path / "short").write_text("00")
    with pytest.raises(ConfigError, match="has 1 bytes, and a key has 32"):
        read_key(tmp_path / "short")


def test_the_commands(monkeypatch, capsys, sqlite, tmp_path):
    arena = Typed(monkeypatch, capsys)
    ballots(sqlite)
    made = arena("seal", "--new-key", "ledger.key", folder=tmp_path)
    public = made.stdout.split()[-1]
    assert (made.returncode, len(public)) == (0, 64)
    (tmp_path / "arena.toml").write_text('[ledger]\nkey = "ledger.key"\n')
    arena("seal", folder=tmp_path)
    assert arena("export", "--out", "all", folder=tmp_path).returncode == 0
    good = arena("verify", "all", "--key", public, "--against", "all", folder=tmp_path)
    assert (good.returncode, f"signature checked with {public}" in good.stdout) == (0, True)
    assert arena("verify", "all", "--key", PUBLIC, folder=tmp_path).returncode == 1
    assert arena("verify", "all", "--key", "x", folder=tmp_path).returncode == 2
