"""The columns of the leaderboard: value, text and sort order of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ratings
from arena.leaderboards.model_facts import Facts

Value = str | float | None


@dataclass(frozen=True)
class BoardRow:
    """A model: its row on this board, its rows on other boards by source, and its facts."""

    row: ratings.Row
    facts: Facts
    others: Mapping[str, ratings.Row] = field(default_factory=dict)

    @property
    def win_rate(self) -> float | None:
        """Share of its battles that the model won; ties and both bad count half."""
        r = self.row
        return (r.wins + (r.ties + r.both_bad) / 2) / r.battles if r.battles else None


@dataclass(frozen=True)
class Column:
    """`value` sorts, `text` is shown. `usual` columns are shown by default when they hold a value."""

    key: str
    label: str
    value: Callable[[BoardRow], Value]
    text: Callable[[BoardRow], str]
    usual: bool = True
    title: str = ""
    words: bool = False  # sorts alphabetically and is aligned left


def _number(key: str, label: str, value: Callable[[BoardRow], Any], form: str, **options: Any) -> Column:
    def text(row: BoardRow) -> str:
        number = value(row)
        return "–" if number is None else form.format(number)

    return Column(key, label, value, text, **options)


def _word(key: str, label: str, value: Callable[[BoardRow], str | None], **options: Any) -> Column:
    return Column(key, label, value, lambda row: value(row) or "–", words=True, **options)


def size_text(parameters: float | None) -> str:
    """A number of parameters, abbreviated: 135M, 7.6B."""
    if parameters is None:
        return "–"
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if parameters >= unit:
            return f"{parameters / unit:.3g}{letter}"
    return f"{parameters:,.0f}"


def price_text(facts: Facts) -> str:
    """Prompt and completion price in USD per million tokens."""
    if facts.prompt_price is None or facts.completion_price is None:
        return "–"
    return f"{facts.prompt_price:g} / {facts.completion_price:g}"


COLUMNS = (
    _number("votes", "Votes", lambda r: r.row.battles, "{:,}", title="votes on the model's battles"),
    _number("win_rate", "Win rate", lambda r: r.win_rate, "{:.0%}", title="share of all its battles; ties count half"),
    _word("organisation", "Organisation", lambda r: r.facts.organisation),
    _word("licence", "Licence", lambda r: r.facts.licence),
    Column("size", "Size", lambda r: r.facts.parameters, lambda r: size_text(r.facts.parameters), title="parameters"),
    _number("context", "Context", lambda r: r.facts.context, "{:,}", title="tokens", usual=False),
    Column("price", "USD / M", lambda r: r.facts.price, lambda r: price_text(r.facts),
           title="USD per million tokens, prompt / completion; sorted by a mean weighted three to one"),
    _number("latency", "First token", lambda r: r.facts.latency, "{:.2f} s",
            title="median seconds to the first token in recent battles"),
    _number("speed", "Tokens/s", lambda r: r.facts.speed, "{:.0f}", title="median generation speed", usual=False),
    _number("energy", "Wh / 1000", lambda r: r.facts.energy, "{:.3g}", title="watt-hours for 1000 tokens of completion"),
    Column("released", "Released", lambda r: r.facts.released.isoformat() if r.facts.released else None,
           lambda r: r.facts.released.isoformat() if r.facts.released else "–", usual=False),
    _number("won", "Won", lambda r: r.row.wins, "{:,}", usual=False),
    _number("lost", "Lost", lambda r: r.row.losses, "{:,}", usual=False),
    _number("tied", "Tied", lambda r: r.row.ties, "{:,}", usual=False),
    _number("both_bad", "Both bad", lambda r: r.row.both_bad, "{:,}", usual=False),
)  # fmt: skip
KEYS = tuple(column.key for column in COLUMNS)

FIXED: Mapping[str, Callable[[BoardRow], Value]] = {
    "rank": lambda r: r.row.rank,
    "model": lambda r: r.row.model.casefold(),
    "rating": lambda r: r.row.rating,
}


def shown(rows: list[BoardRow], chosen: tuple[str, ...]) -> list[Column]:
    """The chosen columns in table order; by default, the usual ones that are not empty."""
    if chosen:
        return [column for column in COLUMNS if column.key in chosen]
    return [column for column in COLUMNS if column.usual and any(column.value(row) is not None for row in rows)]


def in_order(rows: list[BoardRow], sort: str) -> list[BoardRow]:
    """Rows sorted by a column's key, with `-` before it in descending order; unknown values are last in both.

    Without a key, or with an unknown one, rows are sorted by rating.
    """
    key, down = sort.removeprefix("-"), sort.startswith("-")
    value = _sorting(key)
    if value is None:
        return rows
    valued = [row for row in rows if value(row) is not None]
    unknown = [row for row in rows if value(row) is None]
    return sorted(valued, key=lambda row: _ordered(value(row)), reverse=down) + unknown


def _sorting(key: str) -> Callable[[BoardRow], Value] | None:
    if key.startswith("by:"):
        source = key.removeprefix("by:")
        return lambda row: row.others[source].rating if source in row.others else None
    return FIXED.get(key) or {column.key: column.value for column in COLUMNS}.get(key)


def _ordered(value: Value) -> Any:
    return value.casefold() if isinstance(value, str) else value
