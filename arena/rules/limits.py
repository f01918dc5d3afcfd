"""Limits on what visitors do: how long one holds, and its refusal in words. The clock is the caller's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Action(StrEnum):
    """What is counted."""

    BATTLE = "battle"
    TURN = "turn"  # the first prompt of a battle, each later one, and each regeneration
    VOTE = "vote"
    CALL = "call"  # one request to a model


class Scope(StrEnum):
    """Whose actions a limit counts."""

    VOTER = "voter"
    ADDRESS = "address"
    ARENA = "arena"


@dataclass(frozen=True)
class Limit:
    """At most `most` actions of one kind within `window`, which slides."""

    scope: Scope
    action: Action
    most: int
    window: timedelta

    def lifts_in(self, at: datetime, earlier: datetime) -> float:
        """Seconds until one more action is allowed, when `earlier` is the time of the `most`-th newest action."""
        return max(0.0, (earlier + self.window - at).total_seconds())

    def refusal(self, seconds: float) -> str:
        """The refusal for the voter, with the time until the limit lifts."""
        if self.scope is Scope.ARENA:
            return f"The arena is busy. Please try again in {in_words(seconds)}. Your prompt is kept."
        done, next_ = _WORDS[self.action]
        window = in_words(self.window.total_seconds()).removeprefix("1 ")
        if self.scope is Scope.VOTER:
            count = f"You have {done[0]} {self.most:,} {done[1]} in the last {window}."
        else:
            count = f"Visitors from your network have {done[0]} {self.most:,} {done[1]} in the last {window}."
        return f"{count} You can {next_} in {in_words(seconds)}."


_WORDS = {
    Action.BATTLE: (("started", "battles"), "start the next one"),
    Action.TURN: (("sent", "prompts"), "send the next one"),
    Action.VOTE: (("cast", "votes"), "cast the next one"),
}


@dataclass(frozen=True)
class Spending:
    """Tokens and USD: of one turn, or the most that a day may have."""

    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: Spending) -> Spending:
        return Spending(self.tokens - other.tokens, self.usd - other.usd)


def budget_refusal(seconds: float) -> str:
    """The refusal when the arena has spent the budget of the day."""
    return (
        f"The arena has used its budget for today. New prompts are possible in {in_words(seconds)}. "
        "You can still vote."
    )


def until_midnight(at: datetime) -> float:
    """Seconds until the next day in the time zone of `at`, which is UTC in the arena."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - at).total_seconds()


def in_words(seconds: float) -> str:
    """A duration in the unit that a person would choose, rounded up: when it has passed, the limit has lifted."""
    unit, size = next(((unit, size) for unit, size in _UNITS if math.ceil(seconds / size) < 60), _UNITS[-1])
    number = max(1, math.ceil(seconds / size))
    return f"{number:,} {unit}" + ("s" if number != 1 else "")


_UNITS = (("second", 1), ("minute", 60), ("hour", 3600))
