"""Detection of bursts: within hours, far more accounts vote for one model than its rating explains.

For a model m and a window of time, each account counts once, with its first vote on m in the window that is no tie. The
null hypothesis: they vote independently, those for m with the probability expit(lead + FOND), where FOND is the taste for
m that those may share who came by one link. The number for m is then a sum of Bernoulli variables with different p,
and its upper tail is computed exactly. It is multiplied by the number of windows and models tested (Bonferroni). Only
windows that have ended are tested, so that each is tested once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ratings.data.battles import read_battles
from ratings.data.columns import Column, column_codes
from ratings.data.counts import Floats
from ratings.errors import BadOption
from ratings.inference.covariance import cluster_codes
from ratings.models.bradley_terry import PRIOR
from ratings.tools.voter_networks import FOND
from ratings.tools.voter_null import TASTE
from ratings.tools.voter_reference import DecisiveVotes, decisive_votes, reference

WINDOWS = (3600, 6 * 3600, 24 * 3600)  # seconds
LEAST = 8  # accounts
ROUNDS = 4

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Burst:
    """`won` of `accounts` voted for `model` from `start` to `end` (seconds), where at most `expected` are expected.

    `winners` are the accounts that voted for it; `p_value` is corrected for the number of tests.
    """

    model: str
    start: float
    end: float
    accounts: int
    won: int
    expected: float
    winners: tuple[object, ...]
    p_value: float


def check_bursts(
    model_a: Column, model_b: Column, winner: Column, voter: Column, time: Column, *, level: float = 0.01
) -> tuple[Burst, ...]:
    """The bursts, the smallest p-value first; the module states what holds. `time` (battles,) is in seconds.

    Raises BadOption for a level out of range, MissingValue for a vote without voter, and what `read_battles` raises.
    """
    if not 0 < level < 1:
        raise BadOption(f"level {level:g} is out of range. Give a number between 0 and 1.")
    battles = read_battles(model_a, model_b, winner)
    who = cluster_codes(voter, len(battles), "voter")
    votes = decisive_votes(battles, who, TASTE)
    seconds = np.asarray(time, dtype=np.float64)[votes.row]
    kept = np.ones(int(who.max()) + 1, dtype=bool)
    included, found = kept, []
    for _ in range(ROUNDS):
        if not included[votes.voter].any():
            break
        found = _found(votes, seconds, reference(votes, included, PRIOR).xi, level)
        remaining = kept.copy()
        for burst in found:
            remaining[burst.winners] = False
        if (remaining == included).all():
            break
        included = remaining
    codes, labels = column_codes(voter, "voter")
    _, first = np.unique(who, return_index=True)
    names = [labels[code] for code in codes[first].tolist()]
    return tuple(
        Burst(
            battles.models[b.model], b.start, b.end, b.accounts, b.won, b.expected,
            tuple(names[v] for v in b.winners.tolist()), b.p_value,
        )
        for b in sorted(found, key=lambda b: b.p_value)
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Burst:
    model: int
    start: float
    end: float
    accounts: int
    won: int
    expected: float
    winners: Numbers
    p_value: float


def _found(votes: DecisiveVotes, seconds: Floats, xi: Floats, level: float) -> list[_Burst]:
    tested = [burst for width in WINDOWS for burst in _of_width(votes, seconds, xi, width)]
    return [
        _Burst(b.model, b.start, b.end, b.accounts, b.won, b.expected, b.winners, b.p_value * len(tested))
        for b in tested
        if b.p_value * len(tested) <= level
    ]


def _of_width(votes: DecisiveVotes, seconds: Floats, xi: Floats, width: int) -> list[_Burst]:
    """The tests of every ended window of this width with enough accounts."""
    size, window = votes.size, np.floor(seconds / width).astype(np.int64)
    ended = np.flatnonzero(window < window.max(initial=0))
    rows = np.tile(ended, 2)
    model = np.r_[votes.model_a[ended], votes.model_b[ended]]
    other = np.r_[votes.model_b[ended], votes.model_a[ended]]
    won = np.r_[votes.left_won[ended], ~votes.left_won[ended]]
    cell = window[rows] * size + model
    order = np.lexsort((seconds[rows], votes.voter[rows], cell))
    cell, account = cell[order], votes.voter[rows][order]
    firsts = np.r_[True, (np.diff(cell) != 0) | (np.diff(account) != 0)][: len(cell)]
    chosen = order[firsts]
    p = expit(xi[model[chosen]] - xi[other[chosen]] + FOND)
    cells = cell[firsts]
    tests = []
    for part in np.split(np.arange(len(chosen)), np.flatnonzero(np.diff(cells)) + 1):
        if len(part) >= LEAST:
            hits = won[chosen[part]]
            start, m = divmod(int(cells[part[0]]), size)
            value = upper_tail(p[part], int(hits.sum()))
            winners = votes.voter[rows[chosen[part[hits]]]]
            expected = float(p[part].sum())
            tests.append(
                _Burst(m, start * width, (start + 1) * width, len(part), int(hits.sum()), expected, winners, value)
            )
    return tests


def upper_tail(p: Floats, successes: int) -> float:
    """P(X >= successes) of a sum X of independent Bernoulli variables with probabilities `p`, exactly."""
    distribution = np.ones(1)
    for chance in p.tolist():
        distribution = np.convolve(distribution, (1 - chance, chance))
    return float(distribution[successes:].sum())
