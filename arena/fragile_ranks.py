"""How few votes would swap neighbours on the leaderboard."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import ratings
from arena.leaderboard import Published

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
    rows = [row for row in published.board.rows if row.battles]
    end = time.monotonic() + PATIENCE
    swaps: list[Swap] = []
    for ahead, behind in itertools.pairwise(rows[: NEIGHBOURS + 1]):
        if swaps and time.monotonic() > end:
            break
        found = ratings.fragility(published.counts, ahead=ahead.model, behind=behind.model)
        swaps.append(
            Swap(
                ahead.model,
                behind.model,
                ahead.rating - behind.rating,
                found.votes,
                found.battles,
                _example(found),
            )
        )
    return swaps


def _example(found: ratings.Fragility) -> str:
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
