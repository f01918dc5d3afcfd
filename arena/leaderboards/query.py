"""The query of a leaderboard: source of the votes, category, method."""

from __future__ import annotations

from dataclasses import dataclass

from arena.errors import ConfigError
from arena.messages import TranslatableError
from arena.rules.votes import HUMAN, JUDGE, JUDGES, OVERALL

BOTH = "both"
SOURCES = (HUMAN, JUDGES, BOTH, "all")
METHODS = ("bt", "davidson", "elo")


class NoSuchBoard(TranslatableError, ConfigError):
    """The requested leaderboard does not exist; the text lists the available ones."""


@dataclass(frozen=True)
class BoardChoice:
    """`source` is human, judges, judge:NAME, both (people and judges, anchored on people) or all (added up).

    Raises `NoSuchBoard` for an unknown source or method, and for a combination that has no leaderboard.
    """

    source: str = HUMAN
    category: str = OVERALL
    method: str = "bt"
    style: bool = False

    def __post_init__(self) -> None:
        if self.source not in SOURCES and (not self.source.startswith(JUDGE) or self.source == JUDGE):
            raise NoSuchBoard(
                "Source {source!r} is unknown. Use human, judges, judge:NAME, both or all.", source=self.source
            )
        if self.method not in METHODS:
            raise NoSuchBoard(
                "Method {method!r} is unknown. Use one of: {methods}.",
                method=self.method,
                methods=", ".join(METHODS),
            )
        if self.style and self.method != "bt":
            raise NoSuchBoard(
                "Style control needs method bt, not {method}. Remove one of the two.", method=self.method
            )
        if self.source == BOTH and (self.method != "bt" or self.style):
            raise NoSuchBoard("Source both has its own method (human-anchored). Leave out --method and --style.")

    @property
    def voters(self) -> str | None:
        """The source in the terms of the store; None for all votes."""
        return None if self.source in ("all", BOTH) else self.source
