"""Two C++ loops that are private to scipy, each with a probe of the behaviour that `ratings` relies on.

Both walk over the entries (rows, columns, values) of a sparse matrix in the order given. They are fast because they
check nothing, and scipy may rename them or change how they work in any release. Each probe is a call on three
entries, made once per process; where it fails, the callers use a slower public way.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

PRIVATE_API_CHANGED = (ImportError, AttributeError, TypeError, ValueError)  # removed, renamed, or other arguments


def add_entries(table: Ints, rows: Ints, columns: Ints, values: Ints) -> None:
    """Add each value to `table` at its (row, column), in place; `table` is contiguous."""
    from scipy.sparse import _sparsetools

    loop: Any = _sparsetools.coo_todense  # its stub knows fewer arguments
    rows, columns = np.ascontiguousarray(rows), np.ascontiguousarray(columns)
    loop(*table.shape, len(rows), rows, columns, values, table.ravel(), 0)


def run_recurrence(rows: Ints, columns: Ints, values: Floats, state: Floats) -> None:
    """Do `state[row] += value * state[column]` entry by entry, so that an entry sees what those before it wrote."""
    from scipy.sparse import _sparsetools

    _sparsetools.coo_matvec(len(rows), rows, columns, values, state, state)


@functools.cache
def adds_entries() -> bool:
    """Whether this scipy has the loop of `add_entries`, and it adds to what the table holds."""
    table = np.array([[5, 0, 0], [0, 0, 0]], dtype=np.int32)
    rows, columns = np.array([0, 1, 1], dtype=np.int32), np.array([0, 2, 2], dtype=np.int32)
    try:
        add_entries(table, rows, columns, np.ones(3, dtype=np.int32))
    except PRIVATE_API_CHANGED:
        return False
    return bool(table.tolist() == [[6, 0, 0], [0, 0, 2]])


@functools.cache
def runs_recurrences() -> bool:
    """Whether this scipy has the loop of `run_recurrence`, and it works in place and in order."""
    state = np.array([1.0, 0.0, 0.0])
    rows, columns = np.array([1, 2, 0], dtype=np.int32), np.array([0, 1, 2], dtype=np.int32)
    try:
        run_recurrence(rows, columns, np.array([2.0, 3.0, 4.0]), state)
    except PRIVATE_API_CHANGED:
        return False
    return bool(state.tolist() == [25.0, 2.0, 6.0])
