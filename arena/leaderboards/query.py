"""Which leaderboard is meant: whose votes, on what, rated how."""

from __future__ import annotations

from dataclasses import dataclass

from arena.errors import ConfigError
from arena.rules.votes import HUMAN, JUDGE, JUDGES, OVERALL

BOTH = "both"
SOURCES = (HUMAN, JUDGES, BOTH, "all")
METHODS = ("bt", "davidson", "elo")


class NoSuchBoard(ConfigError):
    """There is no such leaderboard, or not yet; the text says what there is."""


@dataclass(frozen=True)
class BoardChoice:
    """`source` is human, judges, judge:NAME, both (people and judges, anchored on people) or all (added up).

    Raises `NoSuchBoard` for an unknown source or method, and for what does not go together.
    """

    source: str = HUMAN
    category: str = OVERALL
    method: str = "bt"
    style: bool = False

    def __post_init__(self) -> None:
        if self.source not in SOURCES and not self.source.startswith(JUDGE):
            raise NoSuchBoard(
                f"source {self.source!r} is unknown; expected human, judges, judge:NAME, both or all"
            )
        if self.method not in METHODS:
            raise NoSuchBoard(f"method {self.method!r} is unknown; expected {', '.join(METHODS)}")
        if self.style and self.method != "bt":
            raise NoSuchBoard(f"style control goes with method bt, not {self.method}; leave one of the two out")
        if self.source == BOTH and (self.method != "bt" or self.style):
            raise NoSuchBoard(
                "source both has a method of its own (human-anchored); leave --method and --style out"
            )

    @property
    def voters(self) -> str | None:
        """The source as the store knows it; None for everybody."""
        return None if self.source in ("all", BOTH) else self.source
