"""Detection of anomalous voters, by a test that stays valid when it is read after every vote.

Each voter is tested against the null hypothesis of `voter_null`: an honest voter who may have a taste and a side
habit of their own and ties as often as they like. An alternative k is a cheat: one who favours or demotes a model,
takes a side, or votes by the public ranking whatever the completions are. On the votes that concern it, it bets on
what it is after, with the share of earlier successes; elsewhere it agrees with the null. Its e-value is

    E_k = min over nulls of  product over votes of  P_k(vote | earlier votes) / P_null(vote | earlier votes)

Under each null the product is a martingale of mean one, and E_k is no larger (universal inference: Wasserman, Ramdas &
Balakrishnan, PNAS 117, 2020). With weights w_k of sum one, sum_k w_k E_k is no larger than such a martingale either, and by
Ville's inequality P(it ever reaches 1/level) is at most `level`, however often it is read.

"Always a tie" is tested by itself: the null is a voter whose odds of a tie are up to exp(TIE_HABIT) times the others'.
The ratings come from all other voters. Those who are flagged are left out of them and all are tested again, until the
same are flagged. Random votes are within the null: a taste can undo the ranking. The probabilities of the null are
approximate and its ratings estimated; reproduce/voters.py measures what is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.data.battles import Battles, read_battles
from ratings.data.columns import Column, column_codes, same_length
from ratings.data.counts import Floats
from ratings.data.outcomes import TIE
from ratings.errors import BadOption
from ratings.inference.covariance import cluster_codes
from ratings.models.bradley_terry import PRIOR
from ratings.tools.voter_bets import GENERAL, Evidence, alternatives, bets_of
from ratings.tools.voter_null import TASTE
from ratings.tools.voter_reference import DecisiveVotes, Reference, decisive_votes, reference

SIGNIFICANCE_LEVEL = 0.01
ROUNDS = 5  # of leaving out the flagged
STATES = 1 << 22  # numbers kept at a time
ALWAYS_A_TIE = 0.98
TIE_HABIT = 2.0  # log odds: 25 % of ties become 71 %
LEAST_TIES = 0.5  # where the others never tie, their share says nothing about one who does


@dataclass(frozen=True, eq=False)
class VoterCheck:
    """One entry per voter, in order of label.

    `e_value` (voters,) is the sum of w_k E_k after all votes, `peak` its largest value so far, `votes` their number,
    `flagged_after` the vote at which 1/level was reached (0: never), and `likeliest` the alternative that fits best.
    `taste` is the bound of the null in logits.
    """

    voters: tuple[object, ...]
    votes: NDArray[np.int64]
    e_value: Floats
    peak: Floats
    flagged_after: NDArray[np.int64]
    likeliest: tuple[str, ...]
    level: float
    taste: float = TASTE

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
    taste: float = TASTE,
    prior: float = PRIOR,
    excluded: Column = None,
) -> VoterCheck:
    """The e-process of every voter over the votes in the order of rows; the module states what holds.

    `model_a` was shown on the left. Both bad counts as a tie. `taste` is the bound on the standard deviation, in logits,
    of a voter's own taste for a model. The voters of rows marked in `excluded` (battles,) are tested and not used for
    the ratings. Raises BadOption for an option out of range or for a single voter, MissingValue for a vote without
    voter, and what `read_battles` raises.
    """
    _check_range("level", level, 1.0)
    _check_range("taste", taste, 3.0)
    _check_range("prior", prior, 100.0)
    battles = read_battles(model_a, model_b, winner)
    groups = cluster_codes(voter, len(battles), "voter")
    kept = np.ones(int(groups.max()) + 1, dtype=bool)
    if excluded is not None:
        marked = np.asarray(excluded, dtype=bool)
        same_length(battles=groups, excluded=marked)
        kept[groups[marked]] = False
    test = _Test(battles, decisive_votes(battles, groups, taste), groups, level, taste)
    result = test.until_stable(kept, prior)
    names = alternatives(battles.models)
    return VoterCheck(
        voters=_labels(voter, groups),
        votes=np.bincount(groups),
        e_value=np.exp(np.minimum(result.value, 460.0)),
        peak=np.exp(np.minimum(result.peak, 460.0)),
        flagged_after=result.after,
        likeliest=tuple(names[k] for k in result.best.tolist()),
        level=level,
        taste=taste,
    )


def _check_range(name: str, value: float, top: float) -> None:
    if not 0 < value < top:
        raise BadOption(f"{name} {value:g} is out of range. Give a number between 0 and {top:g}.")


@dataclass(frozen=True, eq=False)
class _Test:
    battles: Battles
    votes: DecisiveVotes
    groups: NDArray[np.int64]
    level: float
    taste: float

    def until_stable(self, kept: NDArray[np.bool_], prior: float) -> Evidence:
        """Test all voters, leave the flagged out of the ratings, and again, until the flagged are the same."""
        included = kept
        for _ in range(ROUNDS):
            result = self.run(reference(self.votes, included, prior))
            remaining = kept & (result.after == 0)
            if (remaining == included).all() or not remaining.any():
                break
            included = remaining
        return result

    def run(self, crowd: Reference) -> Evidence:
        """One test of all voters against these ratings."""
        voters = len(crowd.included)
        result = _ties(self, crowd.included)
        many = np.bincount(self.votes.voter, minlength=voters)
        block = max(64, STATES // (24 * self.votes.size))
        by_votes = np.argsort(-many, kind="stable")
        sided = Evidence(
            np.zeros(voters), np.zeros(voters), np.zeros(voters, np.int64), np.zeros(voters, np.int64)
        )
        order = np.argsort(self.votes.voter, kind="stable")
        first = np.cumsum(many) - many
        position = _positions(self.groups)[self.votes.row]
        for chosen in np.array_split(by_votes, -(-voters // block)):
            process = bets_of(self.votes, crowd, chosen, self.taste)
            for turn in range(int(many[chosen[0]])):
                still = int(np.count_nonzero(many[chosen] > turn))
                at = order[first[chosen[:still]] + turn]
                process.bet(at, position[at] + 1, np.log(1 / self.level))
            sided.put(chosen, process.result())
        return sided.or_else(result)


def _positions(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """(battles,): how many earlier votes the voter of each has given."""
    order = np.argsort(groups, kind="stable")
    many = np.bincount(groups)
    position = np.empty(len(groups), np.int64)
    position[order] = np.arange(len(groups)) - np.repeat(np.cumsum(many) - many, many)
    return position


def _ties(test: _Test, included: NDArray[np.bool_]) -> Evidence:
    """The test of "always a tie": each vote is a tie with at most the highest probability of the null."""
    tied, many = test.battles.outcome >= TIE, np.bincount(test.groups)
    own = np.bincount(test.groups, tied, len(many))
    others = np.where(included, own, 0).sum() - np.where(included, own, 0)
    of = np.where(included, many, 0).sum() - np.where(included, many, 0)
    share = (others + 0.5) / (of + 1)
    odds = share / (1 - share) * np.exp(TIE_HABIT)
    highest = np.clip(odds / (1 + odds), LEAST_TIES, 0.97)[test.groups]
    step = np.where(tied, np.log(ALWAYS_A_TIE / highest), np.log((1 - ALWAYS_A_TIE) / (1 - highest)))
    order = np.argsort(test.groups, kind="stable")
    first = np.cumsum(many) - many
    total = np.cumsum(step[order])
    path = total - np.repeat(np.r_[0.0, total][first], many) + np.log(GENERAL["always a tie"])
    reached = path >= np.log(1 / test.level)
    when = np.where(reached, _positions(test.groups)[order] + 1, len(path) + 1)
    after = np.minimum.reduceat(when, first)
    value, peak = path[first + many - 1], np.maximum.reduceat(path, first)
    best = np.full(len(many), 3 * test.votes.size + len(GENERAL) - 1)
    return Evidence(value, peak, np.where(after > len(path), 0, after), best)


def _labels(voter: Column, groups: NDArray[np.int64]) -> tuple[object, ...]:
    codes, labels = column_codes(voter, "voter")
    _, first = np.unique(groups, return_index=True)
    return tuple(labels[code] for code in codes[first].tolist())
