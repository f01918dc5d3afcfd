"""Whether one number a model explains the votes, and which cycles contradict it.

Bradley–Terry gives rock, paper and scissors the same rating. What it cannot explain is seen in the pairs:

    X² = sum over pairs of  (s - n p)² / (n p (1 - p) phi),      s points in n battles, p = expit(xi_A - xi_B)

which has about `pairs - models + components` degrees of freedom while the model holds. `phi` is the mean square of one
vote's residual over p (1 - p): ties count half and vary less. Where votes belong together the design effect multiplies it.
Log odds of pairs that are not differences of strengths flow in cycles; the curl of a triple is their sum around it.
Sources: McCullagh & Nelder, Generalized Linear Models (1989), section 4.4, and McCullagh, JASA 81 (1986), for the
variance of X² with few battles; Jiang, Lim, Yao & Ye, Mathematical Programming 127 (2011), for HodgeRank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import chdtrc, expit, ndtr

from ratings.data import components
from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import A_WINS, B_WINS
from ratings.errors import NoBattles
from ratings.models.bradley_terry import as_counts, maximise_likelihood, score_matrix

MOST_TRIPLES = 5
MOST_MODELS = 100  # with most battles, among which cycles are looked for: 161,700 triples
LEVEL = 0.05  # of the triples that are listed, all together


@dataclass(frozen=True)
class Cycle:
    """Three models of which each beats the next. `log_odds` is the curl, `p_value` allows for all triples."""

    models: tuple[str, str, str]
    log_odds: float
    p_value: float

    def __str__(self) -> str:
        return " > ".join((*self.models, self.models[0]))


@dataclass(frozen=True)
class LackOfFit:
    """A goodness-of-fit test, and the cycles that carry the lack of fit.

    `cyclic_share` is the part of the differences between pairs, less what chance adds, that no strengths explain: 0 for
    one scale, 1 for rock, paper and scissors. `cycles` are significant, the strongest first.
    """

    statistic: float
    degrees: int
    p_value: float
    cyclic_share: float
    cycles: tuple[Cycle, ...]

    def __str__(self) -> str:
        lines = [
            f"X² = {self.statistic:.1f} with {self.degrees} degrees of freedom, p = {self.p_value:.2g}; "
            f"{100 * self.cyclic_share:.0f} % of the differences are cyclic"
        ]
        return "\n".join([*lines, *(f"{cycle} (p = {cycle.p_value:.2g})" for cycle in self.cycles)])

    __repr__ = __str__


def lack_of_fit(counts: PairCounts, *, design_effect: float = 1.0) -> LackOfFit:
    """The test of Bradley–Terry on pair counts. A tie, and both bad, is half a win for each.

    `design_effect` is the variance of the ratings over that of independent votes (`Fit.design_effect`). Raises NoBattles.
    """
    counts = as_counts(counts)
    scores = score_matrix(counts)
    played = scores + scores.T
    i, j = np.nonzero(np.triu(played))
    if not len(i):
        raise NoBattles("no battles, so there is nothing to test. Give at least one.")
    label = components.weak_components(scores)
    # Half a win a side in each pair keeps the strengths of undefeated models finite.
    xi = maximise_likelihood(scores + 1e-3 * (played > 0), 1e-6)
    n, s, p = played[i, j], scores[i, j], expit(xi[i] - xi[j])
    phi = _dispersion(counts, xi) * design_effect
    degrees = len(i) - len(xi) + int(label.max()) + 1
    statistic = float(((s - n * p) ** 2 / (n * p * (1 - p) * phi)).sum())
    p_value = _tail(statistic, degrees, n, p) if degrees > 0 else 1.0
    share = _cyclic_share(n, s, i, j, phi, label, degrees) if degrees > 0 else 0.0
    cycles = _cycles(counts.models, scores, played, phi) if degrees > 0 and p_value < LEVEL else ()
    return LackOfFit(statistic, degrees, p_value, share, cycles)


def _dispersion(counts: PairCounts, xi: Floats) -> float:
    """The mean square of one vote's residual over p (1 - p): 1 without ties."""
    p = expit(xi[counts.model_a] - xi[counts.model_b])
    wins, losses = counts.table[:, A_WINS], counts.table[:, B_WINS]
    ties = counts.table.sum(axis=1) - wins - losses
    squares = wins * (1 - p) ** 2 + losses * p**2 + ties * (0.5 - p) ** 2
    of_chance = float((counts.table.sum(axis=1) * p * (1 - p)).sum())
    return max(float(squares.sum()) / of_chance, 1e-9)  # votes that are all ties vary by nothing


