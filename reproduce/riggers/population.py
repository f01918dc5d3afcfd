"""What 1,000 honest voters and some riggers intend to do in a month: when, with which prompt, and how they would vote.

Which models a battle has is for the arena to draw. A vote follows from the plan and the pair, so that a plan gives the
same votes over HTTP as in a store, where the pairs are drawn here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ratings import POINTS_PER_LOGIT

MODELS, HONEST, VOTES, DAYS = 30, 1_000, 20_000, 30
SPREAD = 110.0  # points, sd of the models' true ratings
DAY = 86_400.0
LOG_NU = -0.35  # Davidson: a quarter of ties between equal models
NAMES = tuple(f"model-{number:02}" for number in range(MODELS))
LENGTHS = 900, 2_600  # characters of a completion, from the shortest to the longest model
WINNERS = ("model_a", "model_b", "tie")
NEVER = -50.0  # of a voter who never ties
COLUMNS = ("account", "time", "pace", "chance", "only", "prompt", "suggested")  # of a plan, one entry per battle

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Accounts:
    """One entry per account. `kind` is "honest" or the name of an attack; `taste` is (accounts, models)."""

    kind: NDArray[np.str_]
    address: NDArray[np.str_]
    taste: Floats
    side: Floats
    log_nu: Floats

    def joined(self, other: Accounts) -> Accounts:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Accounts(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class Plan:
    """One entry per intended battle, in order of time.

    `pace` is in characters of both completions a second, `chance` decides what is left to chance. `only` is the model
    without which the battle is left, or -1.
    """

    accounts: Accounts
    account: Numbers
    time: Floats
    pace: Floats
    chance: Floats
    only: Numbers
    prompt: NDArray[np.str_]
    suggested: NDArray[np.bool_]
    targets: dict[str, int]
    xi: Floats

    def __len__(self) -> int:
        return len(self.account)

    @property
    def kind(self) -> NDArray[np.str_]:
        """(battles,): the kind of account behind each."""
        return self.accounts.kind[self.account]

    def target(self, row: int) -> int:
        """The model that the account behind a battle favours or demotes."""
        return self.targets[str(self.accounts.kind[self.account[row]])]

    def outcome(self, row: int, a: int, b: int) -> int:
        """0 left, 1 right, 2 tie: the vote on the battle `row` with the models a and b."""
        account = self.account[row]
        vote = POLICIES.get(str(self.accounts.kind[account]), honest)
        return vote(self, row, a, b)

    def joined(self, other: Plan) -> Plan:
        """Both plans in order of time; the accounts of the other follow."""
        accounts = self.accounts.joined(other.accounts)
        shifted = other.account + len(self.accounts.kind)
        columns = {
            name: np.concatenate([getattr(self, name), shifted if name == "account" else getattr(other, name)])
            for name in COLUMNS
        }
        return Plan(accounts, targets=self.targets | other.targets, xi=self.xi, **columns).ordered()

    def first(self, number: int) -> Plan:
        """The first battles only."""
        columns = {name: getattr(self, name)[:number] for name in COLUMNS}
        return Plan(self.accounts, targets=self.targets, xi=self.xi, **columns)

    def ordered(self) -> Plan:
        """The same in order of time."""
        order = np.argsort(self.time, kind="stable")
        columns = {name: getattr(self, name)[order] for name in COLUMNS}
        return Plan(self.accounts, targets=self.targets, xi=self.xi, **columns)


def strengths() -> Floats:
    """(models,): true log-strengths, normal quantiles, the best first."""
    return np.asarray(-ndtri((np.arange(MODELS) + 0.5) / MODELS) * SPREAD / POINTS_PER_LOGIT)


def lengths() -> Numbers:
    """(models,): the characters of each model's completions, without regard to its strength."""
    shuffled = np.random.default_rng(7).permutation(MODELS)
    return (LENGTHS[0] + (LENGTHS[1] - LENGTHS[0]) * shuffled / (MODELS - 1)).astype(np.int64)


def honest(plan: Plan, row: int, a: int, b: int) -> int:
    """Davidson's model with the voter's own taste, side habit and habit of ties."""
    who, accounts = plan.account[row], plan.accounts
    lead = plan.xi[a] - plan.xi[b] + accounts.taste[who, a] - accounts.taste[who, b] + accounts.side[who]
    odds = np.exp([lead / 2, -lead / 2, accounts.log_nu[who]])
    return int(np.searchsorted(np.cumsum(odds / odds.sum()), plan.chance[row]))


def boosts(plan: Plan, row: int, a: int, b: int) -> int:
    target = plan.target(row)
    return 0 if a == target else 1 if b == target else honest(plan, row, a, b)


def demotes(plan: Plan, row: int, a: int, b: int) -> int:
    target = plan.target(row)
    return 1 if a == target else 0 if b == target else honest(plan, row, a, b)


def copies(plan: Plan, row: int, a: int, b: int) -> int:
    """For the target where it is shown, elsewhere by the public ranking."""
    target = plan.target(row)
    return 0 if a == target else 1 if b == target else int(plan.xi[a] < plan.xi[b])


def left(_plan: Plan, _row: int, _a: int, _b: int) -> int:
    return 0


def at_random(plan: Plan, row: int, _a: int, _b: int) -> int:
    return int(plan.chance[row] * 3)


POLICIES: dict[str, Callable[[Plan, int, int, int], int]] = {
    "booster": boosts, "demoter": demotes, "omnipresent": copies, "always left": left, "random": at_random,
    "replayer": boosts, "100 accounts": boosts, "network": copies, "network, one prompt pool": copies,
    "slow network": copies,
}  # fmt: skip
