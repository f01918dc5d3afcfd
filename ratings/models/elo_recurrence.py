"""Online Elo without a compiler: Newton's method over time.

Write D_t for the rating difference before battle t. Linearised at a guess of all D_t, the update

    change_t = step * (f(D_t) + f'(D_t) (x_A - x_B - D_t)),     f(D) = S - expit(D)

is a linear recurrence in time, and adding `value * z[column]` to `z[row]`, entry by entry and in order, runs
a linear recurrence when both sides are the same array: that is `scipy_loops.run_recurrence`. Each pass over a chunk
squares the error; three reach 1e-12 points. Where this scipy has no such loop, `elo` uses the plain one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.data import scipy_loops
from ratings.data.counts import Floats
from ratings.data.outcomes import SCORES

CHUNK = 4096  # battles a chunk: the ratings move little enough for three passes, the calls cost little enough
CONVERGED = 1e-6  # logits: the next error is of the order of its square
LEAST_SLOPE = 1e-6  # any slope keeps the fixed point; this one keeps the division harmless
PASSES = 50


def run(a: NDArray[Any], b: NDArray[Any], outcome: NDArray[np.uint8], size: int, step: float) -> Floats:
    """Ratings (size,) in logits after the battles in order; `elo.python_loop` is the definition."""
    state = np.zeros(size + CHUNK)  # the ratings, then one cell a battle of the chunk
    xi, cell = state[:size], state[size:]
    rows, columns, values = _entries(size)
    for start in range(0, len(a), CHUNK):
        chunk = slice(start, start + CHUNK)
        i, j, s = a[chunk], b[chunk], SCORES[outcome[chunk]]
        n = len(i)
        columns[:n, 0], columns[:n, 1] = j, i  # cell += xi_B; cell -= xi_A
        rows[:n, 2], rows[:n, 3] = i, j  # xi_A += slope * cell; xi_B -= slope * cell
        before = xi.copy()
        difference = xi[i] - xi[j]
        for _ in range(PASSES):
            p = 1.0 / (1.0 + np.exp(-difference))
            slope = np.maximum(p * (1.0 - p), LEAST_SLOPE)
            offset = (s - p) / slope + difference
            cell[:n] = offset
            values[:n, 2] = step * slope
            values[:n, 3] = -values[:n, 2]
            xi[:] = before
            scipy_loops.run_recurrence(rows[:n].ravel(), columns[:n].ravel(), values[:n].ravel(), state)
            reached = offset - cell[:n]
            moved = np.abs(reached - difference).max()
            difference = reached
            if moved < CONVERGED:
                break
    return xi.copy()


def _entries(size: int) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
    """The four entries of each battle, (CHUNK, 4); `run` fills in those that depend on the battles."""
    cells = np.arange(size, size + CHUNK, dtype=np.int32)
    rows, columns = np.zeros((CHUNK, 4), np.int32), np.zeros((CHUNK, 4), np.int32)
    rows[:, 0] = rows[:, 1] = columns[:, 2] = columns[:, 3] = cells
    values = np.empty((CHUNK, 4))
    values[:, 0], values[:, 1] = 1.0, -1.0
    return rows, columns, values
