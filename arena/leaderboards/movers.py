"""Rating changes of all models between two leaderboards."""

from __future__ import annotations

from dataclasses import dataclass

import ratings

LEAST = 0.5  # points: a smaller change is not visible in a rounded rating


@dataclass(frozen=True)
class Mover:
    """A model on two boards; None where it had no votes by the first day."""

    model: str
    before: ratings.Row | None
    after: ratings.Row

    @property
    def change(self) -> float | None:
        return None if self.before is None else self.after.rating - self.before.rating

    @property
    def moved(self) -> bool:
        """Whether the model is new, or its rating changed by at least half a point."""
        return self.change is None or abs(self.change) >= LEAST


def movers(first: ratings.Leaderboard, second: ratings.Leaderboard) -> list[Mover]:
    """Every model with votes on the second board, the largest change first, new models last."""
    before = {row.model: row for row in first.rows if row.battles}
    changes = [Mover(row.model, before.get(row.model), row) for row in second.rows if row.battles]
    return sorted(changes, key=lambda mover: (mover.change is None, -abs(mover.change or 0.0), mover.model))
