"""The address of a leaderboard. Every control of the page is a query parameter, so each view has a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from starlette.requests import Request

from arena.leaderboards.query import BoardChoice
from arena.rules.votes import HUMAN, OVERALL

SIZES = {"1B": 1e9, "4B": 4e9, "10B": 10e9, "40B": 40e9, "100B": 100e9}
PRICES = {"0.1": 0.1, "0.5": 0.5, "1": 1.0, "5": 5.0, "20": 20.0}
UNKNOWN_LICENCE = "unknown"


@dataclass(frozen=True)
class BoardQuery:
    """The reader's choices. `columns` and `beside` are comma-separated lists; empty means the default."""

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
        """The query of an address. Repeated parameters (checkboxes) are joined.

        Unknown parameters are ignored, so old links still open a board.
        """
        names = {field.name for field in fields(cls)}
        words: dict[str, str] = {}
        for name, value in given:
            if name in names and value:
                joined = name in ("columns", "beside") and name in words
                words[name] = f"{words[name]},{value}" if joined else value
        return cls(**words)

    @classmethod
    def of(cls, request: Request) -> BoardQuery:
        """The board that the address of a request names."""
        return cls.read(request.query_params.multi_items())

    @property
    def choice(self) -> BoardChoice:
        """Raises `NoSuchBoard`."""
        return BoardChoice(self.source, self.category, self.method, self.style == "on")

    @property
    def others(self) -> tuple[str, ...]:
        """Sources shown next to the first."""
        return tuple(
            dict.fromkeys(source for source in self.beside.split(",") if source and source != self.source)
        )

    @property
    def chosen_columns(self) -> tuple[str, ...]:
        return tuple(key for key in self.columns.split(",") if key)

    def link(self, path: str = "/leaderboard", **changes: str) -> str:
        """The address of this query with these changes, without defaults."""
        words = self.words(**changes)
        return f"{path}?{urlencode(words)}" if words else path

    def words(self, **changes: str) -> Mapping[str, str]:
        """The parameters that differ from their default, in a fixed order."""
        changed = replace(self, **changes)
        return {
            field.name: value
            for field in fields(changed)
            if (value := getattr(changed, field.name)) != field.default
        }

    def sorted_by(self, key: str) -> str:
        """The link of a column's header; a second click reverses the order."""
        return self.link(sort=f"-{key}" if self.sort == key else key)
