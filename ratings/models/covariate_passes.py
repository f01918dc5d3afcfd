"""Passes over battles with covariates: sums over all of them at one estimate, for `contextual`.

With x = (+1 at A, -1 at B, z) and p = expit(xi_A - xi_B + z'g) the sums are of w (y - p) x, the gradient, and of
v x x', second moments, with v the information w p (1 - p), the weight w or the squared score (w (y - p))².
Each is a loop in C where that was built, and numpy on chunks of battles otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.data import compiled
from ratings.data.battles import Battles
from ratings.data.columns import Codes
from ratings.data.counts import Floats
from ratings.data.outcomes import SCORES

CHUNK = 1 << 14  # battles at a time: their covariates and probabilities stay in the cache

Sums = tuple[Floats, Floats, Floats]  # of v, v z and v z z': (models, models, 2), (models, 2, k), (2, k, k)


@dataclass(frozen=True, eq=False)
class Chunk:
    """A block of battles (n,) with their covariates, one array (n,) each."""

    rows: slice
    a: Codes
    b: Codes
    covariates: tuple[Floats, ...]
    outcome: NDArray[np.uint8]
    weight: Floats | None

    @property
    def each_weight(self) -> Floats | float:
        """The weights (n,), or one for all."""
        return 1.0 if self.weight is None else self.weight

    def score(self, p: Floats) -> Floats:
        """(n,): the weighted score w (y - p) of each battle."""
        return np.asarray(self.each_weight * (SCORES[self.outcome] - p))

    def passage(self, estimate: Floats) -> tuple[object, ...]:
        """The arguments that the compiled loops take."""
        a, b = compiled.as_int32(self.a), compiled.as_int32(self.b)
        return a, b, np.ascontiguousarray(self.outcome), self.weight, self.covariates, estimate


@dataclass(frozen=True, eq=False)
class Passes:
    """The battles with their covariates (battles,) and weights (battles,) or None, as contiguous floats.

    An estimate (models + covariates,) has xi first, then g.
    """

    battles: Battles
    columns: tuple[Floats, ...]
    weights: Floats | None

    @property
    def size(self) -> int:
        """The number of models."""
        return len(self.battles.models)

    def chunks(self, every: int = 1) -> Iterator[Chunk]:
        """All battles in chunks, or only every n-th chunk."""
        battles = self.battles
        for start in range(0, len(battles), every * CHUNK):
            rows = slice(start, start + CHUNK)
            yield Chunk(
                rows=rows,
                a=battles.model_a[rows],
                b=battles.model_b[rows],
                covariates=tuple(column[rows] for column in self.columns),
                outcome=battles.outcome[rows],
                weight=None if self.weights is None else self.weights[rows],
            )

    def probability(self, chunk: Chunk, estimate: Floats) -> Floats:
        """(n,): P(A beats B) in the battles of a chunk."""
        odds = estimate[chunk.b] - estimate[chunk.a]
        for weight, column in zip(estimate[self.size :], chunk.covariates, strict=True):
            odds -= weight * column
        np.minimum(odds, 700.0, out=odds)  # beyond, exp would leave the range of floats
        np.exp(odds, out=odds)
        odds += 1.0
        return np.reciprocal(odds, out=odds)

    def gradient(self, estimate: Floats) -> Floats:
        """(models + covariates,): the sum over battles of w (y - p) x."""
        total = np.zeros(len(estimate))
        for chunk in self.chunks():
            if compiled.LOOPS is None:
                self._add_gradient(chunk, estimate, total)
            else:
                compiled.LOOPS.gradient(chunk.passage(estimate), total)
        return total

    def moments(self, estimate: Floats, *, squared: bool, every: int = 1) -> tuple[Floats, Floats]:
        """The sums over battles of v x x', (models + covariates, models + covariates), for two kinds of v.

        The first has the information for v, the second the squared score, or else the weight. With `every` above one
        they come from every n-th chunk, scaled up to all battles.
        """
        size, extra = self.size, len(self.columns)
        sums = np.zeros((size, size, 2)), np.zeros((size, 2, extra)), np.zeros((2, extra, extra))
        seen = 0
        for chunk in self.chunks(every):
            seen += len(chunk.a)
            if compiled.LOOPS is None:
                self._add_moments(chunk, estimate, squared, sums)
            else:
                compiled.LOOPS.outer(chunk.passage(estimate), squared, *sums)
        information, beside = (self._assembled(sums, which) * (len(self.battles) / seen) for which in (0, 1))
        return information, beside

    def scores(self, estimate: Floats) -> Floats:
        """(battles,): w (y - p) of each battle."""
        return np.concatenate([chunk.score(self.probability(chunk, estimate)) for chunk in self.chunks()])

    def cluster_meat(self, estimate: Floats, groups: NDArray[np.int64]) -> Floats:
        """The sum over clusters of (sum of scores)(sum of scores)', with the factor C / (C - 1)."""
        many = int(groups.max()) + 1
        summed = np.zeros((many, self.size + len(self.columns)))
        for chunk in self.chunks():
            score = chunk.score(self.probability(chunk, estimate))
            group = groups[chunk.rows]
            np.add.at(summed, (group, chunk.a), score)
            np.add.at(summed, (group, chunk.b), -score)
            for k, column in enumerate(chunk.covariates):
                np.add.at(summed[:, self.size + k], group, score * column)
        return np.asarray(summed.T @ summed * (many / (many - 1)))

    def _add_gradient(self, chunk: Chunk, estimate: Floats, total: Floats) -> None:
        score = chunk.score(self.probability(chunk, estimate))
        total[: self.size] += np.bincount(chunk.a, score, self.size)
        total[: self.size] -= np.bincount(chunk.b, score, self.size)
        total[self.size :] += [column @ score for column in chunk.covariates]

    def _add_moments(self, chunk: Chunk, estimate: Floats, squared: bool, sums: Sums) -> None:
        pairs, cross, square = sums
        p = self.probability(chunk, estimate)
        weight = np.broadcast_to(chunk.each_weight, p.shape)
        key = chunk.a.astype(np.intp) * self.size + chunk.b
        z = np.stack(chunk.covariates)
        for which, v in enumerate((weight * p * (1 - p), np.square(chunk.score(p)) if squared else weight)):
            np.add.at(pairs.reshape(-1, 2)[:, which], key, v)
            product = v * z
            for k in range(len(z)):
                cross[:, which, k] += np.bincount(chunk.a, product[k], self.size)
                cross[:, which, k] -= np.bincount(chunk.b, product[k], self.size)
            square[which] += np.triu(product @ z.T)

    def _assembled(self, sums: Sums, which: int) -> Floats:
        """The moments (models + covariates, twice) from the sums by pair of models and by model."""
        size = self.size
        pairs, cross, square = sums[0][:, :, which], sums[1][:, which], sums[2][which]
        total = np.empty((size + len(self.columns),) * 2)
        weights = pairs + pairs.T
        total[:size, :size] = np.diag(weights.sum(axis=1)) - weights
        total[:size, size:] = cross
        total[size:, :size] = cross.T
        total[size:, size:] = square + np.triu(square, 1).T
        return total
