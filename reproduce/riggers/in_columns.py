"""The votes of a plan as columns: pairs are drawn here, uniformly, as an arena with equal weights does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproduce.riggers.population import MODELS, Floats, Numbers, Plan


@dataclass(frozen=True, eq=False)
class Votes:
    """One entry per vote, in order of time. `row` is its number in the plan, `kind_of` (accounts,) the kind of each."""

    row: Numbers
    a: Numbers
    b: Numbers
    winner: Numbers
    voter: Numbers
    time: Floats
    prompt: NDArray[np.str_]
    address: NDArray[np.str_]
    suggested: NDArray[np.bool_]
    kind: NDArray[np.str_]
    kind_of: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.row)

    def where(self, chosen: NDArray[np.bool_]) -> Votes:
        """Some of the votes."""
        columns = {name: column[chosen] for name, column in vars(self).items() if name != "kind_of"}
        return Votes(**columns, kind_of=self.kind_of)


def drawn(plan: Plan, seed: int) -> Votes:
    """A vote on each battle that is not left."""
    rng = np.random.default_rng([20, seed])
    a = rng.integers(0, MODELS, len(plan))
    b = (a + rng.integers(1, MODELS, len(plan))) % MODELS
    rows = np.flatnonzero((plan.only < 0) | (a == plan.only) | (b == plan.only))
    return cast(plan, rows, a[rows], b[rows])


def cast(plan: Plan, rows: Numbers, a: Numbers, b: Numbers) -> Votes:
    """The votes on the battles `rows` of a plan, with these models on the left and right."""
    numbers = zip(rows.tolist(), a.tolist(), b.tolist(), strict=True)
    winner = np.array([plan.outcome(row, left, right) for row, left, right in numbers], dtype=np.int64)
    voter = plan.account[rows]
    return Votes(
        rows, a, b, winner, voter, plan.time[rows], plan.prompt[rows], plan.accounts.address[voter],
        plan.suggested[rows], plan.accounts.kind[voter], plan.accounts.kind,
    )  # fmt: skip
