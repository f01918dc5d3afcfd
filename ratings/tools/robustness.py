"""Rank robustness, votes to flip: the smallest number of votes whose removal swaps two models.

An interval covers the votes that other voters might have given; this measures how much depends on a few of the votes
that there are. Two of 57,477 votes decided the first rank on one public board (Huang et al., "Dropping just a handful
of preferences", ICLR 2026). Influence functions find the votes: Broderick, Giordano & Meager, arXiv 2011.14999.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from ratings.data import components
from ratings.data.columns import Column
from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import OUTCOMES, SCORES
from ratings.errors import BadOption, UnknownModel
from ratings.inference.hessian import laplacian, win_probability
from ratings.models.bradley_terry import PRIOR, as_counts, check_prior, maximise_likelihood, score_matrix

Order = NDArray[np.int64]  # indices into the flat table of outcomes


@dataclass(frozen=True)
class RemovedVotes:
    """A number of votes with the same outcome on the same ordered pair."""

    model_a: str
    model_b: str
    outcome: str
    votes: int


@dataclass(frozen=True)
class RankRobustness:
    """The number of `votes`, out of `battles`, whose removal puts `behind` ahead of `ahead`; None when none does.

    `estimate` is the prediction by influences alone. `votes` was checked by an exact refit, so that many are
    enough; that fewer are not is not proved.
    """

    ahead: str
    behind: str
    votes: int | None
    estimate: int | None
    battles: int
    removed: tuple[RemovedVotes, ...]

    def __str__(self) -> str:
        if self.votes is None:
            return f"no removal found among {self.battles:,} votes puts {self.behind} ahead of {self.ahead}"
        lines = [f"without {self.votes} of {self.battles:,} votes {self.behind} is ahead of {self.ahead}:"]
        lines += [f"  {r.votes} with {r.outcome} on {r.model_a} and {r.model_b}" for r in self.removed]
        return "\n".join(lines)

    @property
    def share(self) -> float | None:
        """The fraction of all votes that `votes` is; None when no removal was found."""
        return None if self.votes is None else self.votes / self.battles


def rank_robustness(
    model_a: Column | PairCounts,
    model_b: Column = None,
    winner: Column = None,
    *,
    ahead: str,
    behind: str,
    prior: float = PRIOR,
) -> RankRobustness:
    """The votes whose removal swaps `ahead` and `behind` on the board of `bradley_terry` with this prior.

    Removing one vote of score y on a pair (A, B) moves the lead xi_ahead - xi_behind by about

        -(v_A - v_B) (y - p) / (1 - h),    v = H⁻¹ (e_ahead - e_behind),    h = p (1 - p) x' H⁻¹ x

    Votes are removed in this order, the strongest support of the lead first, and a bisection over exact refits finds how
    many are enough. Raises UnknownModel, BadOption when `ahead` is not ahead, and what `as_counts` raises.
    """
    counts = as_counts(model_a, model_b, winner)
    check_prior(prior)
    for name in (ahead, behind):
        if name not in counts.models:
            raise UnknownModel(f"{name!r} is not among the {len(counts.models)} models. Name one of them.")
    pair = counts.models.index(ahead), counts.models.index(behind)
    lead = _lead(counts, pair, prior)
    if not 0 <= lead < np.inf:
        raise BadOption(f"{ahead!r} is not a finite step ahead of {behind!r}. Swap the two, or give a prior.")
    order, loss = _by_influence(counts, pair, prior)
    held = counts.table.ravel()[order]
    taken = np.cumsum(held)
    moved = np.cumsum(held * loss)
    estimate = None
    if moved.size and moved[-1] > lead:
        cell = int(np.argmax(moved > lead))
        before = float(moved[cell] - held[cell] * loss[cell])
        estimate = int(taken[cell] - held[cell] + np.floor((lead - before) / loss[cell]) + 1)
    most = int(taken[-1]) if taken.size else 0
    votes = _fewest(lambda k: _lead(_without(counts, order, k), pair, prior) < 0, most, estimate)
    removed = () if votes is None else _named(counts, order, votes)
    return RankRobustness(ahead, behind, votes, estimate, counts.battles, removed)


def _lead(counts: PairCounts, pair: tuple[int, int], prior: float) -> float:
    scores = score_matrix(counts)
    if not prior:
        label = components.strong_components(scores)
        if label[pair[0]] != label[pair[1]]:
            return float("inf")
        xi = maximise_likelihood(scores, mask=label[:, None] == label[None, :])
    else:
        xi = maximise_likelihood(scores, prior)
    return float(xi[pair[0]] - xi[pair[1]])


def _by_influence(counts: PairCounts, pair: tuple[int, int], prior: float) -> tuple[Order, Floats]:
    """The cells of the table that support the lead, strongest first, and the support of one vote of each."""
    scores = score_matrix(counts)
    xi = maximise_likelihood(scores, prior)
    p = win_probability(xi)
    information = (scores + scores.T) * p * p.T
    inverse = cho_solve(cho_factor(laplacian(information, prior)), np.eye(len(xi)))
    v = inverse[:, pair[0]] - inverse[:, pair[1]]
    a, b = counts.model_a, counts.model_b
    of_pair = p[a, b]
    leverage = of_pair * (1 - of_pair) * (inverse[a, a] + inverse[b, b] - 2 * inverse[a, b])
    per_vote = ((v[a] - v[b]) / (1 - leverage))[:, None] * (SCORES[None, :] - of_pair[:, None])
    per_vote = np.where(counts.table > 0, per_vote, 0.0).ravel()
    order = np.argsort(-per_vote, kind="stable")
    order = order[per_vote[order] > 0]
    return order, per_vote[order]


def _without(counts: PairCounts, order: Order, votes: int) -> PairCounts:
    """The counts without the first `votes` votes in order; weights shrink with their cell."""
    cells = counts.table.copy().ravel()
    held = cells[order]
    cells[order] = held - np.clip(votes - (np.cumsum(held) - held), 0.0, held)
    table = cells.reshape(-1, len(OUTCOMES))
    kept = np.divide(table, counts.table, out=np.zeros_like(table), where=counts.table > 0)
    return replace(
        counts,
        wins=table[:, 0],
        losses=table[:, 1],
        ties=table[:, 2],
        both_bad=table[:, 3],
        weights=counts.weighted * kept,
        squares=counts.weighted_squares * kept,
    )


def _fewest(swaps: Callable[[int], bool], most: int, guess: int | None) -> int | None:
    """The smallest number of votes that swaps, assuming that more do too; searched outward from the guess."""
    high = min(max(guess or 1, 1), most)
    low = 0
    while high < most and not swaps(high):
        low, high = high, min(2 * high, most)
    if not most or (high == most and not swaps(most)):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if swaps(middle) else (middle, high)
    return high


def _named(counts: PairCounts, order: Order, votes: int) -> tuple[RemovedVotes, ...]:
    removed, left = [], votes
    for cell in order.tolist():
        row, outcome = divmod(cell, len(OUTCOMES))
        taken = min(left, int(counts.table[row, outcome]))
        if taken:
            pair = counts.models[counts.model_a[row]], counts.models[counts.model_b[row]]
            removed.append(RemovedVotes(*pair, OUTCOMES[outcome].name, taken))
        left -= taken
        if not left:
            break
    return tuple(removed)
