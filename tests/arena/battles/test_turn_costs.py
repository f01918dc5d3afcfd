"""The cost of turns: at most what is reserved, as reported where it is reported, and never forgotten."""

from __future__ import annotations

import pytest

from arena.battles.turn_costs import Reservation, call_estimates, dearest_turn
from arena.battles.writing import Writing
from arena.config import PriceSettings
from arena.endpoints import Usage
from arena.engine.budget import BYTES_PER_TOKEN
from arena.rules.limits import Spending
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import StoredBattle, StoredTurn, Written
from tests.support.arenas import LISTS, PLAIN, ready

PRICE = PriceSettings(prompt=1.0, completion=10.0)
MODELS = (
    PLAIN.model_copy(update={"price": PRICE, "max_tokens": 100}),
    LISTS.model_copy(update={"system_prompt": "S" * 300}),
)


def battle(prompt: str = "Hello?") -> StoredBattle:
    running = dict.fromkeys("ab", Written("", CompletionStatus.RUNNING))
    turns = (StoredTurn(1, 1, prompt, 1, running),)
    return StoredBattle(1, "x", "ann", PLAIN.name, LISTS.name, BattleStatus.RUNNING, turns, None)


@pytest.fixture
def reservation():
    serving = ready(*MODELS)
    return Reservation("2026-11-27", dearest_turn(serving, battle()), call_estimates(serving, battle()))


def spent(reservation: Reservation, a: Writing, b: Writing) -> Spending:
    return reservation.most + reservation.settlement({"a": a, "b": b}).difference


def test_the_reservation_is_the_longest_completion(reservation):
    assert reservation.estimates["a"].completion_tokens == 100
    assert reservation.estimates["b"].completion_tokens == 512
    assert reservation.estimates["b"].prompt_tokens > reservation.estimates["a"].prompt_tokens + 90
    prompt = reservation.estimates["a"].prompt_tokens
    assert (prompt * 1 + 100 * 10) / 1e6 < reservation.most.usd < (4 * prompt * 1 + 100 * 10) / 1e6


def test_the_most_is_that_of_the_dearest_two_whoever_fights():
    dear = [PLAIN.model_copy(update={"name": f"dear-{i}", "price": PRICE}) for i in range(2)]
    cheap, serving = ready(*MODELS), ready(*MODELS, *dear)
    assert dearest_turn(serving, battle()).usd > 5 * dearest_turn(cheap, battle()).usd
    for length in (1, 99, 5000, 20_000):
        drawn = call_estimates(serving, battle("é" * length))
        most = dearest_turn(serving, battle("é" * length))
        assert most.tokens >= sum(call.most.tokens for call in drawn.values())
        assert most.usd >= sum(call.most.usd for call in drawn.values())


def test_growing_prompts_measure_the_budget_in_few_steps_only():
    serving = ready(*MODELS)
    assert len({dearest_turn(serving, battle("x" * length)) for length in range(1, 20_000, 7)}) <= 10


def test_reported_usage_is_the_cost(reservation):
    used = Writing(usage=Usage(prompt_tokens=90, completion_tokens=5), text="whatever")
    small = Writing(usage=Usage(prompt_tokens=15, completion_tokens=5), text="whatever")
    assert spent(reservation, small, used).tokens == 115
    assert spent(reservation, small, used).usd == pytest.approx((15 + 50) / 1e6)


def test_thinking_that_no_voter_sees_costs_what_it_costs(reservation):
    shown = Writing(text="x" * 30, status=CompletionStatus.FINISHED)
    thought = Writing(text="x" * 30, status=CompletionStatus.FINISHED, thought=120)
    more = spent(reservation, thought, shown).tokens - spent(reservation, shown, shown).tokens
    assert more == round(150 / BYTES_PER_TOKEN) - round(30 / BYTES_PER_TOKEN) > 0


def test_a_stopped_completion_costs_what_was_written(reservation):
    stopped = Writing(text="w" * 30, status=CompletionStatus.STOPPED)
    refused = Writing(status=CompletionStatus.FAILED, charged=False)
    cost = spent(reservation, stopped, refused)
    prompts = sum(estimate.prompt_tokens for estimate in reservation.estimates.values())
    assert cost.tokens == prompts + 10
    assert 0 < cost.usd < reservation.most.usd


@pytest.mark.parametrize("status", [CompletionStatus.STOPPED, CompletionStatus.ABANDONED])
@pytest.mark.parametrize("shown", [0, 3, 30])
def test_what_was_written_and_never_shown_costs_the_same(reservation, shown, status):
    """A voter who stops while the fast model has to wait for the slow one has not saved anything."""
    stopped, cut = Writing(text="w" * 30, status=status), Writing(text="w" * 30)
    cut.cut(shown, status)
    refused = Writing(status=CompletionStatus.FAILED, charged=False)
    assert (cut.text, cut.written) == ("w" * shown, "w" * 30)
    assert spent(reservation, cut, refused) == spent(reservation, stopped, refused)


@pytest.mark.parametrize("text", ["", "\u200b", "cut"])
def test_a_call_that_breaks_without_a_report_costs_what_is_reserved(reservation, text):
    """The server may have written more than it sent, such as a hidden chain of thought."""
    broken = Writing(text=text, status=CompletionStatus.FAILED)
    silent = Writing(text="", status=CompletionStatus.STOPPED)
    everything = sum(estimate.most.tokens for estimate in reservation.estimates.values())
    assert spent(reservation, broken, silent).tokens == everything
    assert spent(reservation, broken, broken).tokens == everything


def test_each_retried_call_costs_a_prompt_and_counts(reservation):
    once, thrice = (
        Writing(status=CompletionStatus.FAILED, charged=False, attempts=attempts) for attempts in (1, 3)
    )
    more = spent(reservation, thrice, once).tokens - spent(reservation, once, once).tokens
    assert more == 2 * reservation.estimates["a"].prompt_tokens
    assert reservation.settlement({"a": thrice, "b": once}).retried == 2


@pytest.mark.parametrize("reported", [-(10**9), 0, 1])
def test_a_server_cannot_make_its_turns_free(reservation, reported):
    usage = Usage(prompt_tokens=reported, completion_tokens=reported)
    free = Writing(text="word " * 300, usage=usage, status=CompletionStatus.FINISHED)
    prompts = [estimate.prompt_tokens for estimate in reservation.estimates.values()]
    assert spent(reservation, free, free).tokens in (sum(prompts) + 2 * 500, 1 + prompts[1] + 2 * 500)


@pytest.mark.parametrize("reported", [2**31 - 1, 2**63, 10**30])
def test_a_server_cannot_use_the_budget_up_with_a_report(reservation, reported):
    usage = Usage(prompt_tokens=reported, completion_tokens=reported)
    greedy = Writing(text="x", usage=usage, status=CompletionStatus.FINISHED)
    prompts = sum(estimate.prompt_tokens for estimate in reservation.estimates.values())
    assert spent(reservation, greedy, greedy).tokens == 2 * prompts + 100 + 512
