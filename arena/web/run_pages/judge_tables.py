"""The calls of a judge run in numbers: tries, times and costs of each judge."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from arena.engine import SavedCall, Status
from arena.judging.samples import CaseDetails
from arena.web.run_pages.document import Board, Cell, Row


def percent(share: float | None) -> str:
    """A share as text.

    >>> percent(0.1234), percent(None)
    ('12.3%', '–')
    """
    return "–" if share is None else f"{100 * share:.1f}%"


@dataclass
class Calls:
    """The calls that were made, by judge. Calls of two cases with one reply count twice."""

    by_judge: dict[str, list[SavedCall]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: CaseDetails) -> None:
        for order in case.orders:
            for call in order.calls:
                if call.saved is not None:
                    self.by_judge[call.judge].append(call.saved)

    @property
    def all(self) -> list[SavedCall]:
        return [call for calls in self.by_judge.values() for call in calls]

    @property
    def number(self) -> int:
        return len(self.all)

    @property
    def tries(self) -> int:
        return sum(call.attempts for call in self.all)

    @property
    def cost(self) -> float | None:
        """USD of all tries; None without a price."""
        costs = [call.cost for call in self.all if call.cost is not None]
        return sum(costs) if costs else None

    def boards(self) -> list[Board]:
        """One row a judge; none where no call was made."""
        rows = [Row(Cell(judge), _cells(calls)) for judge, calls in self.by_judge.items()]
        columns = ["judge", "calls", "failed", "tries", "median s", "95% within s", "cost"]
        note = "Seconds and costs are those of all tries of a call, over all runs that made it."
        return [Board("Costs and times", columns, rows, note=note)] if rows else []


def _cells(calls: list[SavedCall]) -> list[Cell]:
    seconds = [call.seconds for call in calls]
    costs = [call.cost for call in calls if call.cost is not None]
    failed = sum(call.status is not Status.OK for call in calls)
    return [
        Cell(f"{len(calls):,}"), Cell(f"{failed:,}", "problem" if failed else ""),
        Cell(f"{sum(call.attempts for call in calls):,}"),
        Cell(f"{np.median(seconds):.2f}"), Cell(f"{np.quantile(seconds, 0.95):.2f}"),
        Cell(f"${sum(costs):.4f}" if costs else "–"),
    ]  # fmt: skip
