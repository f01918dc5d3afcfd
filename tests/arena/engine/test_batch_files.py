"""Batch files: what is written is what would have been asked, and results count like replies of a call."""

from __future__ import annotations

import json

import pytest

from arena.endpoints.scripted import Scripted
from arena.engine import BatchFileError, Call, ModelClient, ReplyCache, Status, address, read_batch, write_batch
from tests.support.odd_replies import odd_objects

IDENTITY = {"endpoint": "openai", "url": "https://judge.example/v1", "model": "large-1"}
SERVED = {"judge": ModelClient(Scripted(), IDENTITY)}


def ask(text: str) -> Call:
    body = {"model": "judge", "messages": [{"role": "user", "content": text}]}
    return Call(address(IDENTITY, body), "judge", body)


ASKS = [ask("one"), ask("two"), ask("three"), ask("one")]


def result(key: str, text: str, finish: str = "stop") -> str:
    body = {"choices": [{"message": {"content": text}, "finish_reason": finish}]}
    return json.dumps({"custom_id": key, "response": {"status_code": 200, "body": body}, "error": None})


@pytest.fixture
def reply_cache(tmp_path):
    with ReplyCache(tmp_path / "journal.jsonl") as opened:
        yield opened


def test_each_request_without_a_reply_is_written_once_under_the_server_s_name_for_the_model(reply_cache, tmp_path):
    (tmp_path / "done.jsonl").write_text(result(ASKS[1].key, "yes"))
    assert read_batch(tmp_path / "done.jsonl", ASKS, reply_cache) == {Status.OK: 1}
    assert write_batch(tmp_path / "batch.jsonl", ASKS, SERVED, reply_cache) == 2
    lines = [json.loads(line) for line in (tmp_path / "batch.jsonl").read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == [ASKS[0].key, ASKS[2].key]
    assert lines[0] == {
        "custom_id": ASKS[0].key, "method": "POST", "url": "/v1/chat/completions",
        "body": {"model": "large-1", "messages": ASKS[0].body["messages"]},
    }  # fmt: skip


def test_results_are_found_afterwards_and_failures_are_not(reply_cache, tmp_path):
    failed = {"custom_id": ASKS[2].key, "response": {"status_code": 500, "body": {}}, "error": {"code": "down"}}
    lines = [result(ASKS[0].key, "yes"), result(ASKS[1].key, "cut", "length"), json.dumps(failed)]
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    found = read_batch(tmp_path / "results.jsonl", ASKS, reply_cache)
    assert found == {Status.OK: 1, Status.TRUNCATED: 1, Status.TRANSPORT: 1}
    assert [one.key in reply_cache for one in ASKS[:3]] == [True, False, False]
    assert reply_cache.failures == {Status.TRUNCATED: 1, Status.TRANSPORT: 1}


def test_what_cannot_be_a_batch_is_reported(reply_cache, tmp_path):
    here = {"judge": ModelClient(Scripted(), {"endpoint": "llama_cpp"})}
    with pytest.raises(BatchFileError, match="judge is no model of an OpenAI-compatible server"):
        write_batch(tmp_path / "here.jsonl", ASKS, here, reply_cache)
    with pytest.raises(BatchFileError, match="cannot be written"):
        write_batch(tmp_path / "no" / "folder.jsonl", ASKS, SERVED, reply_cache)
    with pytest.raises(BatchFileError, match="cannot be read"):
        read_batch(tmp_path / "none.jsonl", ASKS, reply_cache)
    (tmp_path / "odd.jsonl").write_text("[]")
    with pytest.raises(BatchFileError, match=r"odd\.jsonl:1 is not a batch result"):
        read_batch(tmp_path / "odd.jsonl", ASKS, reply_cache)
    (tmp_path / "other.jsonl").write_text(result("0" * 64, "yes"))
    with pytest.raises(BatchFileError, match="no results of these requests"):
        read_batch(tmp_path / "other.jsonl", ASKS, reply_cache)


@pytest.mark.parametrize(
    "body",
    [value for value in odd_objects("message") if "choices" in value] + [{"choices": [{"message": {"content": "\u200b"}}]}],
    ids=lambda value: json.dumps(value)[:60],
)  # fmt: skip
def test_a_result_of_another_shape_is_a_failure_of_its_own(body, reply_cache, tmp_path):
    lines = [{"custom_id": ASKS[0].key, "response": {"status_code": 200, "body": body}}]
    (tmp_path / "results.jsonl").write_text(json.dumps(lines[0]) + "\n" + result(ASKS[1].key, "yes"))
    counts = read_batch(tmp_path / "results.jsonl", ASKS, reply_cache)
    assert counts[Status.OK] == 1
    assert counts.total() == 2
    assert reply_cache.reply(ASKS[0].key) is None


@pytest.mark.parametrize(
    "line", ['{"a": NaN}', "[" * 100_000, '{"n": ' + "9" * 5000 + "}", "5", '{"response": 5}']
)
def test_a_line_that_is_no_result_is_an_error_of_the_file(line, reply_cache, tmp_path):
    (tmp_path / "results.jsonl").write_text(line)
    with pytest.raises(BatchFileError, match=r"results\.jsonl:1 is not a batch result"):
        read_batch(tmp_path / "results.jsonl", ASKS, reply_cache)
