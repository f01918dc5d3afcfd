"""Seals dated by OpenTimestamps: a real server in the place of a calendar and of a block explorer."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from typer.testing import CliRunner

from arena.cli import app
from arena.exchange.dated_seals import date_seals
from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.timestamps import BadTimestamp, read_proof
from arena.exchange.verify import verify
from tests.support.arenas import new_file
from tests.support.ballots import ballots

pytest.importorskip("opentimestamps")
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation, UnknownAttestation
from opentimestamps.core.op import OpPrepend, OpSHA256
from opentimestamps.core.serialize import StreamSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

HEIGHT, SECONDS = 358_391, 4_102_444_800  # later than every seal of these tests


def serialized(thing) -> bytes:
    thing.serialize(StreamSerializationContext(content := BytesIO()))
    return content.getvalue()


class Calendar(ThreadingHTTPServer):
    """Promises every digest; knows a block for each from `mine` on. Serves the block as an explorer, too."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mined, self.root, self.reply, self.seconds = False, "", None, SECONDS

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Calendar

    def do_POST(self) -> None:
        digest = self.rfile.read(int(self.headers["content-length"]))
        promised = Timestamp(digest)
        promised.ops.add(OpPrepend(b"nonce")).ops.add(OpSHA256()).attestations.add(
            PendingAttestation(self.server.url)
        )
        self.answer(200, self.server.reply or serialized(promised))

    def do_GET(self) -> None:
        kind, key = self.path.split("/")[1:]
        if kind == "block-height":
            self.answer(200, b"00ff")
        elif kind == "block":
            self.answer(
                200, json.dumps({"merkle_root": self.server.root, "timestamp": self.server.seconds}).encode()
            )
        elif not self.server.mined:
            self.answer(404, b"Pending confirmation")
        else:
            mined = Timestamp(bytes.fromhex(key))
            root = mined.ops.add(OpSHA256())
            root.attestations.add(BitcoinBlockHeaderAttestation(HEIGHT))
            self.server.root = root.msg[::-1].hex()
            self.answer(200, serialized(mined))

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def calendar():
    with Calendar() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def arena(tmp_path):
    database = new_file(tmp_path / "arena.db")
    ballots(database)
    yield database
    database.close()


def test_a_seal_is_promised_at_once_and_dated_by_a_block_later(arena, calendar, tmp_path):
    last, proofs = seal(arena).last, tmp_path / "proofs"
    dated = date_seals(proofs, last, [calendar.url])
    assert (dated.new, dated.complete, dated.problems) == (proofs / "seal-00000001.ots", [], [])
    assert read_proof(dated.new) == read_proof(dated.new).__class__(last.sha256, (calendar.url,), ())
    assert date_seals(proofs, last, [calendar.url]).complete == []
    calendar.mined = True
    assert date_seals(proofs, last, [calendar.url]).complete == [dated.new]
    export_arena(arena, tmp_path / "out")
    before = verify(tmp_path / "out", timestamp=dated.new)
    assert before.holds
    assert any(f"block {HEIGHT} must have the Merkle root {calendar.root}" in text for text in before.not_covered)
    assert verify(tmp_path / "out", timestamp=dated.new, explorer=calendar.url).dated == [
        f"seal 1: before 2100-01-01 00:00 UTC, by Bitcoin block {HEIGHT}"
    ]


def test_a_proof_that_dates_something_else_does_not_hold(arena, calendar, tmp_path):
    calendar.mined = True
    proofs, last = tmp_path / "proofs", seal(arena).last
    for _ in range(2):
        date_seals(proofs, last, [calendar.url])
    proof = proofs / "seal-00000001.ots"
    export_arena(arena, tmp_path / "out")
    calendar.root = "00" * 32
    assert "has Merkle root 0000" in str(verify(tmp_path / "out", timestamp=proof, explorer=calendar.url).problems)
    other = tmp_path / "other.ots"
    other.write_bytes(serialized(DetachedTimestampFile(OpSHA256(), pending(bytes(32), calendar.url))))
    assert "which is no seal of this export" in str(verify(tmp_path / "out", timestamp=other).problems)


