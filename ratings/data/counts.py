"""Pair counts: how often each ordered pair of models met, and with which outcomes.

Ratings, intervals and ranks without covariates need nothing else, so that five million battles become at most
`models * (models - 1)` rows once, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.data.battles import Battles, checked_models, read_battles
from ratings.data.columns import Column
from ratings.data.numbers import numbers
from ratings.data.outcomes import A_WINS, B_WINS, BOTH_BAD, OUTCOMES, TIE
from ratings.errors import BadOption, LengthMismatch, MissingValue, SelfBattle

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts of outcomes with one row per ordered pair that met; `wins` are those of `model_a`.

    `model_a`, `model_b` (rows,) are indices into `models`; `wins`, `losses`, `ties`, `both_bad` (rows,) count
    battles. A model may have no row: its rating is then the prior's. Rows of the same pair add up. `table`
    (rows, 4) holds the four as floats, `pairs` (rows,) is `model_a * models + model_b`.
    `weights` and `squares` (rows, 4) are the sums of the battles' weights and of their squares per outcome;
    without weights both are the counts.

    Raises LengthMismatch, SelfBattle, and BadOption for an index that is not in `models`, a count below zero or a
    name that is listed twice.
    """

    models: tuple[str, ...]
    model_a: NDArray[Any]
    model_b: NDArray[Any]
    wins: NDArray[Any]
    losses: NDArray[Any]
    ties: NDArray[Any]
    both_bad: NDArray[Any]
    weights: Floats | None = None
    squares: Floats | None = None
    table: Floats = field(init=False, repr=False)
    pairs: NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        put = object.__setattr__  # the class is frozen: this is how it fills itself
        put(self, "models", checked_models(self.models))
        for name in ("model_a", "model_b", "wins", "losses", "ties", "both_bad"):
            if np.ma.is_masked(getattr(self, name)):
                raise BadOption(f"{name} has masked values. Drop these rows, or fill in their counts.")
            put(self, name, np.asarray(getattr(self, name)))
        columns = (self.wins, self.losses, self.ties, self.both_bad)
        if len({len(column) for column in (self.model_a, self.model_b, *columns)}) > 1:
            raise LengthMismatch("the columns of PairCounts differ in length. Give one value per row in each.")
        table = np.empty((len(columns), len(self.model_a)))
        for outcome, column in enumerate(columns):
            table[outcome] = column
        put(self, "table", table.T)
        self._check()
        put(self, "pairs", self.model_a.astype(np.int64) * len(self.models) + self.model_b)

    def _check(self) -> None:
        for name, column in (("model_a", self.model_a), ("model_b", self.model_b)):
            if column.size and not (column.min() >= 0 and column.max() < len(self.models)):
                row = int(np.argmax((column < 0) | (column >= len(self.models))))
                raise BadOption(
                    f"row {row}: {name} is {column[row]}; there are {len(self.models)} models. Give their indices."
                )
        if (self.model_a == self.model_b).any():
            row = int(np.argmax(self.model_a == self.model_b))
            raise SelfBattle(f"row {row}: {self.models[self.model_a[row]]!r} against itself. Drop such rows.")
        if self.table.size and not self.table.min() >= 0:  # nor is nan
            row, outcome = np.argwhere(~(self.table >= 0))[0]
            raise BadOption(f"row {row}: {self.table[row, outcome]:g} battles with outcome "
                            f"{OUTCOMES[outcome].name}. Give counts of zero or more.")  # fmt: skip

    def __repr__(self) -> str:
        weighted = "" if self.weights is None else ", weighted"
        return f"PairCounts({len(self.models)} models, {len(self.pairs)} rows, {self.battles:,} battles{weighted})"

    @property
    def battles(self) -> int:
        """The number of battles."""
        return round(float(self.table.sum()))

    @property
    def weighted(self) -> Floats:
        """(rows, 4): the summed weights of each outcome; the counts where there are no weights."""
        return self.table if self.weights is None else self.weights

    @property
    def weighted_squares(self) -> Floats:
        """(rows, 4): the summed squares of the weights; the counts where there are no weights."""
        return self.table if self.squares is None else self.squares

    def matrix(self, values: Floats) -> Floats:
        """(models, models): one value per row, added up at [model_a, model_b]."""
        size = len(self.models)
        return np.asarray(np.bincount(self.pairs, values, size * size).reshape(size, size), dtype=np.float64)

    def totals(self) -> NDArray[np.int64]:
        """(models, 4): how many battles each model won, lost and tied, and in how many both were bad."""
        size = len(self.models)
        totals = np.zeros((size, len(OUTCOMES)))
        mirrored = (B_WINS, A_WINS, TIE, BOTH_BAD)  # A's win is B's loss
        for outcome in range(len(OUTCOMES)):
            totals[:, outcome] += np.bincount(self.model_a, self.table[:, outcome], size)
            totals[:, outcome] += np.bincount(self.model_b, self.table[:, mirrored[outcome]], size)
        return np.rint(totals).astype(np.int64)


