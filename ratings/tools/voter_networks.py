"""Detection of networks: small accounts that vote for one model, and by the public ranking elsewhere as a cover.

One such account looks like a voter who knows the models well. For account v and model m, the log likelihood ratio is

    l_vm = sum over v's votes, without ties, of log q - log p,    q = FOLLOWS where the vote is the expected one

expected: for m in its battles, by the ranking elsewhere. p is what the null allows at most of an honest voter who is
SHARPNESS times as sure of the ranking as the crowd, and who may share a taste for m of FOND logits with others who came
the same way. A group of accounts, those of one window of time or with one label (an address, a prompt), has the e-value

    E_m = mean over shares s of  product over v of  (1 - s + s exp(l_vm))

because any part of a group may be honest. As each factor has a mean of at most one, so has E_m. A group is flagged
where E_m reaches models * groups / level (Markov, Bonferroni). Its members are the accounts that belong to it with a
probability of MEMBER or more, or of VOTED_FOR if they ever voted for m: the votes that move its place. The probability is
averaged over the shares, and given also how the account ties (`voter_ties`; that proves no network, because honest voters
who came the same way may share a habit). The strongest network is named first, and its members
are no evidence for another one: among accounts that copy the ranking every good model looks favoured, and where most of a
small group are riggers of a known network, honest voters of the same hour would be taken for the rest of a second one.
reproduce/rigging.py measures honest voters held and networks found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from ratings.data.battles import read_battles
from ratings.data.columns import Column, column_codes, same_length
from ratings.data.counts import Floats
from ratings.errors import BadOption, MissingValue
from ratings.inference.covariance import cluster_codes
from ratings.models.bradley_terry import PRIOR
from ratings.tools.voter_null import TASTE
from ratings.tools.voter_reference import DecisiveVotes, decisive_votes, reference
from ratings.tools.voter_ties import tie_evidence

FOLLOWS = 0.97  # how often a member votes as expected
SHARPNESS, FOND = 1.5, 0.5  # logits for FOND: twice the shared taste of `voter_groups`
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)  # of a group that may belong to a network
MEMBER, VOTED_FOR = 0.9, 0.8
LEAST = 3  # members
MOST = 60  # votes of an account: one with more is tested by itself
WINDOWS = (6 * 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600)  # seconds
ROUNDS = 4

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """Accounts that favour `model` and copy the ranking elsewhere; `shared` says what puts them into one group.

    `e_value` is divided by the number of tests, so that it is to be compared with 1 / level.
    """

    model: str
    shared: str
    accounts: tuple[object, ...]
    e_value: float


@dataclass(frozen=True)
class NetworkCheck:
    """The networks found, the strongest evidence first, and the number of groups that were tested."""

    networks: tuple[Network, ...]
    tested: int
    level: float

    @property
    def accounts(self) -> frozenset[object]:
        """All accounts of networks."""
        return frozenset(account for network in self.networks for account in network.accounts)


def check_networks(
    model_a: Column,
    model_b: Column,
    winner: Column,
    voter: Column,
    time: Column,
    *,
    labels: Mapping[str, Column] | None = None,
    level: float = 0.01,
    excluded: Column = None,
    distrusted: Column = None,
) -> NetworkCheck:
    """The networks among accounts of few votes; the module states what holds.

    `time` (battles,) is in seconds. `labels` are further columns, such as prompts, by the name of what they are: accounts
    with one label are a group as well; an empty label is none. The voters of rows marked in `excluded` (battles,) are
    neither tested nor used for the ratings; those of rows marked in `distrusted` are tested only: some who were flagged by
    themselves may belong to a network. Raises as `check_groups`.
    """
    if not 0 < level < 1:
        raise BadOption(f"level {level:g} is out of range. Give a number between 0 and 1.")
    battles = read_battles(model_a, model_b, winner)
    who = cluster_codes(voter, len(battles), "voter")
    seconds = np.asarray(time, dtype=np.float64)
    marked, doubted = (
        np.zeros(len(battles), dtype=bool) if column is None else np.asarray(column, dtype=bool)
        for column in (excluded, distrusted)
    )
    same_length(battles=who, time=seconds, excluded=marked, distrusted=doubted)
    if not np.isfinite(seconds).all():
        row = int(np.argmin(np.isfinite(seconds)))
        raise MissingValue(f"row {row}: no time. Give one for every battle.")
    many = np.bincount(who)
    kept = np.ones(len(many), dtype=bool)
    kept[who[marked]] = False
    rated = kept.copy()
    rated[who[doubted]] = False
    first = np.full(len(many), np.inf)
    np.minimum.at(first, who, seconds)
    groups = list(_of_time(first, (many <= MOST) & kept))
    for name, column in (labels or {}).items():
        same_length(battles=who, **{name: np.asarray(column)})
        groups += _of_label(name, np.asarray(column), who, (many <= MOST) & kept)
    found = _until_stable(decisive_votes(battles, who, TASTE), groups, many, rated, level)
    names = _labels(voter, who)
    networks = [
        Network(battles.models[f.model], f.shared, tuple(names[v] for v in f.accounts.tolist()), f.e_value)
        for f in sorted(found, key=lambda f: -f.e_value)
    ]
    return NetworkCheck(tuple(networks), len(groups), level)


@dataclass(frozen=True, eq=False)
class _Group:
    shared: str
    accounts: Numbers


@dataclass(frozen=True, eq=False)
class _Found:
    model: int
    shared: str
    accounts: Numbers
    e_value: float


def _of_time(first: Floats, small: NDArray[np.bool_]) -> Iterator[_Group]:
    """The small accounts by the window of their first vote."""
    chosen = np.flatnonzero(small)
    for width in WINDOWS:
        window = np.floor(first[chosen] / width)
        for start in np.unique(window).tolist():
            accounts = chosen[window == start]
            if len(accounts) >= LEAST:
                yield _Group(f"first votes within {width // 3600} hours", accounts)


def _of_label(name: str, column: NDArray[np.generic], who: Numbers, small: NDArray[np.bool_]) -> Iterator[_Group]:
    """The small accounts that have a label in common."""
    texts = column.astype(str)
    rows = np.flatnonzero((texts != "") & small[who])
    if len(rows) == 0:
        return
    values, code = np.unique(texts[rows], return_inverse=True)
    pairs = np.unique(np.stack([code, who[rows]], axis=1), axis=0)
    ends = np.cumsum(np.bincount(pairs[:, 0], minlength=len(values)))
    for part in np.split(pairs[:, 1], ends[:-1]):
        if len(part) >= LEAST:
            yield _Group(f"the same {name}", part)


def _until_stable(
    votes: DecisiveVotes, groups: list[_Group], many: Numbers, rated: NDArray[np.bool_], level: float
) -> list[_Found]:
    """The networks when the ratings come from the `rated` accounts of no network."""
    ties = np.where(many <= MOST, many - np.bincount(votes.voter, minlength=len(many)), 0)
    small = np.minimum(many, MOST)
    included = rated
    found: list[_Found] = []
    for _ in range(ROUNDS):
        ratios = _ratios(votes, reference(votes, included, PRIOR).xi, len(rated))
        tests = len(groups) * votes.size
        habits = tie_evidence(ties, small, included & (many <= MOST))
        found = _explained(votes, groups, ratios, habits, tests, level)
        remaining = rated.copy()
        for network in found:
            remaining[network.accounts] = False
        if (remaining == included).all():
            break
        included = remaining
    return found


def _ratios(votes: DecisiveVotes, xi: Floats, accounts: int) -> Floats:
    """(accounts, models): the log likelihood ratios l of the module."""
    size = votes.size
    ahead = np.where(votes.left_won, xi[votes.model_a] - xi[votes.model_b], xi[votes.model_b] - xi[votes.model_a])
    # Where the null could be surer of a vote than a member is, the vote says nothing.
    sure = np.minimum(expit(SHARPNESS * np.abs(ahead)), FOLLOWS)
    by_rank = np.where(ahead >= 0, np.log(FOLLOWS / sure), np.log((1 - FOLLOWS) / (1 - sure)))
    ratios = np.repeat(np.bincount(votes.voter, by_rank, accounts)[:, None], size, axis=1)
    winner = np.where(votes.left_won, votes.model_a, votes.model_b)
    loser = np.where(votes.left_won, votes.model_b, votes.model_a)
    likely = np.minimum(expit(ahead + FOND), FOLLOWS)
    against = np.minimum(expit(-ahead + FOND), FOLLOWS)
    np.add.at(ratios, (votes.voter, winner), np.log(FOLLOWS / likely) - by_rank)
    np.add.at(ratios, (votes.voter, loser), np.log((1 - FOLLOWS) / (1 - against)) - by_rank)
    return np.asarray(ratios)


def _explained(
    votes: DecisiveVotes, groups: list[_Group], ratios: Floats, habits: Floats, tests: int, level: float
) -> list[_Found]:
    """The networks, the strongest first; an account of one is no evidence for another."""
    enough = np.log(tests) - np.log(level)
    free = np.ones(len(ratios), dtype=bool)
    left = {number: _evidence(group.accounts, ratios) for number, group in enumerate(groups)}
    found: list[_Found] = []
    while left := {number: evidence for number, evidence in left.items() if evidence.max() >= enough}:
        strongest = max(left, key=lambda number: float(left[number].max()))
        model, group = int(left[strongest].argmax()), groups[strongest]
        e_value = float(np.exp(min(left[strongest][model] - np.log(tests), 460.0)))
        left[strongest][model] = -np.inf  # tested
        accounts = group.accounts[free[group.accounts]]
        needed = np.where(_voted_for(votes, model, len(free))[accounts], VOTED_FOR, MEMBER)
        members = accounts[_belongs(ratios[accounts, model], habits[accounts]) >= needed]
        if len(members) < LEAST:
            continue
        found.append(_Found(model, group.shared, members, e_value))
        free[members] = False
        taken = np.zeros_like(free)
        taken[members] = True
        for number, evidence in left.items():
            of_group = groups[number].accounts
            if taken[of_group].any():
                left[number] = np.minimum(evidence, _evidence(of_group[free[of_group]], ratios))
    return found


def _evidence(accounts: Numbers, ratios: Floats) -> Floats:
    """(models,): the logarithm of E_m of the module."""
    return np.asarray(logsumexp(_by_share(ratios[accounts]), axis=0) - np.log(len(SHARES)))


def _by_share(own: Floats) -> Floats:
    """(shares, ...): the logarithm of the product over the accounts, the first axis of `own`, for each share."""
    return np.stack(
        [np.logaddexp(np.log1p(-s) if s < 1 else -np.inf, np.log(s) + own).sum(axis=0) for s in SHARES]
    )


def _voted_for(votes: DecisiveVotes, model: int, accounts: int) -> NDArray[np.bool_]:
    """(accounts,): whether each ever voted for the model."""
    winner = np.where(votes.left_won, votes.model_a, votes.model_b)
    return np.bincount(votes.voter[winner == model], minlength=accounts) > 0


def _belongs(own: Floats, habit: Floats) -> Floats:
    """(accounts,): the probability that each account of a group belongs to its network, averaged over the shares."""
    by_share = _by_share(own)
    shares = np.array(SHARES)[:, None]
    with np.errstate(divide="ignore"):
        odds = np.log(shares) - np.log1p(-shares) + own + habit
    return np.asarray(np.exp(by_share - logsumexp(by_share)) @ expit(odds))


def _labels(voter: Column, groups: Numbers) -> tuple[object, ...]:
    codes, labels = column_codes(voter, "voter")
    _, first = np.unique(groups, return_index=True)
    return tuple(labels[code] for code in codes[first].tolist())
