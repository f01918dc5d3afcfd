"""A month with all attacks at once, checked again and again as `arena serve` does: what was held once stays held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from arena.config import LimitSettings
from arena.trust.checks import findings
from reproduce.riggers.attacks import attack
from reproduce.riggers.crowd import crowd
from reproduce.riggers.in_columns import Votes
from reproduce.riggers.outcome import Places, accounts_of, admitted, places, trust_columns
from reproduce.riggers.population import DAY, DAYS

AT_THE_VOTE = "at the vote"


@dataclass(frozen=True)
class Month:
    """Honest votes and those held by reason; for each attack its votes, those held, and the places of its target."""

    honest: int
    honest_held: Counter[str]
    honest_voters: int
    attacks: dict[str, tuple[int, int, Places | None]]

    @property
    def share(self) -> float:
        """Of the honest votes that are held."""
        return self.honest_held.total() / self.honest


def month(
    seed: int, attacks: Sequence[str], voters: int, number: int, limits: LimitSettings | None, checks: int
) -> Month:
    """The month `seed`, checked `checks` times at equal distances, the last time at its end."""
    plan = crowd(seed, voters, number)
    for name in attacks:
        plan = plan.joined(attack(name, seed))
    votes, at_the_vote = admitted(plan, seed, limits)
    reasons = np.where(at_the_vote, AT_THE_VOTE, "").astype("U30")
    for reason, held in held_by_then(votes, DAYS * DAY * np.arange(1, checks + 1) / checks).items():
        reasons[held & (reasons == "")] = reason
    held = reasons != ""
    honest = votes.kind == "honest"
    outcome = {
        name: (
            int((votes.kind == name).sum()),
            int((held & (votes.kind == name)).sum()),
            places(votes, held, name, plan.targets[name]) if name in plan.targets else None,
        )
        for name in attacks
    }
    named = Counter(reasons[honest & held].tolist())
    return Month(int(honest.sum()), named, len(accounts_of(votes, honest & held)), outcome)


def held_by_then(votes: Votes, times: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """By reason, (votes,): which ones a check at any of these times holds; the last one sees every vote."""
    held: dict[str, NDArray[np.bool_]] = {}
    for check, time in enumerate(times.tolist()):
        seen = np.ones(len(votes), bool) if check == len(times) - 1 else votes.time <= time
        for one in findings(trust_columns(votes.where(seen))) if seen.any() else []:
            rows = held.setdefault(str(one.reason), np.zeros(len(votes), dtype=bool))
            rows[np.array(one.votes) - 1] = True
    return held


def print_months(months: Sequence[Month]) -> None:
    """The table of attacks and the honest votes held: mean and most over the months."""
    table = Table("attack", "votes", "held", "shift unchecked", "shift left", title="means over the months, most")
    for name in months[0].attacks:
        rows = [one.attacks[name] for one in months]
        moved = [place for *_, place in rows if place is not None]
        table.add_row(
            name, f"{np.mean([row[0] for row in rows]):.0f}", f"{np.mean([row[1] for row in rows]):.0f}",
            _mean_and_most([abs(p.unchecked - p.honest) for p in moved]),
            _mean_and_most([abs(p.checked - p.honest) for p in moved]),
        )  # fmt: skip
    Console(width=120).print(table)
    shares = [100 * one.share for one in months]
    print(f"Honest votes held: {np.mean(shares):.2f} % on the average, at most {max(shares):.2f} %, "
          f"by {np.mean([one.honest_voters for one in months]):.1f} voters.")  # fmt: skip
    for reason in sorted({reason for one in months for reason in one.honest_held}):
        many = [one.honest_held[reason] for one in months]
        print(f"  {reason}: {np.mean(many):.0f} votes, at most {max(many)}")


def _mean_and_most(values: Sequence[int]) -> str:
    return f"{np.mean(values):.1f}, {max(values)}" if values else "–"