def _tail(statistic: float, degrees: int, n: Floats, p: Floats) -> float:
    """P(X² > statistic), by a multiple of chi-square with the variance of X² for so few battles a pair."""
    variance = float((2 + (1 / (p * (1 - p)) - 6) / n).sum()) * degrees / len(n)
    scale = max(variance, 0.1 * degrees) / (2 * degrees)
    return float(chdtrc(degrees / scale, statistic / scale))


def _flow(n: Floats, s: Floats, phi: float) -> tuple[Floats, Floats]:
    """The log odds of pairs with half a battle a side, and their variances."""
    won, lost = s + 0.5, n - s + 0.5
    return np.log(won / lost), phi * (1 / won + 1 / lost)


def _cyclic_share(
    n: Floats,
    s: Floats,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    phi: float,
    label: components.Labels,
    degrees: int,
) -> float:
    """The share of the weighted squares of the flow that is not a gradient, each less its expectation by chance."""
    flow, variance = _flow(n, s, phi)
    models = len(label)
    weights = np.zeros((models, models))
    weights[i, j] = weights[j, i] = 1 / variance
    pushed = np.bincount(i, flow / variance, models) - np.bincount(j, flow / variance, models)
    together = label[:, None] == label[None, :]  # pins the mean of each component, which no difference sees
    laplacian = np.diag(weights.sum(axis=1)) - weights + together
    explained = float(pushed @ cho_solve(cho_factor(laplacian), pushed))
    squares = float((flow * flow / variance).sum())
    whole = squares - len(flow)
    return min(1.0, max(0.0, (squares - explained - degrees) / whole)) if whole > 0 else 0.0


def _cycles(models: tuple[str, ...], scores: Floats, played: Floats, phi: float) -> tuple[Cycle, ...]:
    """The triples whose curl is significant, allowing for the number of triples (Bonferroni)."""
    most = np.sort(np.argsort(-played.sum(axis=1), kind="stable")[:MOST_MODELS])
    models = tuple(models[m] for m in most)
    scores, played = scores[np.ix_(most, most)], played[np.ix_(most, most)]
    met = played > 0
    flow, variance = _flow(played, scores, phi)
    found: list[tuple[float, float, int, int, int]] = []
    triples = 0
    for a in range(len(models) - 2):
        b, c = np.nonzero(np.triu(met[a + 1 :, a + 1 :] & met[a, a + 1 :, None] & met[a, None, a + 1 :], 1))
        b, c, triples = b + a + 1, c + a + 1, triples + len(b)
        curl = flow[a, b] + flow[b, c] - flow[a, c]
        score = np.abs(curl) / np.sqrt(variance[a, b] + variance[b, c] + variance[a, c])
        for best in np.argsort(-score, kind="stable")[: 4 * MOST_TRIPLES]:
            found.append((float(score[best]), float(curl[best]), a, int(b[best]), int(c[best])))
    cycles = []
    for z, around, *triple in sorted(found, key=lambda each: -each[0])[: 4 * MOST_TRIPLES]:
        p_value = min(1.0, 2 * float(ndtr(-z)) * triples)
        order = triple if around > 0 else [triple[0], triple[2], triple[1]]
        if p_value < LEVEL and min(flow[x, y] for x, y in zip(order, (*order[1:], order[0]), strict=True)) > 0:
            cycles.append(Cycle((models[order[0]], models[order[1]], models[order[2]]), abs(around), p_value))
    return tuple(cycles[:MOST_TRIPLES])
