"""Human-anchored ratings: votes of people and verdicts of judges in one log, with people's preference as the target.

A judge k has its own habits, each with its own parameter:

    P(A) : P(B) : P(tie) = exp(u/2) : exp(-u/2) : nu_k,    u = xi_A - xi_B + bias_A - bias_B + position_k + z'g_k

`nu_k` is its threshold for a tie, `position_k` its preference for the first answer, `g_k` that for covariates such
as length. Its taste for models, `bias`, cannot be separated from their quality by its verdicts alone. So it is
measured against people: on its own family (`families`) it may have any size, for another model m it is normal with a
variance t_m.

    xi = xi_people + G (xi_panel - xi_people),    G = V_people (V_people + V_panel + diag(t) + family)⁻¹

t_m is the largest of tau², estimated from the distance between the panel of judges and the people over all models; of
the excess of m's own squared distance over its variance, since a panel that is fair to most models may favour one;
and of CLAIM times the variance that people's votes leave to m, up to the square of UNSEEN: what people have not
examined, judges may not settle.

One tau² is estimated for the pooled panel, not one per judge: judges that err together then count as one, and
with any number of judges the interval never falls below what people's votes support.
Sources: Davidson, JASA 65 (1970); random effects: DerSimonian & Laird (1986).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ratings.data.battles import read_battles
from ratings.data.clusters import ClusteredVotes, StreamedVotes
from ratings.data.columns import Column, column_codes, is_missing, same_length
from ratings.data.counts import PairCounts
from ratings.data.numbers import covariate
from ratings.errors import BadOption, Disconnected, MissingValue, NoBattles, NotConverged
from ratings.inference.covariance import cluster_codes
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit
from ratings.models.discrimination import Discrimination, discrimination
from ratings.models.judge_habits import one_row_each, votes_of_source
from ratings.models.judge_panel import contrast_basis, doubts, joint_degrees, pooled_panel, taste_variance, within
from ratings.scale import CENTRE, POINTS_PER_LOGIT

HUMAN = "human"


@dataclass(frozen=True, eq=False)
class HumanAnchored:
    """The joint fit of people and judges, with the fits that it combines.

    `fit` joins people and judges, `human` is people alone, `judges` (source -> fit) each judge alone with its
    habits as coefficients. `taste` is tau in points: how far the panel differs from people on a model. `gain` is
    how many times as many votes of people alone would be needed for the same mean variance. `left_out` (source ->
    reason) has the judges whose verdicts set no finite rating or habit.
    """

    fit: Fit
    human: Fit
    judges: Mapping[str, Fit]
    taste: float
    gain: float
    left_out: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)

    def discrimination(self, level: float = CONFIDENCE_LEVEL) -> dict[str, Discrimination]:
        """How sharply each judge tells models apart, beside people's 1. Raises BadOption, as `discrimination` does."""
        return {
            name: discrimination(
                self.human,
                fit,
                family={m: self.families.get(m) == self.families.get(name, name) for m in fit.models},
                level=level,
            )
            for name, fit in self.judges.items()
        }

    def on_scale_of(self, people: Fit) -> Fit:
        """The joint fit on the scale of another fit of people's votes, such as `bradley_terry`, where a tie is half.

        Differences between the joint ratings and people's are added to `people`, in its points; so without a judge that
        counts the result is `people`. Raises BadOption when it rates other models.
        """
        if people.models != self.human.models:
            raise BadOption("people's fit rates other models than the joint fit. Fit the same counts.")
        own, other = self.human.ratings - CENTRE, people.ratings - CENTRE
        unit = float(own @ other) / float(own @ own) if np.isfinite(other).all() and own @ own > 0 else 1.0
        return replace(
            self.fit,
            ratings=people.ratings + unit * (self.fit.ratings - self.human.ratings),
            covariance=unit * unit * self.fit.covariance,
        )

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

    Raises MissingValue for a row without a source or with a covariate that is not finite, BadOption without votes of
    people or of a judge, LengthMismatch, Disconnected when the votes of one source do not compare all models and there
    is no prior, and what `davidson` and `read_battles` raise.
    """
    battles = read_battles(model_a, model_b, winner)
    codes, labels = column_codes(source, "source")
    same_length(battles=battles.outcome, source=codes)
    missing = np.isin(codes, [-1, *(code for code, label in enumerate(labels) if is_missing(label))])
    if missing.any():
        raise MissingValue(f"row {int(np.argmax(missing))}: no source. Give {HUMAN!r} or the name of a judge.")
    rows = {str(label): np.flatnonzero(codes == code) for code, label in enumerate(labels)}
    rows = {name: indices for name, indices in sorted(rows.items()) if indices.size}
    if HUMAN not in rows or len(rows) < 2:
        raise BadOption(f"sources are {', '.join(rows) or 'none'}. Give {HUMAN!r} and at least one judge.")
    zs = {name: covariate(values, name, len(battles)) for name, values in (covariates or {}).items()}
    groups = None if cluster is None else cluster_codes(cluster, len(battles))

    def fitted(name: str) -> Fit:
        chosen = rows[name]
        return votes_of_source(
            one_row_each(battles, chosen),
            {} if name == HUMAN else {key: z[chosen] for key, z in zs.items()},
            None if groups is None else np.unique(groups[chosen], return_inverse=True)[1],
            name != HUMAN,
            prior,
        )

    return _joined(*_fits(rows, fitted), families or {}, prior)


def human_anchored_counts(
    counts: Mapping[str, PairCounts],
    *,
    families: Mapping[str, str] | None = None,
    prior: float = 0.0,
    clusters: Mapping[str, ClusteredVotes | StreamedVotes] | None = None,
) -> HumanAnchored:
    """Ratings of people's preference from the pair counts of each source ("human" and judges), over the same models.

    Equal to `human_anchored` without covariates and clusters, and as fast for millions of battles as for
    thousands. `clusters` has the votes of a source by cluster, as in `bradley_terry`. Raises BadOption without people,
    without a judge or for different models, and as `human_anchored`.
    """
    if HUMAN not in counts or len(counts) < 2:
        raise BadOption(f"sources are {', '.join(counts) or 'none'}. Give {HUMAN!r} and at least one judge.")
    for name, table in counts.items():
        if table.models != counts[HUMAN].models:
            raise BadOption(f"{name!r} counts other models than {HUMAN!r}. Give the same models to all.")
    return _joined(
        *_fits(
            sorted(counts),
            lambda name: votes_of_source(counts[name], {}, None, name != HUMAN, prior, (clusters or {}).get(name)),
        ),
        families or {},
        prior,
    )


def _fits(names: Iterable[str], fitted: Callable[[str], Fit]) -> tuple[Fit, dict[str, Fit], dict[str, str]]:
    """The fit of people, those of judges, and why judges are left out: a few verdicts may set no finite rating."""
    judges: dict[str, Fit] = {}
    left_out: dict[str, str] = {}
    for name in names:
        if name == HUMAN:
            continue
        try:
            judges[name] = fitted(name)
        except (BadOption, Disconnected, NoBattles, NotConverged) as problem:
            left_out[name] = str(problem)
    return fitted(HUMAN), judges, left_out


def _joined(
    human: Fit, fits: dict[str, Fit], left_out: dict[str, str], families: Mapping[str, str], prior: float
) -> HumanAnchored:
    """People and the pooled panel, weighted by precision."""
    if not fits:
        alone = replace(human, method="human_anchored", parameters={"judges": 0, "taste": 0.0, "prior": prior})
        return HumanAnchored(alone, human, fits, 0.0, 1.0, left_out, families)
    size = len(human.models)
    basis = contrast_basis(size)
    x, v = within(human, basis)
    panel, v_panel = pooled_panel(fits, families, basis)
    taste = taste_variance(panel - x, v + v_panel)
    doubt = basis.T @ np.diag(doubts(panel - x, v, v_panel, taste, basis)) @ basis
    gain = np.linalg.solve(v + v_panel + doubt, v).T
    joined = v - gain @ v
    fit = Fit(
        models=human.models,
        ratings=CENTRE + POINTS_PER_LOGIT * basis @ (x + gain @ (panel - x)),
        covariance=POINTS_PER_LOGIT**2 * basis @ ((joined + joined.T) / 2) @ basis.T,
        component=np.zeros(size, dtype=np.int64),
        method="human_anchored",
        parameters={"judges": len(fits), "taste": POINTS_PER_LOGIT * float(np.sqrt(taste)), "prior": prior},
        battles=human.battles + sum(fit.battles for fit in fits.values()),
        degrees=joint_degrees(human, fits, v, np.asarray(v_panel + doubt), np.asarray(gain), basis),
    )
    return HumanAnchored(
        fit,
        human,
        fits,
        POINTS_PER_LOGIT * float(np.sqrt(taste)),
        float(np.trace(v) / np.trace(joined)),
        left_out,
        families,
    )
