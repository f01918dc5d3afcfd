"""The bets of alternatives against the nulls of a voter, vote by vote; `anomalous_voters` states what they prove."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ratings.data.counts import Floats
from ratings.tools.voter_null import Beliefs, beliefs
from ratings.tools.voter_reference import DecisiveVotes, Reference

SUCCESSES, FAILURES = 20.0, 0.2  # what an alternative has seen before the first vote: it succeeds in 99 %
FOLLOWS = 0.98  # how often one who favours a model votes by the ranking elsewhere
FAVOURS, DEMOTES, AND_FOLLOWS = 0.28, 0.05, 0.17  # weights, divided among the models
GENERAL = {
    "always left": 0.11, "always right": 0.11, "follows the ranking": 0.25, "votes against the ranking": 0.01,
    "always a tie": 0.02,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """Logs of the e-value and its peak, the flagging vote (0: none) and the best alternative, all (voters,)."""

    value: Floats
    peak: Floats
    after: NDArray[np.int64]
    best: NDArray[np.int64]

    def put(self, chosen: NDArray[np.int64], part: Evidence) -> None:
        """Write the results of the `chosen` voters."""
        for whole, some in zip(self._columns(), part._columns(), strict=True):
            whole[chosen] = some

    def or_else(self, other: Evidence) -> Evidence:
        """For each voter the one with the higher peak; the earlier flag of the two."""
        better = other.peak > self.peak
        both = (self.after > 0) & (other.after > 0)
        earlier = np.where(both, np.minimum(self.after, other.after), np.maximum(self.after, other.after))
        value, peak = np.maximum(self.value, other.value), np.maximum(self.peak, other.peak)
        return Evidence(value, peak, earlier, np.where(better, other.best, self.best))

    def _columns(self) -> tuple[NDArray[np.generic], ...]:
        return self.value, self.peak, self.after, self.best


@dataclass(frozen=True, eq=False)
class Bets:
    """The bets of some voters: log ratios (voters, alternatives, nulls), bets and successes (voters, alternatives).

    `following` (voters, 1 + models, nulls) has the log ratio of one who votes by the ranking in every battle, and its
    part in the battles of each model, so that it can be exchanged for that of one who favours the model.
    """

    votes: DecisiveVotes
    null: Beliefs
    xi: Floats
    ratio: Floats
    following: Floats
    bets: Floats
    successes: Floats
    value: Floats
    peak: Floats
    after: NDArray[np.int64]
    weight: Floats

    def bet(self, at: NDArray[np.int64], position: NDArray[np.int64], threshold: float) -> None:
        """One vote of each of the first voters, the `position`-th of all their votes."""
        size, n = self.votes.size, len(at)
        a, b, left = self.votes.model_a[at], self.votes.model_b[at], self.votes.left_won[at]
        p = self.null.learn(a, b, left)
        voter = np.arange(n)[:, None]
        general = np.full(n, 2 * size)
        columns = np.stack([a, b, size + a, size + b, general, general + 1, general + 2, general + 3], axis=1)
        ahead = self.xi[voter[:, 0], a] > self.xi[voter[:, 0], b]
        hit = np.stack([left, ~left, ~left, left, left, ~left, left == ahead, left != ahead], axis=1)
        bets, successes = self.bets[voter, columns], self.successes[voter, columns]
        q = (successes + SUCCESSES) / (bets + SUCCESSES + FAILURES)
        gain = np.log(np.where(hit, q, 1 - q))[:, :, None] - p[:, None, :]
        ratio = self.ratio[voter, columns] + gain
        self.ratio[voter, columns] = ratio
        self.bets[voter, columns] = bets + 1
        self.successes[voter, columns] = successes + hit
        self.value[voter, columns] = ratio.min(axis=2) + self.weight[columns]
        self.follow(a, b, left == ahead, p)
        total = logsumexp(self.value[:n], axis=1)
        np.maximum(self.peak[:n], total, out=self.peak[:n])
        crossed = (self.after[:n] == 0) & (total >= threshold)
        self.after[:n][crossed] = position[crossed]

    def follow(self, a: NDArray[np.int64], b: NDArray[np.int64], followed: NDArray[np.bool_], p: Floats) -> None:
        """Set the log e-values of one who favours a model and votes by the ranking elsewhere."""
        n, size = len(a), self.votes.size
        voter = np.arange(n)
        gain = np.log(np.where(followed, FOLLOWS, 1 - FOLLOWS))[:, None] - p
        for place in (np.zeros_like(a), 1 + a, 1 + b):
            self.following[voter, place] += gain
        whole = self.following[:n, :1] - self.following[:n, 1:] + self.ratio[:n, :size]
        self.value[:n, -size:] = whole.min(axis=2) + self.weight[-size:]

    def result(self) -> Evidence:
        """What the votes so far show; of alternatives that fit alike the one about a model is named."""
        best = (self.value - self.weight).argmax(axis=1)
        return Evidence(logsumexp(self.value, axis=1), self.peak, self.after, best)


def bets_of(votes: DecisiveVotes, crowd: Reference, chosen: NDArray[np.int64], taste: float) -> Bets:
    """Before the first vote of the `chosen` voters."""
    xi = crowd.without(votes, chosen)
    null = beliefs(xi, crowd.error, taste)
    weight = np.log(_weights(votes.size))
    nulls = len(null.side)
    shape = (len(chosen), len(weight))
    value = np.broadcast_to(weight, shape).copy()
    return Bets(
        votes, null, xi, np.zeros((*shape, nulls)), np.zeros((len(chosen), 1 + votes.size, nulls)),
        np.zeros(shape), np.zeros(shape),
        value, logsumexp(value, axis=1), np.zeros(len(chosen), np.int64), weight,
    )  # fmt: skip


def alternatives(models: tuple[str, ...]) -> list[str]:
    """The names of the alternatives, in the order of `_weights`, then "always a tie"."""
    *general, tie = GENERAL
    single = [f"{what} {model}" for what in ("favours", "demotes") for model in models]
    return [*single, *general, *(f"favours {model} and follows the ranking" for model in models), tie]


def _weights(size: int) -> Floats:
    """(alternatives,): with the weight of "always a tie" they add up to one."""
    *general, _ = GENERAL.values()
    shared = [np.full(size, weight / size) for weight in (FAVOURS, DEMOTES, AND_FOLLOWS)]
    return np.concatenate([*shared[:2], general, shared[2]])
