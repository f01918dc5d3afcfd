"""Batch files: what is written is what would have been asked, and results count like replies of a call."""

from __future__ import annotations

import json

import pytest

from arena.endpoints.scripted import Scripted
from arena.engine import Ask, BatchFileError, Journal, Status, Target, address, read_batch, write_batch

IDENTITY = {"endpoint": "openai", "url": "https://judge.example/v1", "model": "large-1"}
SERVED = {"judge": Target(Scripted(), IDENTITY)}


def ask(text: str) -> Ask:
    body = {"model": "judge", "messages": [{"role": "user", "content": text}]}
    return Ask(address(IDENTITY, body), "judge", body)


ASKS = [ask("one"), ask("two"), ask("three"), ask("one")]


def result(key: str, text: str, finish: str = "stop") -> str:
    body = {"choices": [{"message": {"content": text}, "finish_reason": finish}]}
    return json.dumps({"custom_id": key, "response": {"status_code": 200, "body": body}, "error": None})


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.jsonl") as opened:
        yield opened


def test_each_request_without_a_reply_is_written_once_under_the_server_s_name_for_the_model(journal, tmp_path):
    (tmp_path / "done.jsonl").write_text(result(ASKS[1].key, "yes"))
    assert read_batch(tmp_path / "done.jsonl", ASKS, journal) == {Status.OK: 1}
    assert write_batch(tmp_path / "batch.jsonl", ASKS, SERVED, journal) == 2
    lines = [json.loads(line) for line in (tmp_path / "batch.jsonl").read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == [ASKS[0].key, ASKS[2].key]
    assert lines[0] == {
        "custom_id": ASKS[0].key, "method": "POST", "url": "/v1/chat/completions",
        "body": {"model": "large-1", "messages": ASKS[0].body["messages"]},
    }  # fmt: skip


def test_results_are_found_afterwards_and_failures_are_not(journal, tmp_path):
    failed = {"custom_id": ASKS[2].key, "response": {"status_code": 500, "body": {}}, "error": {"code": "down"}}
    lines = [result(ASKS[0].key, "yes"), result(ASKS[1].key, "cut", "length"), json.dumps(failed)]
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    found = read_batch(tmp_path / "results.jsonl", ASKS, journal)
    assert found == {Status.OK: 1, Status.TRUNCATED: 1, Status.TRANSPORT: 1}
    assert [one.key in journal for one in ASKS[:3]] == [True, False, False]
    assert journal.failures == {Status.TRUNCATED: 1, Status.TRANSPORT: 1}


def test_what_cannot_be_a_batch_is_told(journal, tmp_path):
    here = {"judge": Target(Scripted(), {"endpoint": "llama_cpp"})}
    with pytest.raises(BatchFileError, match="judge runs on this machine"):
        write_batch(tmp_path / "here.jsonl", ASKS, here, journal)
    with pytest.raises(BatchFileError, match="cannot be written"):
        write_batch(tmp_path / "no" / "folder.jsonl", ASKS, SERVED, journal)
    with pytest.raises(BatchFileError, match="cannot be read"):
        read_batch(tmp_path / "none.jsonl", ASKS, journal)
    (tmp_path / "odd.jsonl").write_text("[]")
    with pytest.raises(BatchFileError, match=r"odd\.jsonl:1: not a result"):
        read_batch(tmp_path / "odd.jsonl", ASKS, journal)
    (tmp_path / "other.jsonl").write_text(result("0" * 64, "yes"))
    with pytest.raises(BatchFileError, match="no results of these requests"):
        read_batch(tmp_path / "other.jsonl", ASKS, journal)
