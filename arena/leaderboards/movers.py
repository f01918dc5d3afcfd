"""Who moved between two boards, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

import ratings


@dataclass(frozen=True)
class Mover:
    """A model on two boards; None where it had no votes by the first day."""

    model: str
    before: ratings.Row | None
    after: ratings.Row

    @property
    def change(self) -> float | None:
        return None if self.before is None else self.after.rating - self.before.rating


def movers(first: ratings.Leaderboard, second: ratings.Leaderboard) -> list[Mover]:
    """Every model with votes on the second board, the one that moved furthest first, newcomers last."""
    there = {row.model: row for row in first.rows if row.battles}
    found = [Mover(row.model, there.get(row.model), row) for row in second.rows if row.battles]
    return sorted(found, key=lambda one: (one.change is None, -abs(one.change or 0.0), one.model))
