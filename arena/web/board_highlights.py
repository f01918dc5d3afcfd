"""The answer of a leaderboard in one line each: the best, the cheapest and the fastest of the leading models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.web.board_columns import BoardRow, price_text


@dataclass(frozen=True)
class Highlights:
    """The leading models: the best rated, and those that cannot be told apart from it, without retired ones."""

    leading: tuple[BoardRow, ...]

    @property
    def best(self) -> BoardRow:
        return self.leading[0]

    @property
    def cheapest(self) -> tuple[BoardRow, str] | None:
        """The leading model with the lowest price, and its price; None where fewer than two are known."""
        return _least(self.leading, lambda row: row.facts.price, lambda row: price_text(row.facts))

    @property
    def fastest(self) -> tuple[BoardRow, str] | None:
        """The leading model with the shortest time to the first token, and that time."""
        return _least(self.leading, lambda row: row.facts.latency, lambda row: f"{row.facts.latency:.2f} s")


def highlights(rows: Sequence[BoardRow]) -> Highlights | None:
    """The highlights of a board, best first; None where no model in use has enough votes."""
    usable = [row for row in rows if row.row.battles and not row.retired and not row.row.provisional]
    if len(usable) < 2:
        return None
    return Highlights(tuple(row for row in usable if row.band == usable[0].band))


def _least(
    rows: Sequence[BoardRow], value: Callable[[BoardRow], float | None], text: Callable[[BoardRow], str]
) -> tuple[BoardRow, str] | None:
    known = [(number, row) for row in rows if (number := value(row)) is not None]
    if len(known) < 2:
        return None
    row = min(known, key=lambda item: item[0])[1]
    return row, text(row)
