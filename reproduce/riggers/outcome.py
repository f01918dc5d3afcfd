"""What became of the votes of a plan: refused by a limit, held at the vote, held by a check of voters, or counted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import ratings
from arena.battles.vote_checks import finding
from arena.config import LimitSettings
from arena.rules.votes import WINNERS
from arena.store.trust_votes import TrustVotes, prompt_label
from arena.store.vote_evidence import RECENT, CastEvidence
from arena.trust.checks import Finding
from reproduce.riggers.in_columns import Votes, cast
from reproduce.riggers.in_store import START, account_name
from reproduce.riggers.population import DAY, MODELS, NAMES, Numbers, Plan, lengths

HOUR = 3600.0
QUICK = 1_000.0  # letters a second: a script, which needs no second of reaction
REACTION = 1.0


def admitted(plan: Plan, seed: int, limits: LimitSettings | None) -> tuple[Votes, NDArray[np.bool_]]:
    """The votes that the limits let through (None: all), and which of these are held at the vote."""
    rng = np.random.default_rng([20, seed])
    a = rng.integers(0, MODELS, len(plan))
    b = (a + rng.integers(1, MODELS, len(plan))) % MODELS
    meets = (plan.only < 0) | (a == plan.only) | (b == plan.only)
    gate = _Gate(limits)
    rows = [row for row in range(len(plan)) if gate.begins(plan, row) and meets[row] and gate.votes(plan, row)]
    chosen = np.array(rows, dtype=np.int64)
    votes = cast(plan, chosen, a[chosen], b[chosen])
    return votes, _held_at_the_vote(plan, votes, limits or LimitSettings())


class _Gate:
    """The limits of an hour and of a day, as `arena.battles.visitor_limits` applies them."""

    def __init__(self, limits: LimitSettings | None) -> None:
        self.limits = limits
        self._hours: dict[tuple[str, object], deque[float]] = {}
        self._days: dict[tuple[object, int], int] = {}

    def begins(self, plan: Plan, row: int) -> bool:
        if self.limits is None:
            return True
        most = self.limits.battles_per_voter, self.limits.battles_per_address
        return self._within("battle", plan, row, most)

    def votes(self, plan: Plan, row: int) -> bool:
        if self.limits is None:
            return True
        keys = int(plan.account[row]), str(plan.accounts.address[plan.account[row]])
        day = int(plan.time[row] // DAY)
        most = self.limits.votes_per_voter_day, self.limits.votes_per_address_day
        if any(self._days.get((key, day), 0) >= top for key, top in zip(keys, most, strict=True)):
            return False
        if not self._within("vote", plan, row, (self.limits.votes_per_voter, self.limits.votes_per_address)):
            return False
        for key in keys:
            self._days[key, day] = self._days.get((key, day), 0) + 1
        return True

    def _within(self, action: str, plan: Plan, row: int, most: tuple[int, int]) -> bool:
        at = float(plan.time[row])
        keys = int(plan.account[row]), str(plan.accounts.address[plan.account[row]])
        queues = [self._hours.setdefault((action, key), deque()) for key in keys]
        for queue in queues:
            while queue and queue[0] <= at - HOUR:
                queue.popleft()
        if any(len(queue) >= top for queue, top in zip(queues, most, strict=True)):
            return False
        for queue in queues:
            queue.append(at)
        return True


def _held_at_the_vote(plan: Plan, votes: Votes, limits: LimitSettings) -> NDArray[np.bool_]:
    """(votes,): which ones the checks at the vote hold."""
    letters = lengths()[votes.a] + lengths()[votes.b]
    pace = plan.pace[votes.row]
    seconds = letters / pace + np.where(pace < QUICK, REACTION, 0.0)
    recent: dict[int, deque[tuple[float, int, bool]]] = {}
    held = np.zeros(len(votes), dtype=bool)
    for n in range(len(votes)):
        mine = recent.setdefault(int(votes.voter[n]), deque(maxlen=RECENT))
        at, label = float(votes.time[n]), prompt_label(str(votes.prompt[n]))
        day = [entry for entry in mine if entry[0] > at - DAY]
        evidence = CastEvidence(
            float(seconds[n]), sum(entry[1] == label for entry in day), sum(entry[2] for entry in day)
        )
        held[n] = finding(evidence, float(letters[n]), limits, suggested=bool(votes.suggested[n])) is not None
        mine.append((at, label, bool(votes.suggested[n])))
    return held


def trust_columns(votes: Votes) -> TrustVotes:
    """The votes as the checks read them from a store, without addresses, which a store knows for a day only."""
    numbers, voter = np.unique(votes.voter, return_inverse=True)
    labels = [
        0 if own else prompt_label(str(text)) for own, text in zip(votes.suggested, votes.prompt, strict=True)
    ]
    return TrustVotes(
        vote=np.arange(1, len(votes) + 1), model_a=votes.a, model_b=votes.b, winner=votes.winner, voter=voter,
        seconds=START.timestamp() + votes.time, prompt=np.array(labels, np.int64), address=np.zeros(len(votes), np.int64),
        released=np.zeros(len(votes), dtype=bool), models=NAMES,
        voters=tuple(account_name(str(votes.kind_of[v]), v) for v in numbers.tolist()),
    )  # fmt: skip


def held_by_checks(votes: Votes, found: list[Finding]) -> NDArray[np.bool_]:
    """(votes,): which ones the findings hold."""
    ids = [number for one in found for number in one.votes]
    return np.asarray(np.isin(np.arange(1, len(votes) + 1), ids))


@dataclass(frozen=True)
class Places:
    """The place of a target: by honest votes alone, with all votes, with those that count."""

    honest: int
    unchecked: int
    checked: int


def places(votes: Votes, held: NDArray[np.bool_], kind: str, target: int) -> Places:
    honest = votes.kind == "honest"
    concerned = honest | (votes.kind == kind)
    return Places(*(_place(votes.where(rows), target) for rows in (honest, concerned, concerned & ~held)))


def _place(votes: Votes, target: int) -> int:
    names = [WINNERS[winner] for winner in votes.winner.tolist()]
    fit = ratings.bradley_terry(votes.a.tolist(), votes.b.tolist(), names)
    by_name = dict(zip(fit.models, fit.ratings.tolist(), strict=True))
    return 1 + sum(rating > by_name[str(target)] for rating in by_name.values())


def accounts_of(votes: Votes, chosen: NDArray[np.bool_]) -> Numbers:
    """The accounts of some votes."""
    return np.unique(votes.voter[chosen])
