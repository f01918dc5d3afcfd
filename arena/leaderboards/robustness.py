"""Rank robustness: the fewest votes whose removal swaps two models on the leaderboard."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import ratings
from arena.leaderboards.leaderboard import Published
from arena.leaderboards.query import NoSuchBoard
from arena.rules.messages import Phrase, gettext_noop

NEIGHBOURS = 10  # pairs from the top, where ranks matter most
TIME_LIMIT = 3.0  # seconds after which no further pair is computed; each takes about ten exact refits


@dataclass(frozen=True)
class Swap:
    """Removing `votes` of `battles` puts `behind` before `ahead`; None when no removal does."""

    ahead: str
    behind: str
    gap: float  # points
    votes: int | None
    battles: int
    example: str  # the most frequent kind of removed vote, in words

    @property
    def share(self) -> float | None:
        return None if self.votes is None else self.votes / self.battles


def neighbour_swaps(published: Published) -> list[Swap]:
    """The pairs of neighbours from the top, without models that have no votes.

    From pair counts, by Bradley–Terry with the prior of the leaderboard. Large boards give as many pairs as fit
    into the time limit.
    """
    end = time.monotonic() + TIME_LIMIT
    swaps: list[Swap] = []
    for ahead, behind in itertools.pairwise(_voted(published)[: NEIGHBOURS + 1]):
        if swaps and time.monotonic() > end:
            break
        swaps.append(_swap(published, ahead, behind))
    return swaps


def swap_of(published: Published, model: str, other: str) -> Swap:
    """The swap of any two models. Raises `NoSuchBoard` for a model without votes, and for a model with itself."""
    rows = [row for row in _voted(published) if row.model in (model, other)]
    missing = [name for name in (model, other) if name not in {row.model for row in rows}]
    if missing:
        raise NoSuchBoard(
            "{model!r} has no votes on this leaderboard. Choose two models with votes.", model=missing[0]
        )
    if len(rows) < 2:
        raise NoSuchBoard("{model!r} cannot swap ranks with itself. Choose two models.", model=model)
    return _swap(published, *rows)


def swaps_around(published: Published, model: str) -> list[Swap]:
    """The swaps of a model with its neighbours; none for a model without votes."""
    rows = _voted(published)
    pairs = itertools.pairwise(rows)
    return [_swap(published, *pair) for pair in pairs if model in (pair[0].model, pair[1].model)]


def _voted(published: Published) -> list[ratings.Row]:
    return [row for row in published.board.rows if row.battles]


def _swap(published: Published, ahead: ratings.Row, behind: ratings.Row) -> Swap:
    robustness = ratings.rank_robustness(published.counts, ahead=ahead.model, behind=behind.model)
    gap = ahead.rating - behind.rating
    return Swap(ahead.model, behind.model, gap, robustness.votes, robustness.battles, _example(robustness))


def _example(robustness: ratings.RankRobustness) -> str:
    """The largest part of the removed votes, in words."""
    if not robustness.removed:
        return ""
    largest = max(robustness.removed, key=lambda part: part.votes)
    a, b = largest.model_a, largest.model_b
    winner, loser = (b, a) if largest.outcome == "model_b" else (a, b)
    return Phrase(_EXAMPLES[largest.outcome], votes=largest.votes, a=winner, b=loser)


_WON = gettext_noop("{votes:,} × {a} beating {b}")
_EXAMPLES = {
    "model_a": _WON,
    "model_b": _WON,
    "tie": gettext_noop("{votes:,} × ties of {a} and {b}"),
    "both_bad": gettext_noop("{votes:,} × {a} and {b} both bad"),
}
