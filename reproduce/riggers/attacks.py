"""The riggers of a plan, each with accounts, targets, times and prompts of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reproduce.riggers.crowd import PACE
from reproduce.riggers.population import DAY, LOG_NU, MODELS, Accounts, Plan, strengths

INSTANT = 4_000.0  # characters a second: a script that votes when the texts have ended


@dataclass(frozen=True)
class Attack:
    """`accounts` of `each` tries within `days` from the day `since`, with `pool` prompts (0: never one twice)."""

    target: int | None = None
    accounts: int = 1
    each: int = 300
    since: float = 10.0
    days: float = 10.0
    pace: float = PACE
    leaves: bool = False  # battles without the target
    pool: int = 0
    addresses: int = 0  # of all accounts together; 0: one each


A_MINUTE = 1 / 50 / 24 / 60  # days a try: 50 a minute
ATTACKS = {
    "booster": Attack(14, each=1_000, days=1_000 * A_MINUTE, pace=INSTANT, leaves=True),
    "demoter": Attack(10, each=1_000, since=12, days=1_000 * A_MINUTE, pace=INSTANT, leaves=True),
    "omnipresent": Attack(18, each=300),
    "always left": Attack(each=300),
    "random": Attack(each=300),
    "replayer": Attack(20, each=400, days=0.5, pool=1),
    "100 accounts": Attack(16, accounts=100, each=10, since=14, days=0.25),
    "network": Attack(12, accounts=100, each=20, since=6),
    "network, one prompt pool": Attack(22, accounts=60, each=10, since=3, days=20, pool=20, addresses=6),
    "slow network": Attack(24, accounts=100, each=10, since=0.5, days=29),
}  # fmt: skip


def attack(name: str, seed: int) -> Plan:
    """The plan of one attack by itself."""
    how = ATTACKS[name]
    rng = np.random.default_rng([19, seed, list(ATTACKS).index(name)])
    number = how.accounts * how.each
    account = np.repeat(np.arange(how.accounts), how.each)
    time = (how.since + how.days * _spread(rng, how)) * DAY
    own = np.array([f"{name} {n if how.pool == 0 else n % how.pool}" for n in range(number)], dtype="U240")
    where = np.arange(how.accounts) % (how.addresses or how.accounts)
    accounts = Accounts(
        np.full(how.accounts, name, dtype="U24"),
        np.array([f"{name[:18]} {n}" for n in where.tolist()], dtype="U24"),
        np.zeros((how.accounts, MODELS)), np.zeros(how.accounts), np.full(how.accounts, LOG_NU),
    )  # fmt: skip
    pace = how.pace * np.exp(rng.normal(0, 0.4 if how.pace == PACE else 0.0, number))
    only = np.full(number, how.target if how.leaves and how.target is not None else -1)
    targets = {} if how.target is None else {name: how.target}
    return Plan(
        accounts, account, time, pace, rng.random(number), only, own, np.zeros(number, bool), targets, strengths()
    ).ordered()


def _spread(rng: np.random.Generator, how: Attack) -> np.ndarray:
    """The times of all tries in parts of the whole: of one account evenly, of many each in a short session."""
    if how.accounts == 1:
        return np.sort(rng.random(how.each))
    start = np.repeat(rng.random(how.accounts), how.each)
    return start + np.tile(np.arange(how.each) * 70 / DAY / how.days, how.accounts)
