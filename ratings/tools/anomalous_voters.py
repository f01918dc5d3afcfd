"""Detection of anomalous voters, by a test that stays valid when it is read after every vote.

Each voter is tested against the hypothesis that this voter votes as the others do. The e-value is a mixture of
likelihood ratios of alternatives, such as a cheat or a bored person:

    E_n = mean over k of  product over votes i of  P_k(v_i) / P_0(v_i)

P_0 is Davidson's model of wins and ties fitted without this voter. The alternatives P_k: for every model, one
that favours it and one that demotes it (80 % of the time, whenever it is shown, otherwise P_0); uniform
random; always left, always right, always a tie (80 %).

While P_0 is right, E_n is a martingale of mean one, so by Ville's inequality P(E_n ever reaches 1/level) is at
most `level`, however often it is read. P_0 is estimated, and honest people differ: `temper` flattens it.
Source: Ville (1939); Shafer & Vovk, Game-Theoretic Foundations (2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from ratings.data.battles import Battles, read_battles
from ratings.data.columns import Codes, Column, column_codes
from ratings.data.counts import Floats, tabulate
from ratings.data.outcomes import A_WINS, B_WINS, SCORES, TIE
from ratings.errors import BadOption
from ratings.inference.covariance import cluster_codes, scores_by_cluster
from ratings.inference.fit import Fit
from ratings.inference.hessian import laplacian
from ratings.models.bradley_terry import PRIOR
from ratings.models.ties import davidson
from ratings.scale import CENTRE, POINTS_PER_LOGIT

SIGNIFICANCE_LEVEL = 0.01
CHEAT_RATE = 0.8  # how often an alternative does what it is after; the rest of the time it votes as P_0
LIMIT = 1e200  # an e-value beyond this says no more and would overflow
BLOCK = 4096  # voters at a time
GENERAL_ALTERNATIVES = ("random", "always left", "always right", "always a tie")


@dataclass(frozen=True, eq=False)
class VoterCheck:
    """One entry per voter, in order of label.

    `e_value` (voters,) is E_n after all votes, `peak` its largest value so far, `votes` their number, `flagged_after`
    the vote at which 1/level was reached (0: never), and `likeliest` the alternative that fits best.
    """

    voters: tuple[object, ...]
    votes: NDArray[np.int64]
    e_value: Floats
    peak: Floats
    flagged_after: NDArray[np.int64]
    likeliest: tuple[str, ...]
    level: float

    @property
    def flagged(self) -> tuple[object, ...]:
        """The voters to look at: quarantine their votes, do not delete them."""
        return tuple(self.voters[v] for v in np.flatnonzero(self.flagged_after).tolist())

    def __str__(self) -> str:
        lines = [f"{len(self.flagged)} of {len(self.voters)} voters flagged at level {self.level:g}"]
        for v in np.flatnonzero(self.flagged_after).tolist():
            after = f"after {self.flagged_after[v]} of {self.votes[v]} votes"
            lines.append(f"{self.voters[v]}: {after}, likeliest {self.likeliest[v]}")
        return "\n".join(lines)

    __repr__ = __str__


def check_voters(
    model_a: Column,
    model_b: Column,
    winner: Column,
    voter: Column,
    *,
    level: float = SIGNIFICANCE_LEVEL,
    temper: float = 1.0,
    prior: float = PRIOR,
) -> VoterCheck:
    """The e-process of every voter over the votes in the order of rows; the module states the guarantee.

    Both bad counts as a tie. `temper` in (0, 1]: P_0 is raised to this power and normalised. P_0 without a voter is one
    Newton step from the fit of all. Raises BadOption for a level or temper out of range, for a single voter, or
    when there are no ties or no wins at all, MissingValue for a vote without voter, and what `read_battles` raises.
    """
    for name, value, allowed in (("level", level, 0 < level < 1), ("temper", temper, 0 < temper <= 1)):
        if not allowed:
            raise BadOption(f"{name} {value:g} is out of range. Give a number between 0 and 1.")
    battles = read_battles(model_a, model_b, winner)
    groups = cluster_codes(voter, len(battles), "voter")
    fit = davidson(tabulate(battles), prior=prior)
    order = np.argsort(groups, kind="stable")
    votes = np.bincount(groups)
    outcome = np.minimum(battles.outcome, TIE).astype(np.int64)
    p = _tempered(_without_own_votes(battles, fit, groups, prior), temper)
    surprise = p[np.arange(len(p)), outcome]
    process = _Process(battles.model_a, battles.model_b, outcome, surprise, len(battles.models))
    results = [
        process.run(order, np.cumsum(votes) - votes, votes, chosen, level)
        for chosen in np.array_split(np.argsort(-votes, kind="stable"), -(-len(votes) // BLOCK))
    ]
    index = np.argsort(np.concatenate([result[0] for result in results]))
    ends, peak, after, best = (np.concatenate([r[i] for r in results])[index] for i in range(1, 5))
    names = [f"{what} {model}" for what in ("favours", "demotes") for model in battles.models]
    return VoterCheck(
        voters=_labels(voter, groups),
        votes=votes,
        e_value=ends,
        peak=peak,
        flagged_after=after,
        likeliest=tuple([*names, *GENERAL_ALTERNATIVES][k] for k in best.tolist()),
        level=level,
    )


def _without_own_votes(battles: Battles, fit: Fit, groups: NDArray[np.int64], prior: float) -> Floats:
    """(battles, 3): P_0 of each vote, from ratings without the contribution of its voter."""
    xi = (fit.ratings - CENTRE) / POINTS_PER_LOGIT
    log_nu = fit.coefficients[0].value
    a, b = battles.model_a, battles.model_b
    p = _davidson(xi[a] - xi[b], log_nu)
    mean = p[:, A_WINS] + p[:, TIE] / 2
    score = SCORES[battles.outcome] - mean
    own = np.asarray(scores_by_cluster(battles, score, groups).todense())
    information = p[:, A_WINS] + p[:, TIE] / 4 - mean**2
    size = len(xi)
    square = np.bincount(a.astype(np.int64) * size + b, information, size * size).reshape(size, size)
    hessian = cho_factor(laplacian(np.asarray(square + square.T, dtype=np.float64), prior))
    shift = cho_solve(hessian, own.T).T
    lead = xi[a] - xi[b] - (shift[groups, a] - shift[groups, b])
    return _davidson(lead, log_nu)


def _davidson(lead: Floats, log_nu: float) -> Floats:
    """(battles, 3): P of A, of B and of a tie."""
    utility = np.stack([lead / 2, -lead / 2, np.full_like(lead, log_nu)], axis=1)
    odds = np.exp(utility - utility.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _tempered(p: Floats, temper: float) -> Floats:
    """(battles, 3): P_0 raised to the power `temper` and normalised."""
    powered = p**temper
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class _Process:
    """The votes (battles,), with the probability that P_0 gave to each."""

    model_a: Codes
    model_b: Codes
    outcome: NDArray[np.int64]
    p: Floats
    size: int

    def run(
        self,
        order: NDArray[np.int64],
        first: NDArray[np.int64],
        votes: NDArray[np.int64],
        chosen: NDArray[np.int64],
        level: float,
    ) -> tuple[NDArray[np.int64], Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
        """The e-processes of the `chosen` voters: E_n, peak, flagging vote (0: none), best alternative.

        Voters come with the most votes first; each turn takes one vote of every voter that has one left.
        """
        ratio = np.ones((len(chosen), 2 * self.size + len(GENERAL_ALTERNATIVES)))
        value, peak = np.ones(len(chosen)), np.ones(len(chosen))
        after = np.zeros(len(chosen), dtype=np.int64)
        for turn in range(int(votes[chosen[0]])):
            still = int(np.count_nonzero(votes[chosen] > turn))
            row = order[first[chosen[:still]] + turn]
            self.bet(ratio[:still], row)
            value[:still] = ratio[:still].mean(axis=1)
            peak = np.maximum(peak, value)
            crossed = (after == 0) & (value >= 1 / level)
            after[crossed] = turn + 1
        return chosen, value, peak, after, ratio.argmax(axis=1)

    def bet(self, ratio: Floats, row: NDArray[np.int64]) -> None:
        """Multiply the likelihood ratios (voters, alternatives) by those of one vote of each voter."""
        voter, a, b = np.arange(len(row)), self.model_a[row], self.model_b[row]
        outcome, p = self.outcome[row], self.p[row]
        hit, miss = (CHEAT_RATE + (1 - CHEAT_RATE) * p) / p, 1 - CHEAT_RATE
        a_won, b_won = np.where(outcome == A_WINS, hit, miss), np.where(outcome == B_WINS, hit, miss)
        general = 2 * self.size
        factors = (
            (a, a_won),  # favours A
            (b, b_won),
            (self.size + a, b_won),  # demotes A
            (self.size + b, a_won),
            (general, 1 / (3 * p)),
            (general + 1, a_won),
            (general + 2, b_won),
            (general + 3, np.where(outcome == TIE, hit, miss)),
        )
        for column, factor in factors:
            ratio[voter, column] = np.clip(ratio[voter, column] * factor, 1 / LIMIT, LIMIT)


def _labels(voter: Column, groups: NDArray[np.int64]) -> tuple[object, ...]:
    codes, labels = column_codes(voter, "voter")
    _, first = np.unique(groups, return_index=True)
    return tuple(labels[code] for code in codes[first].tolist())
