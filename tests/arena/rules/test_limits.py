"""Limits: when they lift, and how a person is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from arena.rules.limits import Action, Limit, Scope, Spending, budget_refusal, in_words, until_midnight

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (1.2, "2 seconds"),
        (59, "59 seconds"),
        (59.5, "1 minute"),
        (61, "2 minutes"),
        (720, "12 minutes"),
        (3541, "1 hour"),
        (3601, "2 hours"),
        (86400, "24 hours"),
    ],
)
def test_a_duration_is_rounded_up(seconds, words):
    assert in_words(seconds) == words


def test_a_limit_lifts_when_the_oldest_counted_action_leaves_the_window():
    limit = Limit(Scope.VOTER, Action.BATTLE, 30, HOUR)
    assert limit.lifts_in(NOON, NOON - timedelta(minutes=48)) == 720
    assert limit.lifts_in(NOON, NOON - timedelta(minutes=70)) == 0


def test_a_refusal_has_the_number_and_the_time():
    limit = Limit(Scope.VOTER, Action.BATTLE, 30, HOUR)
    assert limit.refusal(715) == (
        "You have started 30 battles in the last hour. You can start the next one in 12 minutes."
    )
    vote = Limit(Scope.ADDRESS, Action.VOTE, 1200, timedelta(hours=2))
    assert vote.refusal(61) == (
        "Visitors from your network have cast 1,200 votes in the last 2 hours. You can cast the next one in 2 minutes."
    )
    calls = Limit(Scope.ARENA, Action.CALL, 600, timedelta(minutes=1))
    assert calls.refusal(20) == "The arena is busy. Please try again in 20 seconds. Your prompt is kept."


def test_the_budget_comes_back_at_midnight():
    assert until_midnight(NOON) == 12 * 3600
    assert "New prompts are possible in 12 hours." in budget_refusal(until_midnight(NOON))


def test_a_reservation_is_replaced_by_its_cost():
    assert Spending(1000, 2.0) + (Spending(300, 0.5) - Spending(1000, 2.0)) == Spending(300, 0.5)
