"""Bradley–Terry with an ability for each annotator: how much a voter's votes follow the differences between models.

    P(A beats B | annotator k) = expit(theta_k (xi_A - xi_B)),      theta_k ~ normal(1, SPREAD²)

Ability 1 is the crowd's, 0 votes at random, and a negative one votes against the differences: such votes count less, or
the other way round, without being thrown away. The prior keeps an annotator of few votes near 1 and sets the scale.
Source: am-ELO, arXiv 2505.03475, which normalises the abilities instead; the prior is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.data import components
from ratings.data.clusters import ALONE, ClusteredVotes
from ratings.data.columns import Column, column_codes
from ratings.data.counts import Floats, PairCounts, tabulate
from ratings.data.outcomes import SCORES
from ratings.errors import BadOption, NoBattles
from ratings.inference.clusters import widened
from ratings.inference.covariance import cluster_codes
from ratings.inference.fit import Fit, relative_covariance
from ratings.models.ability_likelihood import SPREAD, AbilityLikelihood
from ratings.models.bradley_terry import PRIOR, as_battles, check_prior, maximise_likelihood, score_matrix
from ratings.scale import CENTRE, POINTS_PER_LOGIT


@dataclass(frozen=True, eq=False)
class AbilityFit:
    """Ratings, and the `ability` (annotators,) of each annotator with its `standard_error`."""

    fit: Fit
    annotators: tuple[object, ...]
    ability: Floats
    standard_error: Floats

    def __str__(self) -> str:
        order = np.argsort(self.ability, kind="stable")[:10]
        lines = [f"{self.annotators[k]}: {self.ability[k]:.2f} ± {self.standard_error[k]:.2f}" for k in order]
        return "\n".join([str(self.fit), "lowest abilities:", *lines])

    __repr__ = __str__


def annotator_ability(
    model_a: Column | ClusteredVotes,
    model_b: Column = None,
    winner: Column = None,
    annotator: Column = None,
    *,
    prior: float = PRIOR,
) -> AbilityFit:
    """Ratings and abilities of columns (battles,) by penalised maximum likelihood. A tie, and both bad, is half a win.

    `ClusteredVotes` alone have their first clusters as annotators, by code; a vote that is alone is by somebody else.

    `prior` is the precision of the ratings in logits⁻², above zero. The covariance is a sandwich clustered by annotator,
    with the abilities profiled out, and holds for few annotators as `widened` has it. Raises BadOption for a prior of zero
    or a single annotator, NoBattles, NotConverged, and what `read_battles` and `cluster_codes` raise.
    """
    check_prior(prior)
    if not prior:
        raise BadOption(
            "abilities need a prior on the ratings, which sets the scale. Give one above 0, such as 0.25."
        )
    if isinstance(model_a, ClusteredVotes):
        models, votes, annotators, counts = _of_clusters(model_a, prior)
        clustered_by = next(iter(model_a.clusters))
    else:
        clustered_by, battles = "annotators", as_battles(model_a, model_b, winner)
        groups = cluster_codes(annotator, len(battles), "annotator")
        models, annotators, counts = battles.models, _labels(annotator, groups), tabulate(battles)
        votes = AbilityLikelihood(
            battles.model_a, battles.model_b, groups, SCORES[battles.outcome], len(models), prior
        )
    scores = score_matrix(counts)
    xi, theta = votes.maximum(maximise_likelihood(scores, prior))
    covariance, independent, errors = votes.covariance(xi, theta)
    label = components.weak_components(scores)
    main = (label == 0) / np.count_nonzero(label == 0)
    relative, degrees, effect = widened(
        relative_covariance(covariance, main), relative_covariance(independent, main), votes.meat(xi, theta)
    )
    fit = Fit(
        models=models,
        ratings=CENTRE + POINTS_PER_LOGIT * (xi - main @ xi),
        covariance=POINTS_PER_LOGIT**2 * relative,
        component=label,
        method="annotator_ability",
        parameters={
            "prior": prior,
            "spread": SPREAD,
            "annotators": len(theta),
            "covariance": "clustered sandwich",
            "clusters": {clustered_by: len(theta)},
        },
        battles=len(votes.score),
        joined=True,
        degrees=degrees,
        design_effect=effect,
    )
    return AbilityFit(fit, annotators, theta, errors)


def _of_clusters(
    given: ClusteredVotes, prior: float
) -> tuple[tuple[str, ...], AbilityLikelihood, tuple[object, ...], PairCounts]:
    """Models, votes, annotators and pair counts of clustered votes. Raises NoBattles, BadOption for one annotator."""
    if not len(given):
        raise NoBattles("no votes, so nobody has an ability. Give at least one vote of two annotators.")
    name, codes = next(iter(given.clusters.items()))
    codes = codes.astype(np.int64)
    alone = np.flatnonzero(codes == ALONE)
    codes[alone] = int(codes.max()) + 1 + np.arange(len(alone))
    distinct, groups = np.unique(codes, return_inverse=True)
    if len(distinct) < 2:
        raise BadOption(f"all votes are of one of the {name}. Give votes of at least two.")
    score = np.repeat(SCORES[given.outcome], 1 if given.votes is None else given.votes)
    a, b, group = (
        column if given.votes is None else np.repeat(column, given.votes)
        for column in (given.model_a.astype(np.int64), given.model_b.astype(np.int64), groups)
    )
    votes = AbilityLikelihood(a, b, group, score, len(given.models), prior)
    return given.models, votes, tuple(distinct.tolist()), given.counts()


def _labels(annotator: Column, groups: NDArray[np.int64]) -> tuple[object, ...]:
    codes, labels = column_codes(annotator, "annotator")
    _, first = np.unique(groups, return_index=True)
    return tuple(labels[code] for code in codes[first].tolist())
