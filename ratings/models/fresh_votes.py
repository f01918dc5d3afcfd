"""Ratings of models that were chosen among several variants by their votes, from the votes after the choice.

Whoever tests N variants and publishes the best one publishes the highest of N estimates, which is too high:

    E[max_k (xi_k + e_k)] > max_k xi_k,    for N equal variants by  E[max of N standard normals] * error

Votes after the choice are free of it, whatever N was and however the variants differ. So votes before it on a chosen model
are left out, on both sides, and the board shows by how much the rating falls.
Source of the problem: Singh et al., The Leaderboard Illusion, arXiv 2504.20879, section 3. The correction is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import quad
from scipy.special import log_ndtr

from ratings.data.clusters import ClusteredVotes, StreamedVotes
from ratings.data.counts import PairCounts
from ratings.errors import BadOption
from ratings.inference.fit import Fit
from ratings.models.bradley_terry import PRIOR, bradley_terry

MOST_VARIANTS = 1_000_000


@dataclass(frozen=True)
class Chosen:
    """A model that was the best of `variants`: `stale` of its `battles` were before the choice.

    `excess` is the rating from all votes less that from fresh ones, in points, and `expected` what N equal variants would
    lead to.
    """

    model: str
    variants: int
    battles: int
    stale: int
    excess: float
    expected: float


@dataclass(frozen=True, eq=False)
class FreshRatings:
    """The fit of the fresh votes, that of all votes, and what the choice was worth to each chosen model."""

    fit: Fit
    every: Fit
    chosen: tuple[Chosen, ...]

    def __str__(self) -> str:
        lines = [
            f"{row.model}, best of {row.variants}: {row.excess:+.1f} points by {row.stale} of {row.battles} battles "
            f"({row.expected:.1f} expected of equal variants)"
            for row in self.chosen
        ]
        return "\n".join([str(self.fit), *lines])

    __repr__ = __str__


def fresh_votes(
    every: PairCounts,
    fresh: PairCounts,
    variants: Mapping[str, int],
    *,
    prior: float = PRIOR,
    clusters: ClusteredVotes | StreamedVotes | None = None,
) -> FreshRatings:
    """Bradley–Terry ratings from the `fresh` ones of `every` vote, with ties as halves.

    `variants` (model -> N) names the models that were chosen, whose battles before the choice are not in `fresh`.
    `clusters` has the fresh votes by cluster, as in `bradley_terry`. Raises BadOption when both do not have the same
    models, a chosen one is not among them, `fresh` has more battles of a pair than `every`, or N is below 2, and what
    `bradley_terry` raises.
    """
    _check(every, fresh, variants)
    with_all = bradley_terry(every, prior=prior)
    fit = bradley_terry(fresh, prior=prior, clusters=clusters)
    played, left = (counts.totals().sum(axis=1) for counts in (every, fresh))
    rows = []
    for model, number in variants.items():
        m = every.models.index(model)
        share = 1 - float(left[m] / played[m]) if played[m] else 0.0
        expected = expected_maximum(number) * float(with_all.standard_errors[m]) * np.sqrt(share)
        excess = float(with_all.ratings[m] - fit.ratings[m])
        rows.append(Chosen(model, number, int(played[m]), int(played[m] - left[m]), excess, float(expected)))
    parameters = {**fit.parameters, "variants": dict(variants)}
    return FreshRatings(replace(fit, method="fresh_votes", parameters=parameters), with_all, tuple(rows))


def expected_maximum(number: int) -> float:
    """The expected maximum of so many standard normal variables.

    >>> [round(expected_maximum(n), 4) for n in (1, 2, 10)]
    [0.0, 0.5642, 1.5388]
    """
    above, _ = quad(lambda x: -np.expm1(number * log_ndtr(x)), 0, 12)
    below, _ = quad(lambda x: np.exp(number * log_ndtr(x)), -12, 0)
    return float(above - below)


def _check(every: PairCounts, fresh: PairCounts, variants: Mapping[str, int]) -> None:
    if every.models != fresh.models:
        raise BadOption("fresh votes are on other models than all votes. Count both over the same models.")
    if not variants:
        raise BadOption("no model was chosen among variants. Use bradley_terry.")
    for model, number in variants.items():
        if model not in every.models:
            raise BadOption(f"{model!r} is not among the {len(every.models)} models. Name a model with votes.")
        if not 2 <= number <= MOST_VARIANTS:
            raise BadOption(f"{number} variants of {model!r}. Give at least two, the published one among them.")
    of_all, of_fresh = (counts.matrix(counts.table.sum(axis=1)) for counts in (every, fresh))
    if (of_fresh > of_all).any():
        raise BadOption("some pair has more fresh votes than votes. Take the fresh ones from all votes.")
