"""The attack meter: what it costs at the present limits to move each model by one place.

`ratings.attack_cost` gives the votes. Here they become accounts, hours and money:

    accounts = ceil(votes / (caught_after - 1))     every account stops before the voter test would flag it
    hours    = what the limits of one address and of one account need for these battles and votes
    usd      = accounts * usd_per_account + battles * usd_per_battle + challenges * usd_per_challenge

The form of the last line: Huang et al. (2025), section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

import numpy as np

import ratings
from arena.config import Settings
from arena.errors import ConfigError, InputError
from arena.leaderboards.stored_counts import counts_of
from arena.rules.votes import HUMAN
from arena.store import Session

TARGET, OMNIPRESENT = "target", "omnipresent"
# Votes after which `ratings.check_voters` flags half of such attackers of a middle model, of 30 models and 20,000 votes
# (docs/ratings.md): the price of this default is that of an attacker who knows the test.
CAUGHT_AFTER = {TARGET: 29, OMNIPRESENT: 20}
ACCURACY = (
    0.95  # of telling models by their style: Huang et al. (2025) report more than this for most of 22 models
)
DAY = 24.0  # hours


@dataclass(frozen=True)
class Prices:
    """What an attacker pays in USD; without them there is no sum of money."""

    account: float
    battle: float
    challenge: float = 0.0


@dataclass(frozen=True)
class AttackTerms:
    """What stands in an attacker's way. A limit of None does not exist.

    Per hour for one voter and one address, per day for both; `battles_per_challenge` of a visitor who passed one.
    """

    battles_per_voter: int | None = None
    votes_per_voter: int | None = None
    battles_per_address: int | None = None
    votes_per_address: int | None = None
    votes_per_voter_a_day: int | None = None
    votes_per_address_a_day: int | None = None
    battles_per_challenge: int | None = None
    accuracy: float = ACCURACY
    caught_after: Mapping[str, int | None] = field(default_factory=lambda: dict(CAUGHT_AFTER))

    def accounts(self, attacker: str, votes: int) -> int:
        """The accounts that give so many votes without being caught."""
        caught = self.caught_after[attacker]
        return 1 if caught is None else math.ceil(votes / max(caught - 1, 1))

    def challenges(self, battles: int, accounts: int) -> int:
        """The challenges that are passed: at least one for each account."""
        each = self.battles_per_challenge
        return 0 if each is None else max(accounts, math.ceil(battles / each))

    def hours(self, votes: int, battles: int, accounts: int) -> float:
        """The hours from one address, all accounts at once."""
        needs = [
            _hours(battles, self.battles_per_address),
            _hours(votes, self.votes_per_address),
            _hours(battles / accounts, self.battles_per_voter),
            _hours(votes / accounts, self.votes_per_voter),
            _days(votes, self.votes_per_address_a_day),
            _days(votes / accounts, self.votes_per_voter_a_day),
        ]
        return max(needs)


def _hours(number: float, limit: int | None) -> float:
    """The hours that a limit an hour makes of a number; the first hour's share is free at once."""
    return max(0.0, number / limit - 1) if limit else 0.0


def _days(number: float, limit: int | None) -> float:
    return DAY * max(0.0, math.ceil(number / limit) - 1) if limit else 0.0


def terms_of(settings: Settings) -> AttackTerms:
    """The terms of the settings."""
    limits, challenge = settings.limits, settings.challenge
    return AttackTerms(
        battles_per_voter=limits.battles_per_voter or None,
        votes_per_voter=limits.votes_per_voter or None,
        battles_per_address=limits.battles_per_address or None,
        votes_per_address=limits.votes_per_address or None,
        votes_per_voter_a_day=limits.votes_per_voter_day or None,
        votes_per_address_a_day=limits.votes_per_address_day or None,
        battles_per_challenge=challenge.battles if challenge.on else None,
    )


