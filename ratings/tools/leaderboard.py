"""The leaderboard: one row per model, best first, with everything that a page or a program shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ratings.data.columns import Column
from ratings.data.counts import PairCounts
from ratings.errors import BadOption
from ratings.inference.fit import CONFIDENCE_LEVEL, Coefficient, Fit
from ratings.inference.ranks import significance_bands, significance_ranks
from ratings.models.bradley_terry import PRIOR, as_counts, bradley_terry

# Fewer battles than this and a model's row is provisional: against equal opponents the interval is then wider
# than ±124 points (1.96 * 173.7 * 2/sqrt 30), more than separates neighbours on any board.
PROVISIONAL = 30


@dataclass(frozen=True)
class Row:
    """One model with its rating, interval, ranks and counts.

    `rank` is 1 + the number of models that are significantly better; `rank_low` to `rank_high` are the ranks possible.
    `lower` and `upper` bound the rating at the board's level; a rating or bound is infinite, or nan, where
    the battles set none. `provisional`: too few battles, or none that compare it with the main component.
    """

    model: str
    rating: float
    lower: float
    upper: float
    rank: int
    rank_low: int
    rank_high: int
    battles: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    provisional: bool

    def line(self, width: int) -> str:
        """The row as text, the name padded to `width`."""
        spread = f"{self.rank_low}–{self.rank_high}"
        name = f"{self.model:{width}}"
        interval = f"[{self.lower:7.1f}, {self.upper:7.1f}]"
        mark = "  provisional" if self.provisional else ""
        return f"{self.rank:>4} {spread:>7}  {name}  {self.rating:7.1f}  {interval}  {self.battles:>7,}{mark}"


@dataclass(frozen=True)
class Leaderboard:
    """Rows by rating, best first, with the method and parameters that gave them.

    `bands` has the number of each row's band: models that cannot be told apart from the first of their band.
    """

    rows: tuple[Row, ...]
    method: str
    parameters: Mapping[str, Any]
    components: tuple[tuple[str, ...], ...]
    battles: int
    coefficients: tuple[Coefficient, ...] = ()
    bands: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; None stands for what is infinite or unknown."""
        plain: dict[str, Any] = {
            "method": self.method,
            "parameters": dict(self.parameters),
            "battles": self.battles,
            "components": [list(names) for names in self.components],
            "models": [{key: _finite(value) for key, value in asdict(row).items()} for row in self.rows],
        }
        if self.coefficients:
            plain["style"] = {
                c.name: {"value": c.value, "lower": c.lower, "upper": c.upper} for c in self.coefficients
            }
        return plain

    def __str__(self) -> str:
        width = max((len(row.model) for row in self.rows), default=5)
        options = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        lines = [
            f"{self.method} on {self.battles:,} battles" + (f" ({options})" if options else ""),
            f"{'rank':>4} {'spread':>7}  {'model':{width}}  {'rating':>7}  {'interval':^18}  battles",
        ]
        lines += [row.line(width) for row in self.rows]
        lines += [f"{c.name}: {c.value:.4f} [{c.lower:.4f}, {c.upper:.4f}]" for c in self.coefficients]
        if len(self.components) > 1:
            lines.append(f"{len(self.components)} components: no battles compare models across them.")
        return "\n".join(lines)

    __repr__ = __str__


def leaderboard(
    model_a: Column | PairCounts,
    model_b: Column = None,
    winner: Column = None,
    *,
    fit: Fit | None = None,
    level: float = CONFIDENCE_LEVEL,
    provisional: int = PROVISIONAL,
) -> Leaderboard:
    """The leaderboard of the models of `PairCounts`, or of three columns of battles.

    `fit` gives the ratings of any method for the same models; without it the board uses `bradley_terry` with
    the default prior, so a model without battles has rating 1000 with the interval of the prior. `level` is
    that of intervals and ranks; a model with fewer than `provisional` battles is marked so.
    Counts without models give a board without rows.

    The result is the same for any order of models or rows, to the last bit. Raises BadOption when
    `fit` rates other models, and what `bradley_terry` raises.
    """
    counts = _in_order(as_counts(model_a, model_b, winner))
    if not counts.models:
        return Leaderboard((), "bradley_terry", {"prior": PRIOR, "level": level}, (), 0)
    fit = bradley_terry(counts, prior=PRIOR) if fit is None else fit
    if set(fit.models) != set(counts.models):
        raise BadOption("the fit rates other models than the counts hold. Fit the same counts.")
    totals = dict(zip(counts.models, counts.totals().tolist(), strict=True))
    lower, upper = fit.interval(level)
    ranks = significance_ranks(fit, level)
    rows = []
    for m, model in enumerate(fit.models):
        wins, losses, ties, both_bad = totals[model]
        battles = wins + losses + ties + both_bad
        numbers = float(fit.ratings[m]), float(lower[m]), float(upper[m])
        ranks_shown = int(ranks.rank[m]), int(ranks.low[m]), int(ranks.high[m])
        few = battles < provisional or bool(fit.component[m] != 0)
        rows.append(Row(model, *numbers, *ranks_shown, battles, wins, losses, ties, both_bad, few))
    rows.sort(key=lambda row: (math.isnan(row.rating), -row.rating, row.model))
    parameters = {**fit.parameters, "level": level}
    place = {model: number for number, model in enumerate(fit.models)}
    bands = significance_bands(fit, [place[row.model] for row in rows], level)
    return Leaderboard(
        tuple(rows), fit.method, parameters, fit.components, counts.battles, fit.coefficients, bands
    )


def _in_order(counts: PairCounts) -> PairCounts:
    """The same counts with models in order of name and one row per ordered pair, so that sums round alike."""
    size = len(counts.models)
    order = sorted(range(size), key=counts.models.__getitem__)
    index = np.empty(size, dtype=np.int64)
    index[order] = np.arange(size)
    key = index[counts.model_a] * size + index[counts.model_b] if size else np.zeros(0, dtype=np.int64)
    pairs, row = np.unique(key, return_inverse=True)

    def added(cells: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.stack([np.bincount(row, column, len(pairs)) for column in cells.T], axis=1)

    weights = None if counts.weights is None else added(counts.weights)
    squares = None if counts.squares is None else added(counts.squares)
    wins, losses, ties, both_bad = added(counts.table).astype(np.int64).T
    names = tuple(counts.models[m] for m in order)
    a, b = pairs // size, pairs % size
    return PairCounts(names, a, b, wins, losses, ties, both_bad, weights, squares)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
