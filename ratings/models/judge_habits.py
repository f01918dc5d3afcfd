"""Davidson's model of the votes of one source, people or a judge, with the habits of a judge as parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ratings.data.battles import Battles
from ratings.data.clusters import ClusteredVotes, StreamedVotes
from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import BOTH_BAD, OUTCOMES, TIE
from ratings.inference.fit import Fit
from ratings.models.pair_likelihood import PairLikelihood, fit_pairs
from ratings.models.ties import multinomial_logit


def one_row_each(battles: Battles, rows: NDArray[np.int64]) -> PairCounts:
    """Counts with one row per battle, so that each may have its own covariates."""
    table = np.zeros((len(rows), len(OUTCOMES)))
    table[np.arange(len(rows)), battles.outcome[rows]] = 1.0
    return PairCounts(battles.models, battles.model_a[rows], battles.model_b[rows], *table.T)


def votes_of_source(
    counts: PairCounts,
    covariates: Mapping[str, Floats],
    groups: NDArray[np.int64] | None,
    position: bool,
    prior: float,
    clusters: ClusteredVotes | StreamedVotes | None = None,
) -> Fit:
    """Davidson's model of the votes of one source, with its habits as extra parameters; both bad is a tie."""
    rows = len(counts.model_a)
    habits = {"position": np.ones(rows)} if position else {}
    habits |= covariates
    z = np.column_stack([np.zeros((rows, 0)), *habits.values()])
    total = float(counts.table.sum())
    ties = float(counts.table[:, [TIE, BOTH_BAD]].sum())
    has_ties = 0 < ties < total

    def likelihood(xi_a: Floats, xi_b: Floats, extra: Floats) -> PairLikelihood:
        pull = z @ extra[int(has_ties) :] / 2
        log_nu = extra[0] if has_ties else -60.0  # a source without ties has no threshold
        utility = np.stack([xi_a + pull, xi_b - pull, log_nu + (xi_a + xi_b) / 2], axis=1)
        slopes = np.zeros((rows, 3, 3 + z.shape[1]))
        slopes[:, 0, 0] = slopes[:, 1, 1] = slopes[:, 2, 2] = 1.0
        slopes[:, 2, :2] = 0.5
        slopes[:, 0, 3:], slopes[:, 1, 3:] = z / 2, -z / 2
        kept = slice(None) if has_ties else [0, 1, *range(3, 3 + z.shape[1])]
        return multinomial_logit(utility, slopes[:, :, kept])

    extras = {"log nu": float(np.log(2 * ties / (total - ties)))} if has_ties else {}
    extras |= dict.fromkeys(habits, 0.0)
    return fit_pairs(
        counts,
        likelihood,
        extras,
        prior=prior,
        method="davidson",
        parameters={},
        groups=groups,
        clusters=clusters,
    )
