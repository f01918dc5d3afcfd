"""Limits on what visitors do: how long one holds, and its refusal in words. The clock is the caller's."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from arena.rules.messages import Phrase, gettext_noop

OWN_CHANGE = "own password"  # after the name: attempts to change it, which are counted apart from sign-ins
ACCOUNT = "account "  # the beginning of the subject of attempts on an account


class Action(StrEnum):
    """What is counted."""

    BATTLE = "battle"
    TURN = "turn"  # the first prompt of a battle, each later one, and each regeneration
    VOTE = "vote"
    REPORT = "report"  # of a battle to the operator
    APPEAL = "appeal"  # against the state of a vote
    IMAGE = "image"  # uploaded
    CALL = "call"  # one request to a model
    CODE = "code"  # one attempt to enter a recovery code
    CHALLENGE = "challenge"  # given to a visitor before a battle
    LOGIN = "login"  # one attempt to sign in to an account


class Scope(StrEnum):
    """Whose actions a limit counts."""

    VOTER = "voter"
    ADDRESS = "address"
    ARENA = "arena"
    ACCOUNT = "account"


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

    def refusal(self, seconds: float) -> Phrase:
        """The refusal for the voter, with the time until the limit lifts."""
        wait = in_words(seconds)
        if self.scope is Scope.ARENA:
            return Phrase("The arena is busy. Please try again in {wait}. Your prompt is kept.", wait=wait)
        window = in_words(self.window.total_seconds())
        return Phrase(_REFUSALS[self.scope, self.action], most=self.most, window=_last(window), wait=wait)


@dataclass(frozen=True)
class DayLimit(Limit):
    """At most `most` actions of one kind on a day (UTC); `window` is the time since midnight."""

    def lifts_in(self, at: datetime, earlier: datetime) -> float:
        """Seconds until midnight."""
        return until_midnight(at)

    def refusal(self, seconds: float) -> Phrase:
        """The refusal for the voter."""
        return Phrase(_OF_THE_DAY[self.scope], most=self.most, wait=in_words(seconds))


_OF_THE_DAY = {
    Scope.VOTER: gettext_noop("You have cast {most:,} votes today. You can cast the next one in {wait}."),
    Scope.ADDRESS: gettext_noop(
        "Visitors from your network have cast {most:,} votes today. You can cast the next one in {wait}."
    ),
}
_REFUSALS = {
    (Scope.VOTER, Action.BATTLE): gettext_noop(
        "You have started {most:,} battles in the last {window}. You can start the next one in {wait}."
    ),
    (Scope.VOTER, Action.TURN): gettext_noop(
        "You have sent {most:,} prompts in the last {window}. You can send the next one in {wait}."
    ),
    (Scope.VOTER, Action.VOTE): gettext_noop(
        "You have cast {most:,} votes in the last {window}. You can cast the next one in {wait}."
    ),
    (Scope.VOTER, Action.REPORT): gettext_noop(
        "You have sent {most:,} reports in the last {window}. You can send the next one in {wait}."
    ),
    (Scope.VOTER, Action.APPEAL): gettext_noop(
        "You have sent {most:,} appeals in the last {window}. You can send the next one in {wait}."
    ),
    (Scope.VOTER, Action.IMAGE): gettext_noop(
        "You have attached {most:,} images in the last {window}. You can attach the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.BATTLE): gettext_noop(
        "Visitors from your network have started {most:,} battles in the last {window}. "
        "You can start the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.TURN): gettext_noop(
        "Visitors from your network have sent {most:,} prompts in the last {window}. "
        "You can send the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.VOTE): gettext_noop(
        "Visitors from your network have cast {most:,} votes in the last {window}. "
        "You can cast the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.REPORT): gettext_noop(
        "Visitors from your network have sent {most:,} reports in the last {window}. "
        "You can send the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.APPEAL): gettext_noop(
        "Visitors from your network have sent {most:,} appeals in the last {window}. "
        "You can send the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.IMAGE): gettext_noop(
        "Visitors from your network have attached {most:,} images in the last {window}. "
        "You can attach the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.CODE): gettext_noop(
        "Visitors from your network have entered {most:,} recovery codes in the last {window}. "
        "You can enter the next one in {wait}."
    ),
    (Scope.ADDRESS, Action.LOGIN): gettext_noop(
        "Visitors from your network have tried to sign in {most:,} times in the last {window}. Try again in {wait}."
    ),
    (Scope.ACCOUNT, Action.LOGIN): gettext_noop(
        "Somebody has tried to sign in to this account {most:,} times in the last {window}. Try again in {wait}."
    ),
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


def budget_refusal(seconds: float) -> Phrase:
    """The refusal when the arena has spent the budget of the day."""
    return Phrase(
        "The arena has used its budget for today. New prompts are possible in {wait}. You can still vote.",
        wait=in_words(seconds),
    )


def until_midnight(at: datetime) -> float:
    """Seconds until the next day in the time zone of `at`, which is UTC in the arena."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - at).total_seconds()


def since_midnight(at: datetime) -> timedelta:
    """The time since the day began, in the time zone of `at`."""
    return at - at.replace(hour=0, minute=0, second=0, microsecond=0)


def in_words(seconds: float) -> Phrase:
    """A duration in the unit that a person would choose, rounded up: when it has passed, the limit has lifted."""
    size = next((size for size in _UNITS if math.ceil(seconds / size) < 60), 3600)
    number = max(1, math.ceil(seconds / size))
    one, many, _ = _UNITS[size]
    return Phrase(one if number == 1 else many, number=number)


def _last(duration: Phrase) -> Phrase:
    """A duration after "in the last", such as "hour"."""
    return next((Phrase(last) for one, _, last in _UNITS.values() if duration.template == one), duration)


_UNITS = {  # by seconds
    1: (gettext_noop("{number} second"), gettext_noop("{number:,} seconds"), gettext_noop("second")),
    60: (gettext_noop("{number} minute"), gettext_noop("{number:,} minutes"), gettext_noop("minute")),
    3600: (gettext_noop("{number} hour"), gettext_noop("{number:,} hours"), gettext_noop("hour")),
}


def account_subject(name: str) -> str:
    """The subject that counts the attempts on an account; a hash, since anybody may type any name."""
    return f"{ACCOUNT}{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:40]}"
