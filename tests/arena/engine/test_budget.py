"""The budget of a batch against servers that bill and then fail, or report less than they bill."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from arena.engine import Budget, Call, Engine, ModelClient, Price, ReplyCache, RetryPolicy, most_tokens
from arena.engine.budget import used_tokens
from tests.support.hostile_server import http, server

PRICE = Price(prompt=10.0, completion=30.0)
BILLED = PRICE.of(100, 500)  # of every call, whatever the server says
WORDS = "word " * 400


def reply(usage: object, finish: str = "stop", text: str = WORDS) -> str:
    return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": finish}], "usage": usage})


def used(prompt: object, completion: object) -> dict[str, object]:
    return {"prompt_tokens": prompt, "completion_tokens": completion}


def call(number: int) -> Call:
    message = {"role": "user", "content": "x" * 300}
    return Call(f"{number:064x}", "m", {"messages": [message], "max_tokens": 512})


async def billed(answer: bytes, path: Path) -> tuple[float, Budget]:
    """USD that the server bills for a run of 60 calls with a budget of $0.10, and the budget."""
    budget = Budget(0.10)
    async with server(answer) as endpoint:
        with ReplyCache(path / "replies.jsonl") as replies:
            client = ModelClient(endpoint, {"m": 1}, price=PRICE)
            engine = Engine({"m": client}, replies, budget, RetryPolicy(first_pause=0.0))
            async for _ in engine.run(map(call, range(60))):
                pass
        return engine.call_counts.calls * BILLED, budget


@pytest.mark.service
@pytest.mark.parametrize(
    "answer",
    [
        http(200, reply(used(0, 0))),
        http(200, reply(used(1, 1))),
        http(200, reply(used(None, 0))),
        http(200, reply(None)),
        http(200, reply(used(100, -500))),
        http(200, reply(used(100, 500), "error")),
        http(200, reply(used(100, 500))[:-1]),
        http(200, reply(used(100, 500)))[:-9],
        http(200, ""),
        http(500, "oops"),
    ],
)
async def test_no_reply_makes_a_run_cost_more_than_its_budget(answer, tmp_path):
    cost, budget = await billed(answer, tmp_path)
    assert 0 < cost <= 0.10
    assert cost <= budget.spent <= 0.10


@pytest.mark.service
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_a_refusal_costs_nothing(status, tmp_path):
    _, budget = await billed(http(status, "no", "Connection: close\r\n"), tmp_path)
    assert budget.spent == 0


@pytest.mark.service
async def test_the_cache_has_the_cost_of_a_call_that_failed(tmp_path):
    _, budget = await billed(http(200, "{"), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "replies.jsonl").read_text().splitlines()]
    assert sum(line["cost"] for line in lines) == pytest.approx(budget.spent)
    assert budget.spent > 0


def test_a_possible_report_is_exact_and_an_impossible_one_is_bounded():
    body = call(1).body
    most = most_tokens(body)
    for text, completion in [(WORDS, 400), ("", 0), ("Yes", 1)]:
        assert used_tokens(body, json.loads(reply(used(97, completion), text=text))) == (97, completion)
    assert used_tokens(body, json.loads(reply(used(2**31 - 1, 2**31 - 1)))) == (10 * most[0], 10 * most[1])


@pytest.mark.parametrize(
    "alphabet", ["0123456789", "~^`|{}<>@#%&*", "".join(map(chr, range(0x12000, 0x12380))), "qxzjkvwy", "กขฃคฅฆ"]
)
def test_a_reservation_has_a_token_for_each_byte_of_rare_text(alphabet):
    text = "".join(random.Random(1).choices(alphabet, k=5_000))
    assert most_tokens({"messages": [{"role": "user", "content": text}]})[0] >= len(text.encode())
    parts = [{"type": "text", "text": text}]
    assert most_tokens({"messages": [{"role": "user", "content": parts}]})[0] >= len(text.encode())


def test_a_reservation_of_english_is_less_than_its_bytes():
    text = "It is the same thing that we do there all the time. " * 100
    assert len(text) / 2 < most_tokens({"messages": [{"role": "user", "content": text}]})[0] < 0.8 * len(text)


def test_a_reservation_covers_every_choice_and_a_limit_that_is_none():
    message = {"role": "user", "content": "Hello"}
    assert most_tokens({"messages": [message], "max_tokens": 10, "n": 3})[1] == 30
    assert (
        most_tokens({"messages": [message], "max_tokens": -1})[1] == most_tokens({"messages": [message]})[1] > 9999
    )