def pending(digest: bytes, url: str) -> Timestamp:
    timestamp = Timestamp(digest)
    timestamp.attestations.add(PendingAttestation(url))
    return timestamp


def test_only_calendars_on_the_list_are_asked(arena, calendar, tmp_path):
    """A forged reply could name any server, such as one inside the operator's network."""
    last, proofs = seal(arena).last, tmp_path / "proofs"
    calendar.reply = serialized(pending(bytes.fromhex(last.sha256), "http://169.254.169.254/latest"))
    date_seals(proofs, last, [calendar.url])
    assert date_seals(proofs, last, [calendar.url]).problems == [
        "http://169.254.169.254/latest: is not on the list of calendars"
    ]


def test_a_seal_that_claims_a_time_after_its_block_is_found(arena, calendar, tmp_path):
    """A block that has the hash of a seal is later than the seal."""
    calendar.mined, calendar.seconds = True, 1_432_827_678
    proofs = tmp_path / "proofs"
    date_seals(proofs, seal(arena).last, [calendar.url])
    (path,) = date_seals(proofs, None, [calendar.url]).complete
    export_arena(arena, tmp_path / "out")
    (said,) = verify(tmp_path / "out", timestamp=path, explorer=calendar.url).problems
    assert said.endswith(f"later than Bitcoin block {HEIGHT}, which has its hash")


def test_a_proof_that_names_no_calendar_and_no_block_dates_nothing(arena, tmp_path):
    last = seal(arena).last
    other = Timestamp(bytes.fromhex(last.sha256))
    other.attestations.add(UnknownAttestation(b"12345678", b"another chain"))
    (tmp_path / "seal.ots").write_bytes(serialized(DetachedTimestampFile(OpSHA256(), other)))
    export_arena(arena, tmp_path / "out")
    (said,) = verify(tmp_path / "out", timestamp=tmp_path / "seal.ots").problems
    assert said == "seal.ots: names neither a calendar nor a Bitcoin block, so it dates nothing"


@pytest.mark.parametrize("reply", [b"<html>", b"\xf0" * 20_000, b"\x00"], ids=["page", "endless", "cut"])
def test_a_reply_that_is_no_timestamp_leaves_no_file(arena, calendar, tmp_path, reply):
    last = seal(arena).last
    calendar.reply = reply
    dated = date_seals(tmp_path / "proofs", last, [calendar.url, "http://127.0.0.1:1"])
    assert dated.missing
    assert len(dated.problems) == 2
    assert list((tmp_path / "proofs").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no proof", b"\x00OpenTimestamps"])
def test_a_file_that_is_no_proof_is_an_error(tmp_path, content):
    path = tmp_path / "seal.ots"
    path.write_bytes(content)
    with pytest.raises(BadTimestamp, match="Give a file that arena seal --timestamps wrote"):
        read_proof(path)


def test_the_command_dates_the_last_seal_and_fails_without_a_network(arena, calendar, tmp_path):
    config = tmp_path / "arena.toml"
    where = f'database_url = "{arena.url}"\n[ledger]\ntimestamps = "{tmp_path / "proofs"}"\ncalendars = ["{{}}"]\n'
    config.write_text(where.format("http://127.0.0.1:1"))
    offline = CliRunner().invoke(app, ["seal", "--config", str(config)])
    assert offline.exit_code == 1
    assert "The votes are sealed, and no calendar has dated the seal." in offline.stderr
    config.write_text(where.format(calendar.url))
    online = CliRunner().invoke(app, ["seal", "--config", str(config)])
    assert online.exit_code == 0
    assert "promised" in online.stderr
    assert (tmp_path / "proofs/seal-00000001.ots").exists()
