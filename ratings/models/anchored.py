"""Human-anchored ratings: votes of people and verdicts of judges in one log, with people's preference as the target.

A judge k has its own habits, each with its own parameter:

    P(A) : P(B) : P(tie) = exp(u/2) : exp(-u/2) : nu_k,    u = xi_A - xi_B + bias_A - bias_B + position_k + z'g_k

`nu_k` is its threshold for a tie, `position_k` its preference for the first answer, `g_k` that for covariates such
as length. Its taste for models, `bias`, cannot be separated from their quality by its verdicts alone. So it is
measured against people: on its own family (`families`) it may have any size, for other models it is normal with a
variance tau² that is estimated from the distance between the panel of judges and the people.

    xi = xi_people + G (xi_panel - xi_people),    G = V_people (V_people + V_panel + tau² + family)⁻¹

One tau² is estimated for the pooled panel, not one per judge: judges that err together then count as one, and
with any number of judges the interval never falls below what people's votes support.
Sources: Davidson, JASA 65 (1970); random effects: DerSimonian & Laird (1986).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.data.battles import Battles, read_battles
from ratings.data.columns import Column, column_codes, same_length
from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import BOTH_BAD, OUTCOMES, TIE
from ratings.errors import BadOption
from ratings.inference.covariance import cluster_codes
from ratings.inference.fit import Fit
from ratings.models.pair_likelihood import PairLikelihood, fit_pairs
from ratings.models.ties import multinomial_logit
from ratings.scale import CENTRE, POINTS_PER_LOGIT

HUMAN = "human"
FREE = 100.0  # variance, logits², of a bias that may be anything


@dataclass(frozen=True, eq=False)
class HumanAnchored:
    """The joint fit of people and judges, with the fits that it combines.

    `fit` joins people and judges, `human` is people alone, `judges` (source -> fit) each judge alone with its
    habits as coefficients. `taste` is tau in points: how far the panel differs from people on a model. `gain` is
    how many times as many votes of people alone would be needed for the same mean variance.
    """

    fit: Fit
    human: Fit
    judges: Mapping[str, Fit]
    taste: float
    gain: float

    def __str__(self) -> str:
        panel = f"{len(self.judges)} judge(s), off by {self.taste:.0f} points a model, are worth"
        return f"{self.fit}\n{panel} {self.gain:.2f} times the votes of people alone"

    __repr__ = __str__


def human_anchored(
    model_a: Column,
    model_b: Column,
    winner: Column,
    source: Column,
    *,
    covariates: Mapping[str, Column] | None = None,
    cluster: Column = None,
    families: Mapping[str, str] | None = None,
    prior: float = 0.0,
) -> HumanAnchored:
    """Ratings of people's preference from a log (battles,) whose `source` is "human" or a judge's name.

    `covariates` (name -> battles,) differ between A and B, such as `style_differences`, and every judge has
    its own coefficient; people's are zero, since people's preference is the target. `cluster` (battles,)
    is the voter of a person's vote and the prompt of a judge's. `families` (name -> family) covers models and
    judges. Both bad counts as a tie.

    Raises BadOption without votes of people or of a judge, LengthMismatch, Disconnected when the votes of one source
    do not compare all models and there is no prior, and what `davidson` and `read_battles` raise.
    """
    battles = read_battles(model_a, model_b, winner)
    codes, labels = column_codes(source, "source")
    same_length(battles=battles.outcome, source=codes)
    rows = {str(label): np.flatnonzero(codes == code) for code, label in enumerate(labels)}
    rows = {name: indices for name, indices in sorted(rows.items()) if indices.size}
    if HUMAN not in rows or len(rows) < 2:
        raise BadOption(f"sources are {', '.join(rows) or 'none'}. Give {HUMAN!r} and at least one judge.")
    zs = {name: np.asarray(values, dtype=np.float64) for name, values in (covariates or {}).items()}
    same_length(battles=battles.outcome, **zs)
    groups = None if cluster is None else cluster_codes(cluster, len(battles))
    fits = {
        name: _one_source(
            _by_battle(battles, chosen),
            {} if name == HUMAN else {key: z[chosen] for key, z in zs.items()},
            None if groups is None else np.unique(groups[chosen], return_inverse=True)[1],
            name != HUMAN,
            prior,
        )
        for name, chosen in rows.items()
    }
    return _joined(fits, families or {}, prior)


def human_anchored_counts(
    counts: Mapping[str, PairCounts], *, families: Mapping[str, str] | None = None, prior: float = 0.0
) -> HumanAnchored:
    """Ratings of people's preference from the pair counts of each source ("human" and judges), over the same models.

    Equal to `human_anchored` without covariates and clusters, and as fast for millions of battles as for
    thousands. Raises BadOption without people, without a judge or for different models, and as `human_anchored`.
    """
    if HUMAN not in counts or len(counts) < 2:
        raise BadOption(f"sources are {', '.join(counts) or 'none'}. Give {HUMAN!r} and at least one judge.")
    for name, table in counts.items():
        if table.models != counts[HUMAN].models:
            raise BadOption(f"{name!r} counts other models than {HUMAN!r}. Give the same models to all.")
    fits = {name: _one_source(counts[name], {}, None, name != HUMAN, prior) for name in sorted(counts)}
    return _joined(fits, families or {}, prior)


def _joined(fits: dict[str, Fit], families: Mapping[str, str], prior: float) -> HumanAnchored:
    """People and the pooled panel, weighted by precision."""
    human = fits.pop(HUMAN)
    size = len(human.models)
    basis = contrast_basis(size)
    x, v = _within(human, basis)
    panel, v_panel = _pooled(fits, families, basis)
    taste = _taste(panel - x, v + v_panel)
    gain = np.linalg.solve(v + v_panel + taste * np.eye(size - 1), v).T
    joined = v - gain @ v
    fit = Fit(
        models=human.models,
        ratings=CENTRE + POINTS_PER_LOGIT * basis @ (x + gain @ (panel - x)),
        covariance=POINTS_PER_LOGIT**2 * basis @ ((joined + joined.T) / 2) @ basis.T,
        component=np.zeros(size, dtype=np.int64),
        method="human_anchored",
        parameters={"judges": len(fits), "taste": POINTS_PER_LOGIT * float(np.sqrt(taste)), "prior": prior},
        battles=human.battles + sum(fit.battles for fit in fits.values()),
    )
    return HumanAnchored(
        fit, human, fits, POINTS_PER_LOGIT * float(np.sqrt(taste)), float(np.trace(v) / np.trace(joined))
    )


def _by_battle(battles: Battles, rows: NDArray[np.int64]) -> PairCounts:
    """Counts with one row per battle, so that each may have its own covariates."""
    table = np.zeros((len(rows), len(OUTCOMES)))
    table[np.arange(len(rows)), battles.outcome[rows]] = 1.0
    return PairCounts(battles.models, battles.model_a[rows], battles.model_b[rows], *table.T)


def _one_source(
    counts: PairCounts,
    covariates: Mapping[str, Floats],
    groups: NDArray[np.int64] | None,
    position: bool,
    prior: float,
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
    return fit_pairs(counts, likelihood, extras, prior=prior, method="davidson", parameters={}, groups=groups)


def contrast_basis(size: int) -> Floats:
    """(size, size - 1): an orthonormal basis of the contrasts, the vectors whose sum is zero."""
    return np.linalg.qr(np.eye(size)[:, 1:] - 1 / size)[0]


def _within(fit: Fit, basis: Floats) -> tuple[Floats, Floats]:
    """The xi of a fit and their covariance, as contrasts."""
    return basis.T @ (
        fit.ratings - CENTRE
    ) / POINTS_PER_LOGIT, basis.T @ fit.covariance @ basis / POINTS_PER_LOGIT**2


def _pooled(fits: Mapping[str, Fit], families: Mapping[str, str], basis: Floats) -> tuple[Floats, Floats]:
    """The contrasts of the panel and their covariance, judges weighted by their precision on each model."""
    size = basis.shape[1]
    precision, total = np.zeros((size, size)), np.zeros(size)
    for name, fit in fits.items():
        x, v = _within(fit, basis)
        own = basis.T @ [float(families.get(model) == families.get(name, name)) for model in fit.models]
        information = np.linalg.inv(v + FREE * np.outer(own, own))
        precision += information
        total += information @ x
    v_panel = np.linalg.inv(precision)
    return v_panel @ total, np.asarray(v_panel, dtype=np.float64)


def _taste(apart: Floats, variance: Floats) -> float:
    """tau² by the method of moments, weighted by precision, plus its standard error to be on the safe side.

    With variance S + tau² of `apart`, E[apart' W apart] = tr(W S) + tau² tr(W) for any W; here W = S⁻¹ first,
    then (S + tau²)⁻¹ with the tau² of the step before.
    """
    tau2 = 0.0
    for _ in range(3):
        spread = variance + tau2 * np.eye(len(apart))
        w = np.linalg.inv(spread)
        excess = float(apart @ w @ apart - np.trace(w @ variance))
        tau2 = max(0.0, excess / float(np.trace(w)))
    # W (S + tau²) is the identity: the variance of apart' W apart is 2 (models - 1).
    return tau2 + float(np.sqrt(2 * len(apart)) / np.trace(w))
