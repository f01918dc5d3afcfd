"""Bradley–Terry with the advantage of the side that is shown first, or plays at home.

P(A beats B) = expit(xi_A - xi_B + position)
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit

from ratings.data.columns import Column
from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import SCORES
from ratings.inference.fit import Fit
from ratings.models.bradley_terry import as_counts
from ratings.models.pair_likelihood import PairLikelihood, fit_pairs


def bradley_terry_with_position(
    model_a: Column | PairCounts, model_b: Column = None, winner: Column = None, *, prior: float = 0.0
) -> Fit:
    """Ratings without the advantage of side A, which is the coefficient "position" in logits.

    Takes three columns of battles, or `PairCounts` alone. A tie, and both bad, is half a win for each. Sources:
    Davidson & Beaver, Biometrics 33 (1977); the baseball example of Agresti, Categorical Data Analysis (2002),
    section 10.6. Raises as `fit_pairs`.
    """
    counts = as_counts(model_a, model_b, winner)

    def likelihood(xi_a: Floats, xi_b: Floats, extra: Floats) -> PairLikelihood:
        lead = xi_a - xi_b + extra[0]
        win, loss = log_expit(lead), log_expit(-lead)
        p = np.exp(win)
        slope = np.array([1.0, -1.0, 1.0])
        surprise = SCORES[None, :] - p[:, None]
        return PairLikelihood(
            log_likelihood=SCORES * win[:, None] + (1 - SCORES) * loss[:, None],
            gradient=surprise[:, :, None] * slope,
            information=(p * (1 - p))[:, None, None] * np.outer(slope, slope),
        )

    extras = {"position": 0.0}
    return fit_pairs(counts, likelihood, extras, prior=prior, method="bradley_terry_with_position", parameters={})
