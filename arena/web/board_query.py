"""The address of a leaderboard: every control of the page is a word of the query string, so any view has a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from arena.leaderboards.query import BoardChoice
from arena.rules.votes import HUMAN, OVERALL

SIZES = {"1B": 1e9, "4B": 4e9, "10B": 10e9, "40B": 40e9, "100B": 100e9}
PRICES = {"0.1": 0.1, "0.5": 0.5, "1": 1.0, "5": 5.0, "20": 20.0}
UNKNOWN_LICENCE = "unknown"


@dataclass(frozen=True)
class BoardQuery:
    """What the reader chose. `columns` and `beside` are lists parted by commas; empty means the usual ones."""

    source: str = HUMAN
    category: str = OVERALL
    method: str = "bt"
    style: str = ""
    q: str = ""
    sort: str = ""
    licence: str = ""
    size: str = ""
    price: str = ""
    columns: str = ""
    beside: str = ""
    at: str = ""  # a past day

    @classmethod
    def read(cls, given: Iterable[tuple[str, str]]) -> BoardQuery:
        """Unknown words are left alone: an old link still opens a board. Repeated words (checkboxes) are joined."""
        known = {field.name for field in fields(cls)}
        words: dict[str, str] = {}
        for name, value in given:
            if name in known and value:
                joined = name in ("columns", "beside") and name in words
                words[name] = f"{words[name]},{value}" if joined else value
        return cls(**words)

    @property
    def choice(self) -> BoardChoice:
        """Raises `NoSuchBoard`."""
        return BoardChoice(self.source, self.category, self.method, self.style == "on")

    @property
    def others(self) -> tuple[str, ...]:
        """Sources shown beside the first."""
        return tuple(dict.fromkeys(one for one in self.beside.split(",") if one and one != self.source))

    @property
    def chosen_columns(self) -> tuple[str, ...]:
        return tuple(one for one in self.columns.split(",") if one)

    def link(self, path: str = "/leaderboard", **changes: str) -> str:
        """An address with these changes; what is as usual is left out."""
        words = self.words(**changes)
        return f"{path}?{urlencode(words)}" if words else path

    def words(self, **changes: str) -> Mapping[str, str]:
        """The words that differ from the usual, in a fixed order."""
        changed = replace(self, **changes)
        return {
            field.name: value
            for field in fields(changed)
            if (value := getattr(changed, field.name)) != field.default
        }

    def sorted_by(self, key: str) -> str:
        """The link of a column's head: a second click turns the order."""
        return self.link(sort=f"-{key}" if self.sort == key else key)
