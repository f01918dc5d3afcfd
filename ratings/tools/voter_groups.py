"""Detection of coordinated accounts: small accounts of the same time that favour the same model.

Ten votes of one account prove nothing, the same ten of a hundred accounts do. For a model m and a window of time, the
accounts with at most SMALL votes whose first vote is in the window are a group. With y = 1 where m is preferred,

    r_v = sum over the votes of account v on m, without ties, of y - p,     h_v = sum of p (1 - p)
    Z = sum_v r_v / sqrt(sum_v [h_v + taste² (h_v² + sum_j h_vj²)] + (SHARED² + e_m) (sum_v h_v)²)

where p comes from the votes outside the window, e_m is the variance of the rating of m by them, and h_vj are the terms
of h_v against the opponent j. The null hypothesis: every account has a taste of its own with an sd of `taste` logits,
independent of the others', and all who came in the window may share a taste for m with an sd of SHARED logits, as
those do who followed one link. Where accounts vary more, the sum of r_v² takes the place of the first sum. The
one-sided normal p-value of Z is multiplied by the number of groups tested, models times windows (Bonferroni). Groups
with a small p-value are left out of the ratings and all are tested again. Fans who are spread over time are in
different windows and are not flagged. reproduce/voters.py measures both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from ratings.data.battles import read_battles
from ratings.data.columns import Column, column_codes, same_length
from ratings.data.counts import Floats
from ratings.errors import BadOption, MissingValue
from ratings.inference.covariance import cluster_codes
from ratings.inference.hessian import pair_information, win_probability
from ratings.models.bradley_terry import PRIOR, maximise_likelihood
from ratings.tools.voter_null import TASTE
from ratings.tools.voter_reference import DecisiveVotes, decisive_votes

SMALL = 30  # votes: an account with more is tested by itself
LEAST = 10  # accounts: below this the sum is not normal
SHARED = 0.25  # logits: 43 points
WINDOWS = (6 * 3600, 24 * 3600, 7 * 24 * 3600)  # seconds
ROUNDS = 4


@dataclass(frozen=True)
class VoterGroup:
    """Accounts that favour `model`, by their first vote between `start` and `end` (seconds, `end` excluded).

    `accounts` are those that voted on the model without a tie, `votes` these votes and `won` those for the model, `expected`
    the number by the ratings; `p_value` is corrected for the `tested` groups.
    """

    model: str
    start: float
    end: float
    accounts: tuple[object, ...]
    votes: int
    won: int
    expected: float
    p_value: float


@dataclass(frozen=True)
class GroupCheck:
    """The flagged groups, the smallest p-value first, and the number of groups that were tested."""

    groups: tuple[VoterGroup, ...]
    tested: int
    level: float

    @property
    def accounts(self) -> frozenset[object]:
        """All accounts of flagged groups."""
        return frozenset(account for group in self.groups for account in group.accounts)


def check_groups(
    model_a: Column,
    model_b: Column,
    winner: Column,
    voter: Column,
    time: Column,
    *,
    level: float = 0.01,
    taste: float = TASTE,
    excluded: Column = None,
) -> GroupCheck:
    """The groups of small accounts that favour one model in the same time; the module states what holds.

    `time` (battles,) is in seconds. The voters of rows marked in `excluded` (battles,) are neither tested nor used for
    the ratings. Raises as `check_voters`, and MissingValue for a time that is not finite.
    """
    if not 0 < level < 1:
        raise BadOption(f"level {level:g} is out of range. Give a number between 0 and 1.")
    battles = read_battles(model_a, model_b, winner)
    groups = cluster_codes(voter, len(battles), "voter")
    seconds = np.asarray(time, dtype=np.float64)
    marked = np.zeros(len(battles), dtype=bool) if excluded is None else np.asarray(excluded, dtype=bool)
    same_length(battles=groups, time=seconds, excluded=marked)
    if not np.isfinite(seconds).all():
        row = int(np.argmin(np.isfinite(seconds)))
        raise MissingValue(f"row {row}: no time. Give one for every battle.")
    first = np.full(int(groups.max()) + 1, np.inf)
    np.minimum.at(first, groups, seconds)
    many, out = np.bincount(groups), np.zeros(len(first), dtype=bool)
    out[groups[marked]] = True
    test = _Test(decisive_votes(battles, groups, taste), first, (many <= SMALL) & ~out, taste)
    found, tested = test.until_stable(~out, level)
    names = _labels(voter, groups)
    return GroupCheck(
        tuple(
            VoterGroup(
                model=battles.models[g.model],
                start=g.start,
                end=g.end,
                accounts=tuple(names[v] for v in g.accounts.tolist()),
                votes=g.votes,
                won=g.won,
                expected=g.expected,
                p_value=g.p_value,
            )
            for g in found
        ),
        tested,
        level,
    )


@dataclass(frozen=True, eq=False)
class _Group:
    model: int
    start: float
    end: float
    accounts: NDArray[np.int64]
    votes: int
    won: int
    expected: float
    p_value: float

    def overlaps(self, others: list[_Group]) -> bool:
        """Whether its time overlaps with that of a listed group of the same model."""
        return any(g.model == self.model and g.start < self.end and self.start < g.end for g in others)


@dataclass(frozen=True, eq=False)
class _Test:
    """Votes, and of each voter the first time and whether the account is small."""

    votes: DecisiveVotes
    first: Floats
    small: NDArray[np.bool_]
    taste: float

    def until_stable(self, kept: NDArray[np.bool_], level: float) -> tuple[list[_Group], int]:
        """The groups flagged when the ratings come from accounts of no flagged group."""
        included = kept
        for _ in range(ROUNDS):
            tested = [group for width in WINDOWS for group in self.of_width(width, included)]
            flagged = [g for g in tested if g.p_value * len(tested) <= level]
            remaining = kept.copy()
            for group in flagged:
                remaining[group.accounts] = False
            if (remaining == included).all():
                break
            included = remaining
        listed: list[_Group] = []
        for group in sorted(flagged, key=lambda g: (g.p_value, g.end - g.start, g.start, g.model)):
            if not group.overlaps(listed):
                listed.append(group)
        return [replace(g, p_value=min(1.0, g.p_value * len(tested))) for g in listed], len(tested)

    def of_width(self, width: float, included: NDArray[np.bool_]) -> list[_Group]:
        """The groups of every window of this width."""
        window = np.floor(self.first / width)
        small = self.small[self.votes.voter]
        row = np.flatnonzero(small)
        row = row[np.argsort(window[self.votes.voter[row]], kind="stable")]
        of_row = window[self.votes.voter[row]]
        wins = self.votes.wins(included[self.votes.voter])
        start = maximise_likelihood(wins, PRIOR)
        groups: list[_Group] = []
        for part in np.split(row, np.flatnonzero(np.diff(of_row)) + 1):
            if len(np.unique(self.votes.voter[part])) >= LEAST:
                inside = part[included[self.votes.voter[part]]]
                outside = np.maximum(wins - self.votes.wins(inside), 0.0)
                since = float(window[self.votes.voter[part[0]]] * width)
                groups += self.of_window(part, _ratings(outside, start), since, since + width)
        return groups

    def of_window(self, part: NDArray[np.int64], crowd: _Ratings, start: float, end: float) -> list[_Group]:
        """One group for every model with enough accounts among the votes `part`."""
        xi = crowd.xi
        a, b, left = self.votes.model_a[part], self.votes.model_b[part], self.votes.left_won[part]
        voter, model, other = np.tile(self.votes.voter[part], 2), np.r_[a, b], np.r_[b, a]
        won = np.r_[left, ~left]
        p = expit(xi[model] - xi[other])
        groups = []
        for m in np.unique(model).tolist():
            at = model == m
            accounts, who = np.unique(voter[at], return_inverse=True)
            if len(accounts) >= LEAST:
                _, pair = np.unique(who * len(xi) + other[at], return_inverse=True)
                value = self.p_value(won[at] - p[at], p[at] * (1 - p[at]), who, pair, crowd.error[m])
                votes, expected = int(at.sum()), float(p[at].sum())
                groups.append(_Group(m, start, end, accounts, votes, int(won[at].sum()), expected, value))
        return groups

    def p_value(
        self,
        residual: Floats,
        information: Floats,
        who: NDArray[np.int64],
        pair: NDArray[np.int64],
        error: float,
    ) -> float:
        """That of Z for the votes of one group; `who` and `pair` number their accounts and opponents."""
        r, h, h_pair = np.bincount(who, residual), np.bincount(who, information), np.bincount(pair, information)
        own = h.sum() + self.taste**2 * ((h**2).sum() + (h_pair**2).sum())
        variance = max(own, float((r**2).sum())) + (SHARED**2 + error) * h.sum() ** 2
        return float(ndtr(-r.sum() / np.sqrt(variance)))


@dataclass(frozen=True, eq=False)
class _Ratings:
    """Log-strengths and their variances, both (models,)."""

    xi: Floats
    error: Floats


def _ratings(wins: Floats, start: Floats) -> _Ratings:
    xi = maximise_likelihood(wins, PRIOR, start=start)
    information = pair_information(wins + wins.T, win_probability(xi))
    return _Ratings(xi, 1 / (information.sum(axis=1) + PRIOR))


def _labels(voter: Column, groups: NDArray[np.int64]) -> tuple[object, ...]:
    codes, labels = column_codes(voter, "voter")
    _, first = np.unique(groups, return_index=True)
    return tuple(labels[code] for code in codes[first].tolist())
