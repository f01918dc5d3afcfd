"""The columns of the leaderboard: value, text and sort order of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ratings
from arena.leaderboards.model_facts import Facts
from arena.rules.messages import gettext_noop
from arena.web.board_query import BY_RATING
from arena.web.locales import gettext as _

Value = str | float | None


@dataclass(frozen=True)
class BoardRow:
    """A model: its row on this board, its rows on other boards by source, and its facts."""

    row: ratings.Row
    facts: Facts
    band: int = 0
    retired: bool = False
    others: Mapping[str, ratings.Row] = field(default_factory=dict)

    @property
    def rating(self) -> str:
        return f"{self.row.rating:.0f}"

    @property
    def interval(self) -> str:
        """The ends of the interval as text."""
        return interval_text(self.row)

    @property
    def spread(self) -> str:
        """The possible ranks as text; empty where there is only one."""
        low, high = self.row.rank_low, self.row.rank_high
        return "" if low == high else f"{low}–{high}"

    @property
    def rank(self) -> str:
        """The rank as text; a dash where the votes are too few for one."""
        return "–" if self.row.rank is None else str(self.row.rank)

    @property
    def win_rate(self) -> float | None:
        """Share of its battles that the model won; ties and both bad count half."""
        r = self.row
        return (r.wins + (r.ties + r.both_bad) / 2) / r.battles if r.battles else None


def interval_text(row: ratings.Row) -> str:
    """The ends of a row's interval, or a dash where it has none."""
    return f"{row.lower:.0f}–{row.upper:.0f}" if row.lower == row.lower else "–"


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
    return f"{_decimals(facts.prompt_price)} / {_decimals(facts.completion_price)}"


def _decimals(value: float) -> str:
    """A number with two decimals, or as many as it has, so that those of a column stand below one another.

    >>> _decimals(0.2), _decimals(0.075)
    ('0.20', '0.075')
    """
    return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"


COLUMNS = (
    _number(
        "votes",
        gettext_noop("Votes"),
        lambda r: r.row.battles,
        "{:,}",
        title=gettext_noop("votes on the model's battles"),
    ),
    _number(
        "win_rate",
        gettext_noop("Win rate"),
        lambda r: r.win_rate,
        "{:.0%}",
        title=gettext_noop("share of all its battles; ties count half"),
    ),
    _number(
        "design_effect",
        gettext_noop("Design effect"),
        lambda r: r.row.design_effect,
        "{:.1f}",
        title=gettext_noop("variance of the rating over that of independent votes"),
        usual=False,
    ),
    _word("organisation", gettext_noop("Organisation"), lambda r: r.facts.organisation),
    _word("licence", gettext_noop("Licence"), lambda r: r.facts.licence),
    Column(
        "size",
        gettext_noop("Size"),
        lambda r: r.facts.parameters,
        lambda r: size_text(r.facts.parameters),
        title=gettext_noop("parameters"),
    ),
    _number(
        "context",
        gettext_noop("Context"),
        lambda r: r.facts.context,
        "{:,}",
        title=gettext_noop("tokens"),
        usual=False,
    ),
    Column(
        "price",
        gettext_noop("USD / M"),
        lambda r: r.facts.price,
        lambda r: price_text(r.facts),
        title=gettext_noop("USD per million tokens, prompt / completion; sorted by a mean weighted three to one"),
    ),
    _number(
        "latency",
        gettext_noop("First token"),
        lambda r: r.facts.latency,
        "{:.2f} s",
        title=gettext_noop("median seconds to the first token in recent battles"),
    ),
    _number(
        "speed",
        gettext_noop("Tokens/s"),
        lambda r: r.facts.speed,
        "{:.0f}",
        title=gettext_noop("median generation speed"),
        usual=False,
    ),
    _number(
        "energy",
        gettext_noop("Wh / 1000"),
        lambda r: r.facts.energy,
        "{:.3g}",
        title=gettext_noop("watt-hours for 1000 tokens of completion"),
    ),
    Column(
        "released",
        gettext_noop("Released"),
        lambda r: r.facts.released.isoformat() if r.facts.released else None,
        lambda r: r.facts.released.isoformat() if r.facts.released else "–",
        usual=False,
    ),
    _number("won", gettext_noop("Won"), lambda r: r.row.wins, "{:,}", usual=False),
    _number("lost", gettext_noop("Lost"), lambda r: r.row.losses, "{:,}", usual=False),
    _number("tied", gettext_noop("Tied"), lambda r: r.row.ties, "{:,}", usual=False),
    _number("both_bad", gettext_noop("Both bad"), lambda r: r.row.both_bad, "{:,}", usual=False),
)
KEYS = tuple(column.key for column in COLUMNS)
MAJOR = ("votes", "price", "organisation")  # shown on a phone unless columns are chosen

FIXED: Mapping[str, Callable[[BoardRow], Value]] = {
    "model": lambda r: r.row.model.casefold(),
    "rating": lambda r: r.row.rating,
}


def shown(rows: list[BoardRow], chosen: tuple[str, ...]) -> list[Column]:
    """The chosen columns in table order; by default, the usual ones that are not empty."""
    if chosen:
        return [column for column in COLUMNS if column.key in chosen]
    return [column for column in COLUMNS if column.usual and any(column.value(row) is not None for row in rows)]


def sort_choices(columns: Sequence[Column], others: Mapping[str, str]) -> dict[str, str]:
    """The orders to choose from, by the value of `sort`: the shown columns, high first and low first."""
    choices = {
        "": _("Rank"),
        "rating": _low(_("Rating")),
        "model": _first(_("Model")),
        "-model": _last(_("Model")),
    }
    for key, label in {f"by:{source}": label for source, label in others.items()}.items():
        choices |= {f"-{key}": _high(label), key: _low(label)}
    for column in columns:
        down, up = (_last, _first) if column.words else (_high, _low)
        pair = {f"-{column.key}": down(_(column.label)), column.key: up(_(column.label))}
        choices |= dict(reversed(pair.items())) if column.words else pair
    return choices


def _high(label: str) -> str:
    return _("{column}, high first", column=label)


def _low(label: str) -> str:
    return _("{column}, low first", column=label)


def _first(label: str) -> str:
    return _("{column}, A to Z", column=label)


def _last(label: str) -> str:
    return _("{column}, Z to A", column=label)


def in_order(rows: list[BoardRow], sort: str) -> list[BoardRow]:
    """Rows sorted by a column's key, with `-` before it in descending order; unknown values are last in both.

    Without a key, or with an unknown one, rows are sorted by rating; so they are by rank.
    """
    if sort in BY_RATING:
        return rows
    if sort == "-rank":
        return rows[::-1]
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
