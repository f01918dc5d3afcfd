"""The leaderboard: one row per model, best first, with everything that a page or a program shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ratings.data.clusters import ClusteredVotes, StreamedVotes
from ratings.data.columns import Column
from ratings.data.counts import PairCounts
from ratings.errors import BadOption
from ratings.inference.fit import CONFIDENCE_LEVEL, Coefficient, Fit
from ratings.inference.ranks import better_beyond_doubt, joined_to_main, ranks_of, significance_bands
from ratings.models.bradley_terry import PRIOR, as_counts, bradley_terry

# Fewer battles than this and a model's row is provisional: against equal opponents the interval is then wider
# than ±124 points (1.96 * 173.7 * 2/sqrt 30), more than separates neighbours on any board.
MINIMUM_BATTLES = 30
MINIMUM_CLUSTERS = 10  # voters, or prompts: of fewer, not even the variance is known


@dataclass(frozen=True)
class Row:
    """One model with its rating, interval, ranks and counts.

    `rank` is 1 + the number of models that are better beyond doubt; `rank_low` to `rank_high` are the ranks possible.
    `lower` and `upper` bound the rating at the board's level; a rating or bound is infinite, or nan, where
    the battles set none. `provisional`: too few battles, or none that compare it with the main component; such a model
    has no ranks.
    """

    model: str
    rating: float
    lower: float
    upper: float
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    battles: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    provisional: bool
    design_effect: float | None = None  # the variance of the rating over that of independent votes

    def line(self, width: int) -> str:
        """The row as text, the name padded to `width`."""
        spread = "" if self.rank is None else f"{self.rank_low}–{self.rank_high}"
        name = f"{self.model:{width}}"
        interval = f"[{self.lower:7.1f}, {self.upper:7.1f}]"
        mark = "  provisional" if self.provisional else ""
        return (
            f"{self.rank or '–':>4} {spread:>7}  {name}  {self.rating:7.1f}  {interval}  {self.battles:>7,}{mark}"
        )


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
            "models": [_plain(row) for row in self.rows],
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
    minimum_battles: int = MINIMUM_BATTLES,
    minimum_clusters: int = MINIMUM_CLUSTERS,
    clusters: ClusteredVotes | StreamedVotes | None = None,
) -> Leaderboard:
    """The leaderboard of the models of `PairCounts`, or of three columns of battles.

    `fit` gives the ratings of any method for the same models; without it the board uses `bradley_terry` with
    the default prior. A model without battles is not on the board. `level` is that of intervals and ranks; a model with
    fewer than `minimum_battles`, or of fewer than `minimum_clusters` (where `clusters` are given), is provisional and
    has no rank. Counts without battles give a board without rows. `clusters` has the same votes by cluster.

    The result is the same for any order of models or rows, to the last bit. Raises BadOption when
    `fit` rates other models, and what `bradley_terry` raises.
    """
    counts = _in_order(as_counts(model_a, model_b, winner))
    if not counts.models:
        return Leaderboard((), "bradley_terry", {"prior": PRIOR, "level": level}, (), 0)
    fit = bradley_terry(counts, prior=PRIOR, clusters=clusters) if fit is None else _of_models(fit, counts.models)
    totals = counts.totals()
    few = (totals.sum(axis=1) < minimum_battles) | ~joined_to_main(fit, counts)
    if clusters is not None:
        few |= clusters.over(counts.models).clusters_of_models() < minimum_clusters
    better = better_beyond_doubt(fit, level, counts=counts, ranked=~few)
    ranks = ranks_of(better, fit, counts, ~few)
    lower, upper = fit.interval(level)
    rows = []
    for m, model in enumerate(fit.models):
        rank, low, high = (None if few[m] else int(of[m]) for of in (ranks.rank, ranks.low, ranks.high))
        numbers = float(fit.ratings[m]), float(lower[m]), float(upper[m])
        wins, losses, ties, both_bad = totals[m].tolist()
        battles = wins + losses + ties + both_bad
        effect = None if fit.design_effect is None else float(fit.design_effect[m])
        counted = battles, wins, losses, ties, both_bad
        rows.append(Row(model, *numbers, rank, low, high, *counted, bool(few[m]), effect))
    rows.sort(key=lambda row: (math.isnan(row.rating), -row.rating, row.model))
    place_of = {model: number for number, model in enumerate(fit.models)}
    bands = significance_bands(better, [place_of[row.model] for row in rows], ~few)
    parameters = {**fit.parameters, "level": level}
    return Leaderboard(
        tuple(rows), fit.method, parameters, fit.components, counts.battles, fit.coefficients, bands
    )


def _of_models(fit: Fit, models: tuple[str, ...]) -> Fit:
    """The fit of these models in this order. Raises BadOption when it lacks one."""
    missing = set(models) - set(fit.models)
    if missing:
        raise BadOption(f"the fit does not rate {', '.join(sorted(missing))}. Fit the same counts.")
    return fit.of(models)


def _in_order(counts: PairCounts) -> PairCounts:
    """The same counts of the models with battles, in order of name and with one row per ordered pair: sums round alike."""
    met = np.flatnonzero(counts.totals().any(axis=1)).tolist()
    order, size = sorted(met, key=counts.models.__getitem__), len(met)
    index = np.zeros(len(counts.models), dtype=np.int64)
    index[order] = np.arange(size)
    rows = counts.table.any(axis=1)
    pairs, row = np.unique(index[counts.model_a[rows]] * size + index[counts.model_b[rows]], return_inverse=True)

    def added(cells: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.stack([np.bincount(row, column, len(pairs)) for column in cells[rows].T], axis=1)

    weights = None if counts.weights is None else added(counts.weights)
    squares = None if counts.squares is None else added(counts.squares)
    wins, losses, ties, both_bad = added(counts.table).astype(np.int64).T
    names = tuple(counts.models[m] for m in order)
    a, b = pairs // max(size, 1), pairs % max(size, 1)
    return PairCounts(names, a, b, wins, losses, ties, both_bad, weights, squares)


def _plain(row: Row) -> dict[str, object]:
    """A row for JSON. A board of independent votes has no design effects."""
    plain = {key: _finite(value) for key, value in asdict(row).items()}
    if row.design_effect is None:
        del plain["design_effect"]
    return plain


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
