"""The engine against endpoints that answer and fail as a test says; no time is spent waiting where none is due."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from arena.endpoints import EndpointError, Failure
from arena.engine import (
    Budget,
    Call,
    CallResult,
    Engine,
    ModelClient,
    Price,
    ReplyCache,
    RetryPolicy,
    Status,
    address,
    estimated_tokens,
)
from arena.engine.model_queue import ModelQueue
from judges.replies import Reason, Unparsable, reply_text
from tests.support.hostile_server import http, server
from tests.support.odd_replies import odd_objects
from tests.support.timing import NO_HANG

AT_ONCE = RetryPolicy(first_pause=0.0)
IDENTITY = {"endpoint": "fake"}


def said(text: str, finish: str = "stop") -> dict[str, object]:
    return {
        "choices": [{"message": {"content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }


@dataclass
class Fake:
    """Gives each prompt its script in turn, the last line for ever; counts calls and how many ran at once."""

    script: Callable[[str], Sequence[object]]
    seconds: float = 0.0
    calls: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def stream(self, request): ...

    async def answer(self, request):
        prompt = request["messages"][0]["content"]
        turn = self.calls.count(prompt)
        self.calls.append(prompt)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running -= 1
        script = self.script(prompt)
        reply = script[min(turn, len(script) - 1)]
        if isinstance(reply, BaseException):
            raise reply
        return reply


def always(*script: object) -> Callable[[str], Sequence[object]]:
    """The same script for every prompt."""
    return lambda _prompt: script


def ask(prompt: str, model: str = "judge", **more: object) -> Call:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 10, **more}
    return Call(address(IDENTITY, body), model, body)


def failing(failure: Failure, retry_after: float | None = None) -> EndpointError:
    return EndpointError(failure, "the script says so", retry_after)


@pytest.fixture
def reply_cache(tmp_path: Path):
    with ReplyCache(tmp_path / "journal.jsonl") as one:
        yield one


async def run(engine: Engine, calls) -> list[CallResult]:
    return sorted([answered async for answered in engine.run(calls)], key=lambda answered: answered.number)


def engine(
    fake: Fake,
    reply_cache: ReplyCache,
    *,
    retry_policy: RetryPolicy = AT_ONCE,
    budget: Budget | None = None,
    **target,
):
    return Engine({"judge": ModelClient(fake, IDENTITY, **target)}, reply_cache, budget, retry_policy)


async def test_every_ask_gets_its_own_reply(reply_cache):
    fake = Fake(lambda prompt: [said(f"to {prompt}")])
    answers = await run(engine(fake, reply_cache), (ask(str(n)) for n in range(50)))
    assert [reply_text(one.reply) for one in answers] == [f"to {n}" for n in range(50)]
    assert {one.status for one in answers} == {Status.OK}


async def test_a_cached_reply_is_never_called_again(reply_cache, tmp_path):
    fake = Fake(always(said("yes")))
    await run(engine(fake, reply_cache), [ask("a"), ask("b")])
    reply_cache.close()
    with ReplyCache(tmp_path / "journal.jsonl") as again:
        second = engine(fake, again)
        answers = await run(second, [ask("a"), ask("b"), ask("c")])
    assert fake.calls == ["a", "b", "c"]
    assert [one.replayed for one in answers] == [True, True, False]
    assert second.call_counts.to_dict()["from_journal"] == 2


async def test_the_same_question_twice_in_a_run_is_one_call(reply_cache):
    fake = Fake(always(said("yes")), seconds=0.01)
    answers = await run(engine(fake, reply_cache), [ask("a"), ask("a"), ask("a")])
    assert fake.calls == ["a"]
    assert [one.status for one in answers] == [Status.OK] * 3


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure.BROKEN, Status.TRANSPORT),
        (Failure.UNREACHABLE, Status.TRANSPORT),
        (Failure.TIMEOUT, Status.TIMEOUT),
        (Failure.RATE_LIMITED, Status.RATE_LIMITED),
    ],
)
async def test_a_failure_that_passes_is_tried_again_and_one_that_stays_has_its_type(reply_cache, failure, status):
    fake = Fake(lambda prompt: [failing(failure), said("at last")] if prompt == "passes" else [failing(failure)])
    one = engine(fake, reply_cache)
    answers = await run(one, [ask("passes"), ask("stays")])
    assert [answer.status for answer in answers] == [Status.OK, status]
    assert answers[1].reply is None
    assert one.call_counts.failed == {status.value: 1}
    assert one.call_counts.attempts[status] == len(fake.calls) - 1


async def test_a_refused_request_is_not_tried_again(reply_cache):
    fake = Fake(always(failing(Failure.REFUSED)))
    answers = await run(engine(fake, reply_cache), [ask("a")])
    assert (answers[0].status, len(fake.calls)) == (Status.REFUSED, 1)


@pytest.mark.parametrize("failure", [Failure.UNAUTHORISED, Failure.NOT_READY, Failure.UNUSABLE])
async def test_a_permanent_failure_ends_all_calls_to_this_model(reply_cache, failure):
    fake = Fake(always(failing(failure)))
    answers = await run(engine(fake, reply_cache, concurrency=1), [ask(str(n)) for n in range(20)])
    assert len(fake.calls) == 1
    assert [one.status for one in answers] == [Status.TRANSPORT] + [Status.NOT_ASKED] * 19
    assert {one.detail for one in answers} == {"the script says so"}


@dataclass
class Unloadable(Fake):
    """A model whose weights cannot be loaded; counts how often they were loaded."""

    loads: int = 0

    async def start(self) -> None:
        self.loads += 1
        await asyncio.sleep(0.01)
        raise EndpointError(Failure.UNUSABLE, "LlamaForCausalLM keeps no key-value cache")


@pytest.mark.parametrize("concurrency", [1, 8, 1024])
async def test_weights_that_cannot_be_loaded_are_loaded_once_and_stop_the_model(reply_cache, concurrency):
    broken, works = Unloadable(always(said("never"))), Fake(always(said("yes")))
    clients = {
        "broken": ModelClient(broken, IDENTITY, concurrency=concurrency),
        "works": ModelClient(works, IDENTITY),
    }
    running = Engine(clients, reply_cache, retry_policy=AT_ONCE)
    calls = [ask(str(n), model="broken") for n in range(161)] + [ask("a", model="works")]
    *answers, other = await run(running, calls)
    assert (broken.loads, broken.calls) == (1, [])
    assert [one.status for one in answers] == [Status.TRANSPORT] + [Status.NOT_ASKED] * 160
    assert {one.detail for one in answers} == {"LlamaForCausalLM keeps no key-value cache"}
    assert running.call_counts.failed == {"transport": 1, "not_asked": 160}
    assert reply_cache.failures == {Status.TRANSPORT: 1}
    assert other.status is Status.OK


async def test_a_server_that_is_gone_is_not_tried_for_every_ask(reply_cache):
    fake = Fake(always(failing(Failure.UNREACHABLE)))
    answers = await run(engine(fake, reply_cache, concurrency=2), [ask(str(n)) for n in range(100)])
    assert len(answers) == 100
    assert len(fake.calls) < 30


async def test_a_pause_beyond_the_retry_policy_ends_the_calls_with_a_reason(reply_cache):
    fake = Fake(always(failing(Failure.RATE_LIMITED, retry_after=3600)))
    answers = await run(engine(fake, reply_cache, concurrency=1), [ask("a"), ask("b")])
    assert len(fake.calls) == 1
    assert {one.status for one in answers} == {Status.RATE_LIMITED}
    assert "3600 s" in answers[1].detail


async def test_retry_after_is_obeyed(reply_cache):
    fake = Fake(always(failing(Failure.RATE_LIMITED, retry_after=0.2), said("yes")))
    clock = asyncio.get_running_loop().time
    began = clock()
    await run(engine(fake, reply_cache), [ask("a")])
    assert clock() - began >= 0.2


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (said("", "stop"), Status.UNPARSABLE),
        (said("half a", "length"), Status.TRUNCATED),
        (said("no", "content_filter"), Status.REFUSED),
    ],
)
async def test_a_reply_that_cannot_be_read_is_typed_and_never_found_again(reply_cache, reply, status):
    fake = Fake(always(reply))
    question = ask("a")
    answers = await run(engine(fake, reply_cache), [question])
    assert answers[0].status is status
    assert answers[0].reply is None
    assert question.key not in reply_cache
    assert len(fake.calls) == AT_ONCE.readings


async def test_the_check_of_the_ask_decides_what_can_be_read(reply_cache):
    def only_yes(reply):
        return None if reply_text(reply) == "yes" else Unparsable(Reason.NONE)

    fake = Fake(always(said("well"), said("yes")))
    body = ask("a").body
    answers = await run(engine(fake, reply_cache), [Call(address(IDENTITY, body), "judge", body, only_yes)])
    assert reply_text(answers[0].reply) == "yes"


async def test_calls_at_once_stay_under_the_limit(reply_cache):
    fake = Fake(always(said("yes")), seconds=0.005)
    await run(engine(fake, reply_cache, concurrency=7), [ask(str(n)) for n in range(60)])
    assert fake.most == 7


async def test_the_budget_is_never_exceeded_and_the_rest_is_not_called(reply_cache):
    price = Price(prompt=1e6, completion=1e6)  # a dollar a token
    fake = Fake(always(said("yes")), seconds=0.001)
    budget = Budget(most=100.0)
    one = engine(fake, reply_cache, budget=budget, price=price)
    answers = await run(one, [ask(str(n)) for n in range(50)])
    asked = [answer for answer in answers if answer.status is Status.OK]
    assert budget.spent == 15.0 * len(asked) <= 100.0
    assert 1 <= len(asked) < 50
    assert {answer.status for answer in answers} == {Status.OK, Status.NOT_ASKED}
    assert "budget" in one.call_counts.details[Status.NOT_ASKED]


async def test_a_call_that_timed_out_counts_as_paid(reply_cache):
    fake = Fake(always(failing(Failure.TIMEOUT)))
    budget = Budget()
    await run(engine(fake, reply_cache, budget=budget, price=Price(1.0, 1.0)), [ask("a")])
    assert budget.spent > 0
    assert budget.reserved == 0


async def test_stopping_keeps_what_runs_and_asks_no_more(reply_cache):
    fake = Fake(always(said("yes")), seconds=0.02)
    one = engine(fake, reply_cache, concurrency=3)
    answers = []
    async for answered in one.run(ask(str(n)) for n in range(30)):
        one.stop("enough")
        answers.append(answered)
    assert len(answers) == 30
    assert sum(answered.status is Status.OK for answered in answers) == len(fake.calls) == len(reply_cache) <= 6


async def test_the_deadline_of_a_run_stops_it(reply_cache):
    fake = Fake(always(said("yes")), seconds=0.2)
    retry_policy = RetryPolicy(run_timeout=0.5)
    answers = await run(
        engine(fake, reply_cache, concurrency=1, retry_policy=retry_policy), [ask(str(n)) for n in range(30)]
    )
    assert 1 <= sum(one.status is Status.OK for one in answers) <= 4
    assert "0.5 s" in answers[-1].detail


@pytest.mark.parametrize("held_by", ["pace", "pause", "retry"])
async def test_a_run_that_is_over_waits_for_no_limit_and_no_pause(reply_cache, held_by):
    busy = EndpointError(Failure.RATE_LIMITED, "busy", 300.0 if held_by == "pause" else None)
    slow = RetryPolicy(first_pause=300.0 if held_by == "retry" else 0.0, longest_pause=300.0, run_timeout=0.05)
    endpoint = Fake(lambda _: [said("yes")] if held_by == "pace" else [busy])
    target = ModelClient(endpoint, IDENTITY, 4, requests_per_minute=0.2 if held_by == "pace" else None)
    engine = Engine({"judge": target}, reply_cache, retry_policy=slow)
    began = time.monotonic()
    ended = [answered.status async for answered in engine.run(ask(str(n)) for n in range(6))]
    assert time.monotonic() - began < NO_HANG
    assert ended.count(Status.NOT_ASKED) >= 2


def test_a_call_waits_for_the_later_of_two_rate_limits_and_not_for_their_sum():
    tokens = sum(estimated_tokens(ask("0").body))  # of each call
    queue = ModelQueue(ModelClient(Fake(str), IDENTITY, requests_per_minute=60, tokens_per_minute=30 * tokens))
    assert [queue.delay(ask("0")) for _ in range(3)] == pytest.approx([0, 2, 4], abs=0.1)


def test_a_judge_is_called_with_its_own_parameters_and_without_what_it_lacks():
    thinks = ModelClient(Fake(str), IDENTITY, parameters={"max_completion_tokens": 9, "temperature": 1})
    body = {"messages": [], "max_tokens": 5, "temperature": 0, "response_format": {"type": "json_object"}}
    assert thinks.with_parameters(body) == {
        "messages": [], "temperature": 1, "max_completion_tokens": 9, "response_format": {"type": "json_object"},
    }  # fmt: skip
    assert "response_format" not in ModelClient(
        Fake(str), IDENTITY, lacks=frozenset({"response_format"})
    ).with_parameters(body)


async def test_a_silent_endpoint_is_a_timeout(reply_cache):
    fake = Fake(always(said("late")), seconds=5)
    retry_policy = RetryPolicy(attempts=1, call_timeout=0.02)
    answers = await run(engine(fake, reply_cache, retry_policy=retry_policy), [ask("a")])
    assert answers[0].status is Status.TIMEOUT


async def test_an_error_while_reading_the_asks_reaches_the_caller(reply_cache):
    def broken():
        yield ask("a")
        raise ValueError("no such prompt")

    with pytest.raises(ValueError, match="no such prompt"):
        await run(engine(Fake(always(said("yes"))), reply_cache), broken())


async def test_a_model_without_a_target_is_named(reply_cache):
    with pytest.raises(KeyError, match="stranger"):
        await run(engine(Fake(always(said("yes"))), reply_cache), [ask("a", model="stranger")])


async def test_leaving_early_ends_the_calls_under_way(reply_cache):
    fake = Fake(lambda prompt: [said("yes")] if prompt == "0" else [said("late")], seconds=0.01)
    one = engine(fake, reply_cache, concurrency=4)
    results = one.run(ask(str(n)) for n in range(1000))
    await anext(results)
    await results.aclose()
    assert fake.running == 0
    assert len(fake.calls) < 50


async def test_asks_are_read_as_needed(reply_cache):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield ask(str(read))

    fake = Fake(always(said("yes")), seconds=0.001)
    results = engine(fake, reply_cache).run(endless())
    for _ in range(20):
        await anext(results)
    await results.aclose()
    assert read < 3000


def test_the_address_depends_on_everything_that_decides_the_reply():
    body = ask("a").body
    keys = {
        address(IDENTITY, body),
        address({**IDENTITY, "revision": "2"}, body),
        address(IDENTITY, {**body, "temperature": 1}),
        address(IDENTITY, body, repeat=1),
    }
    assert len(keys) == 4
    assert address(IDENTITY, json.loads(json.dumps(body))) == address(IDENTITY, body)


@pytest.mark.parametrize(
    "error", [AttributeError("a bug"), RecursionError(), ValueError("x"), MemoryError(), OSError("x")]
)
async def test_an_unexpected_error_of_an_endpoint_is_a_failed_call_and_ends_no_other(reply_cache, error):
    fake = Fake(lambda prompt: [error if prompt == "bad" else said("yes")])
    results = await run(engine(fake, reply_cache), [ask("bad"), ask("good")])
    assert [result.status for result in results] == [Status.TRANSPORT, Status.OK]
    assert results[0].reply is None


@pytest.mark.parametrize(
    "error", [KeyError("choices"), AttributeError("get"), TypeError("x"), OverflowError("exp")]
)
async def test_a_reply_that_breaks_its_reader_is_unparsable_and_ends_no_other(reply_cache, error):
    def check(reply):
        raise error

    bad = dataclasses.replace(ask("bad"), check=check)
    results = await run(engine(Fake(always(said("yes"))), reply_cache), [bad, ask("good")])
    assert [result.status for result in results] == [Status.UNPARSABLE, Status.OK]


@pytest.mark.parametrize("text", ["\u200b", "\u2060\n", "&nbsp;", "\u3164"])
async def test_a_reply_that_shows_nothing_is_never_scored(reply_cache, text):
    (result,) = await run(engine(Fake(always(said(text))), reply_cache), [ask("a")])
    assert (result.status, result.reply) == (Status.UNPARSABLE, None)


@pytest.mark.service
@pytest.mark.parametrize("value", odd_objects("message"), ids=lambda value: json.dumps(value)[:60])
async def test_no_odd_reply_of_a_real_server_is_scored(reply_cache, value):
    async with server(http(200, json.dumps(value))) as endpoint:
        one = Engine({"judge": ModelClient(endpoint, IDENTITY)}, reply_cache, None, RetryPolicy(attempts=1))
        (result,) = await run(one, [ask("a")])
    assert (result.status, result.reply) == (Status.TRANSPORT, None)


async def test_single_calls_share_the_cache_the_limits_and_the_budget_of_a_run(reply_cache):
    fake = Fake(always(said("yes")), seconds=0.01)
    one = engine(fake, reply_cache, concurrency=2)
    results = await asyncio.gather(*(one.call(ask(str(number))) for number in range(6)))
    assert [result.status for result in results] == [Status.OK] * 6
    assert fake.most == 2
    again = await one.call(ask("3"))
    assert (again.replayed, len(fake.calls), one.call_counts.total, one.call_counts.calls) == (True, 6, 7, 6)
    one.stop("enough")
    assert (await one.call(ask("new"))).status is Status.NOT_ASKED


async def test_a_single_call_that_fails_is_typed_and_not_found_again(reply_cache):
    one = engine(Fake(always(failing(Failure.REFUSED))), reply_cache)
    assert (await one.call(ask("why"))).status is Status.REFUSED
    assert ask("why").key not in reply_cache
    assert one.call_counts.failed == {"refused": 1}
