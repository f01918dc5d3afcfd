"""Paces and gates, on a clock that a test turns by hand."""

from __future__ import annotations

import asyncio

import pytest

from arena.engine import Budget, ConcurrencyLimiter, Price, RateLimiter, estimated_tokens
from tests.support.timing import NO_HANG


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_rate_limiter_spreads_units_evenly():
    pace = RateLimiter(60, clock := Clock())
    assert [pace.delay() for _ in range(4)] == [0, 1, 2, 3]
    clock.now += 4
    assert pace.delay() == 0


def test_a_rest_allows_a_short_burst_and_no_more():
    pace = RateLimiter(600, clock := Clock())
    clock.now += 3600
    delays = [pace.delay() for _ in range(12)]
    assert delays[:11] == [0] * 11
    assert delays[11] == pytest.approx(0.1)


def test_units_that_were_not_used_can_be_given_back():
    pace = RateLimiter(60, Clock())
    pace.delay(10)
    pace.give_back(9)
    assert pace.delay() == 1


async def test_a_busy_endpoint_gets_half_and_recovers_one_by_one():
    gate = ConcurrencyLimiter(16, clock := Clock())
    gate.too_busy(0, began=clock.now - 1)
    assert gate.limit == 8
    gate.too_busy(0, began=clock.now - 1)
    assert gate.limit == 8, "calls that were under way together shrink it once"
    for _ in range(9):
        gate.went_well()
    assert 8.9 < gate.limit < 9.2
    for number in range(20):
        clock.now += 1
        gate.too_busy(0, began=clock.now - 0.5 + number / 100)
    assert gate.limit == 1


async def test_a_caller_that_goes_away_does_not_take_a_place_with_it():
    gate = ConcurrencyLimiter(1)
    await gate.enter()
    gone, stays = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()
    gone.cancel()
    await asyncio.wait_for(stays, NO_HANG)
    assert gate.running == 1


async def test_no_call_passes_during_a_pause():
    gate = ConcurrencyLimiter(4)
    gate.too_busy(0.1, began=0)
    clock = asyncio.get_running_loop().time
    began = clock()
    await gate.enter()
    assert clock() - began >= 0.09


def test_a_budget_holds_back_what_running_calls_may_still_cost():
    budget = Budget(most=1.0)
    assert budget.reserve(0.6)
    assert not budget.reserve(0.6)
    budget.settle(0.6, 0.1)
    assert budget.reserve(0.6)
    assert budget.spent == 0.1


def test_prices_are_per_million_tokens():
    assert Price(prompt=2.0, completion=8.0).of(1_000_000, 500_000) == 6.0


def test_the_estimate_is_at_least_the_words():
    body = {"messages": [{"role": "user", "content": "word " * 100}], "max_tokens": 7}
    prompt, completion = estimated_tokens(body)
    assert prompt >= 100
    assert completion == 7
