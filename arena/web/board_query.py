"""The address of a leaderboard. Every control of the page is a query parameter, so each view has a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from arena.leaderboards.query import BoardChoice
from arena.rules.votes import HUMAN, OVERALL

SIZES = {"1B": 1e9, "4B": 4e9, "10B": 10e9, "40B": 40e9, "100B": 100e9}
PRICES = {"0.1": 0.1, "0.5": 0.5, "1": 1.0, "5": 5.0, "20": 20.0}
UNKNOWN_LICENCE = "unknown"
BY_RATING = ("", "rank", "-rating")  # the orders of a leaderboard, best first


@dataclass(frozen=True)
class BoardQuery:
    """The reader's choices. `columns` and `beside` are comma-separated lists; empty means the default.

    `models` are those to compare, or to show in a plot. `draw=all` draws every model in a heat map.
    """

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
    retired: str = ""  # hide
    plot: str = ""  # the selected plot
    draw: str = ""
    models: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Iterable[tuple[str, str]]) -> BoardQuery:
        """The query of an address. Repeated parameters (checkboxes) are joined.

        Unknown parameters are ignored, so old links still open a board.
        """
        names = {field.name for field in fields(cls)}
        words: dict[str, Any] = {}
        for name, value in given:
            if name == "models" and value:
                words[name] = tuple(dict.fromkeys((*words.get(name, ()), value)))
            elif name in names and value:
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

    def finds(self, model: str, organisation: str | None) -> bool:
        """Whether the search finds a model: each word is in its name or its organisation."""
        words = f"{model} {organisation or ''}".casefold()
        return all(word in words for word in self.q.casefold().split())

    def link(self, path: str = "/leaderboard", **changes: Any) -> str:
        """The address of this query with these changes, without defaults."""
        words = self.words(**changes)
        return f"{path}?{urlencode(words, doseq=True)}" if words else path

    def words(self, **changes: Any) -> Mapping[str, Any]:
        """The parameters that differ from their default, in a fixed order."""
        changed = replace(self, **changes)
        return {
            field.name: value
            for field in fields(changed)
            if (value := getattr(changed, field.name)) != field.default
        }

    @property
    def order(self) -> str:
        """The sort key as it is in the table's head: the default is the rating, high first."""
        return "-rating" if self.sort in BY_RATING else self.sort

    def sorted_by(self, key: str, alphabetical: bool = False) -> str:
        """The link of a column's header: high first, or A first; a second click reverses the order."""
        first, second = (key, f"-{key}") if alphabetical else (f"-{key}", key)
        wanted = second if self.order == first else first
        return self.link(sort="" if wanted in BY_RATING else wanted)
