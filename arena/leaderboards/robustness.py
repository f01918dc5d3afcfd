"""How few votes would swap neighbours on the leaderboard."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import ratings
from arena.leaderboards.leaderboard import Published
from arena.leaderboards.query import NoSuchBoard

NEIGHBOURS = 10  # pairs from the top, where places are argued over
PATIENCE = 3.0  # seconds after which no further pair is begun; each is refitted exactly some ten times


@dataclass(frozen=True)
class Swap:
    """Removing `votes` of `battles` puts `behind` before `ahead`; None when no removal does."""

    ahead: str
    behind: str
    gap: float  # points
    votes: int | None
    battles: int
    example: str  # the kind of vote that hangs most on it

    @property
    def share(self) -> float | None:
        return None if self.votes is None else self.votes / self.battles


def fragile_ranks(published: Published) -> list[Swap]:
    """The pairs of neighbours from the top, models without votes left out.

    From pair counts, by Bradley–Terry with the board's prior. Large boards give as many pairs as fit into the
    time.
    """
    end = time.monotonic() + PATIENCE
    swaps: list[Swap] = []
    for ahead, behind in itertools.pairwise(_voted(published)[: NEIGHBOURS + 1]):
        if swaps and time.monotonic() > end:
            break
        swaps.append(_swap(published, ahead, behind))
    return swaps


def swap_of(published: Published, one: str, other: str) -> Swap:
    """What would swap any two models. Raises `NoSuchBoard` when one of them has no votes here, or both are one."""
    rows = [row for row in _voted(published) if row.model in (one, other)]
    missing = [name for name in (one, other) if name not in {row.model for row in rows}]
    if missing:
        raise NoSuchBoard(f"{missing[0]!r} has no votes on this board; choose two models that have")
    if len(rows) < 2:
        raise NoSuchBoard(f"{one!r} cannot change places with itself; choose two models")
    return _swap(published, *rows)


def swaps_around(published: Published, model: str) -> list[Swap]:
    """A model against the one ahead of it and the one behind; none when it has no votes."""
    rows = _voted(published)
    pairs = itertools.pairwise(rows)
    return [_swap(published, *pair) for pair in pairs if model in (pair[0].model, pair[1].model)]


def _voted(published: Published) -> list[ratings.Row]:
    return [row for row in published.board.rows if row.battles]


def _swap(published: Published, ahead: ratings.Row, behind: ratings.Row) -> Swap:
    found = ratings.rank_robustness(published.counts, ahead=ahead.model, behind=behind.model)
    gap = ahead.rating - behind.rating
    return Swap(ahead.model, behind.model, gap, found.votes, found.battles, _example(found))


def _example(found: ratings.RankRobustness) -> str:
    """The largest part of the removed votes, in words."""
    if not found.removed:
        return ""
    one = max(found.removed, key=lambda part: part.votes)
    outcome = {
        "model_a": f"{one.model_a} beating {one.model_b}",
        "model_b": f"{one.model_b} beating {one.model_a}",
        "tie": f"ties of {one.model_a} and {one.model_b}",
        "both_bad": f"{one.model_a} and {one.model_b} both bad",
    }
    return f"{one.votes:,} × {outcome[one.outcome]}"