def count_pairs(
    model_a: Column,
    model_b: Column = None,
    winner: Column = None,
    *,
    weight: Column | None = None,
    models: Sequence[str] | None = None,
) -> PairCounts:
    """The pair counts of three columns with one battle per row, or of a table with these columns.

    Columns are lists, numpy arrays, pandas or polars Series, or Arrow arrays; `winner` holds model_a, model_b,
    tie, both_bad. `weight` (battles,) gives each battle a weight >= 0: a sampling weight, which moves ratings
    but does not count as more votes. Raises BadOption for such a weight, and what `read_battles` raises.
    """
    return tabulate(read_battles(model_a, model_b, winner, models=models), weight)


def tabulate(battles: Battles, weight: Column | None = None) -> PairCounts:
    """The pair counts of battles that are already coded, with the optional weights (battles,).

    Raises as `checked_weights`.
    """
    size = len(battles.models)
    a = battles.pairs // size
    b = battles.pairs - a * size  # a remainder takes ten times as long
    wins, losses, ties, both_bad = battles.outcome_counts.T
    weights = squares = None
    if weight is not None:
        weights, squares = _weighted_counts(battles, checked_weights(weight, len(battles)))
    return PairCounts(battles.models, a, b, wins, losses, ties, both_bad, weights, squares)


def checked_weights(weight: Column, rows: int) -> Floats:
    """The weights as floats (rows,).

    Raises LengthMismatch; MissingValue, or BadOption for a weight below zero or infinite, with the row; and BadOption
    when all are zero.
    """
    weights = numbers(weight, "weight")
    if weights.shape != (rows,):
        raise LengthMismatch(f"{rows} battles but weights of shape {weights.shape}. Give one weight per battle.")
    if np.isnan(weights).any():
        raise MissingValue(f"row {int(np.argmax(np.isnan(weights)))}: the weight is missing. Give zero or more.")
    wrong = ~((weights >= 0) & np.isfinite(weights))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadOption(f"row {row}: weight {weights[row]:g} is out of range. Give a finite weight, zero or more.")
    if not weights.any():
        raise BadOption("all weights are zero: there is nothing to rate from. Give at least one above zero.")
    return weights


def inverse_probability_weights(counts: PairCounts, *, least: float = 50.0) -> PairCounts:
    """The counts reweighted as if every pair of models had met equally often.

    Every battle of an unordered pair with n battles gets weight 1 / max(n, least), scaled to a mean of the order of
    one: pairs are sampled with unequal probability, and n / N estimates it. `least` bounds the weights.
    Source: Chiang et al., arXiv 2403.04132, eq. 7; the bound of 50 is that of its later implementation.
    Raises BadOption for least <= 0.
    """
    if not least > 0:
        raise BadOption(f"least {least:g} is out of range. Give a number of battles above zero.")
    ordered = counts.matrix(counts.table.sum(axis=1))
    battles = (ordered + ordered.T)[counts.model_a, counts.model_b]
    weight = 1.0 / np.maximum(battles, least)
    weight = weight[:, None] * (len(weight) / weight.sum())  # of the order of one: the prior is in these units
    return replace(counts, weights=counts.weighted * weight, squares=counts.weighted_squares * np.square(weight))


def _weighted_counts(battles: Battles, weight: Floats) -> tuple[Floats, Floats]:
    """(pairs, 4) twice: the sums of weights and of squared weights."""
    kinds = len(OUTCOMES)
    pair = battles.model_a.astype(np.int64) * len(battles.models) + battles.model_b
    key = np.searchsorted(battles.pairs, pair) * kinds + battles.outcome
    length = len(battles.pairs) * kinds
    summed, squared = (np.bincount(key, power, length).astype(np.float64) for power in (weight, weight * weight))
    return np.asarray(summed.reshape(-1, kinds)), np.asarray(squared.reshape(-1, kinds))
