"""The leaderboard of any past day, with the filter of that day.

A battle counts in the categories that it has now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import ratings
from arena.leaderboards.leaderboard import Published
from arena.leaderboards.query import BOTH, DEFAULT_RULES, BoardChoice, BoardRules, NoSuchBoard
from arena.leaderboards.vote_counts import VoteCounts, add_stored, counted_votes
from arena.leaderboards.vote_filters import EVERY, find_filter
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Session
from arena.store.ledger import first_vote_at, last_seal, seals
from arena.store.models import model_names
from arena.store.query_filters import VoteSelection
from arena.store.votes import unknown_judge

EARLIEST, LATEST = 1970, 9000  # years with room before and after for the spans of pages


class NoSuchDay(NoSuchBoard):
    """An invalid day, or a day without a leaderboard; the text says which days have one."""


@dataclass(frozen=True)
class PastBoard:
    """The leaderboard of a past moment. `filter` is that of the last seal before it."""

    board: ratings.Leaderboard
    counts: ratings.PairCounts
    source: str
    category: str
    filter: str
    as_of: datetime

    def to_dict(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "votes": self.board.battles,
            "source": self.source,
            "category": self.category,
            "filter": self.filter,
            **self.board.to_dict(),
        }


def moment(text: str) -> datetime:
    """The end of a day such as 2026-03-01 (UTC), or the moment of an ISO time. Raises `NoSuchDay`."""
    try:
        given = _parsed(text)
    except (ValueError, OverflowError):
        raise NoSuchDay(
            "{day!r} is not a date. Write it as 2026-03-01 or 2026-03-01T12:00:00Z.", day=text[:40]
        ) from None
    if not EARLIEST <= given.year <= LATEST:
        raise NoSuchDay(
            "{day!r} is out of range. Use a date from {earliest} to {latest}.",
            day=text[:40],
            earliest=EARLIEST,
            latest=LATEST,
        )
    return given


def minute(at: datetime) -> str:
    """A moment as texts have it.

    >>> minute(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    '2026-03-01 12:30'
    """
    return f"{at:%Y-%m-%d %H:%M}"


def _parsed(text: str) -> datetime:
    if len(text) == len("2026-03-01"):
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    given = datetime.fromisoformat(text)
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)


def board_at(
    session: Session,
    at: datetime,
    source: str = HUMAN,
    category: str = OVERALL,
    version: str = EVERY,
    rules: BoardRules = DEFAULT_RULES,
) -> PastBoard:
    """The leaderboard of the votes before `at`. `version` is the filter of an arena without seals.

    Raises `NoSuchDay` for a moment before the first vote, and for an unknown judge.
    """
    if why := unknown_judge(session, source):
        raise NoSuchDay(why)
    first = first_vote_at(session)
    if first is None or first >= at:
        raise _no_board(at, first)
    chosen = filter_at(session, at, version)
    selection = VoteSelection(category=category, before=at)
    counts = VoteCounts(rules.pool_judges)
    if chosen == EVERY:
        add_stored(session, counts, selection)
    else:
        counts.add(counted_votes(session, find_filter(chosen), selection))
    models = sorted({*model_names(session, before=at), *counts.models()})
    pairs = counts.pair_counts(source, models)
    board = counts.leaderboard(source, models, rules=rules)
    return PastBoard(board, pairs, source, category, chosen, at)


def _no_board(at: datetime, first: datetime | None) -> NoSuchDay:
    day = minute(at)
    if first is None:
        return NoSuchDay("There is no leaderboard of {day} UTC. There are no votes yet.", day=day)
    return NoSuchDay(
        "There is no leaderboard of {day} UTC. The first vote is of {first} UTC.",
        day=day,
        first=minute(first),
    )


def published_at(
    session: Session, choice: BoardChoice, at: datetime, version: str = EVERY, rules: BoardRules = DEFAULT_RULES
) -> Published:
    """The leaderboard of a past day. Raises `NoSuchDay`, also for methods that past days do not have."""
    if choice.method != "bt" or choice.style or choice.source == BOTH:
        raise NoSuchDay(
            "Past days have Bradley–Terry leaderboards only. Turn off style control and choose another source than both."
        )
    past = board_at(session, at, choice.source, choice.category, version, rules)
    return Published(past.board, choice, at, past.counts, past.filter)


def filter_at(session: Session, at: datetime, version: str = EVERY) -> str:
    """The filter in force at a moment: that of the last seal before it, or of the first one after it."""
    seal = last_seal(session, at) or next(iter(seals(session, limit=1)), None)
    return seal.filter if seal else version