@dataclass(frozen=True)
class AttackRow:
    """What it costs to move `model` past its `neighbour`; None where no number of such votes does."""

    model: str
    place: int
    direction: str  # up or down
    attacker: str  # target or omnipresent
    neighbour: str
    gap: float  # points
    votes: int | None
    battles: int | None
    accounts: int | None
    challenges: int | None
    hours: float | None
    usd: float | None = None


@dataclass(frozen=True)
class AttackCost:
    """The cost for every model at a moment."""

    rows: tuple[AttackRow, ...]
    terms: AttackTerms
    votes: int  # on the board
    measured_at: datetime
    prices: Prices | None = None

    def to_dict(self) -> dict[str, Any]:
        """The document that is stored and published."""
        return {
            "measured_at": self.measured_at.isoformat(timespec="seconds"),
            "votes": self.votes,
            "terms": asdict(self.terms),
            "prices": None if self.prices is None else asdict(self.prices),
            "summary": self.summary(),
            "models": self._models(),
        }

    def summary(self) -> dict[str, Any]:
        """The summary of all rows; see `summary_of`."""
        return summary_of(self._models(), self.votes)

    def _models(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.rows]


def summary_of(rows: Iterable[Mapping[str, Any]], board_votes: int) -> dict[str, Any]:
    """The votes of the cheapest place and of the median one, of any model and direction in published rows, by attacker."""
    of: dict[str, list[int]] = {TARGET: [], OMNIPRESENT: []}
    for row in rows:
        if row["votes"] is not None:
            of[row["attacker"]].append(row["votes"])
    found = {
        attacker: {"least": min(votes), "median": median(votes)} if votes else None
        for attacker, votes in of.items()
    }
    return {"board_votes": board_votes, **found}


def attack_cost(
    session: Session,
    weights: Mapping[str, float],
    terms: AttackTerms,
    measured_at: datetime,
    prices: Prices | None = None,
) -> AttackCost:
    """The cost on the leaderboard of people's votes, where models are drawn by these weights.

    Raises `InputError` for too few votes or models, `ConfigError` for an accuracy out of range.
    """
    if not 0.5 < terms.accuracy <= 1:
        raise ConfigError(
            f"--accuracy {terms.accuracy:g} is out of range. Give a probability above 0.5, such as 0.95."
        )
    counts = counts_of(session, HUMAN)
    drawn = np.array([max(weights.get(name, 0.0), 0.0) for name in counts.models])
    if np.count_nonzero(drawn) < 2 or not counts.battles:
        raise InputError(
            "The cost of an attack needs two models of arena.toml with votes. Run `arena serve` and vote."
        )
    costs = ratings.attack_cost(counts, ratings.pair_chances(drawn), accuracy=terms.accuracy)
    rows = tuple(_row(cost, terms, prices) for cost in costs)
    return AttackCost(rows, terms, int(counts.battles), measured_at, prices)


def _row(cost: ratings.PlaceCost, terms: AttackTerms, prices: Prices | None) -> AttackRow:
    about = (cost.model, cost.place, cost.direction, cost.attacker, cost.neighbour)
    gap = ratings.POINTS_PER_LOGIT * cost.gap
    if cost.votes is None or cost.battles is None:
        return AttackRow(*about, gap, None, None, None, None, None)
    accounts = terms.accounts(cost.attacker, cost.votes)
    challenges = terms.challenges(cost.battles, accounts)
    hours = terms.hours(cost.votes, cost.battles, accounts)
    usd = None
    if prices is not None:
        usd = accounts * prices.account + cost.battles * prices.battle + challenges * prices.challenge
    return AttackRow(*about, gap, cost.votes, cost.battles, accounts, challenges, hours, usd)


def cheapest(rows: Sequence[AttackRow]) -> list[AttackRow]:
    """For each model and direction the attack with the fewest battles, by place."""
    best: dict[tuple[str, str], AttackRow] = {}
    for row in rows:
        key = row.model, row.direction
        if row.battles is not None and (key not in best or row.battles < (best[key].battles or 0)):
            best[key] = row
    return sorted(best.values(), key=lambda row: (row.place, row.direction != "up"))
