"""The tally: how often each ordered pair had each outcome, in one pass over the battles.

The loop in C (`compiled.LOOPS`) takes 1.7 ns per battle at 300 models, checks included. Without it scipy counts:
making a sparse matrix dense adds up its entries in a plain C++ loop, 3 ns where `bincount` takes 8. Without that
private loop too (`scipy_loops`) the public way builds and checks a matrix for each chunk, at 6 ns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from ratings.data import compiled, scipy_loops
from ratings.data.columns import Codes
from ratings.data.outcomes import OUTCOMES

# Battles at a time: the chunk and the table that it is added to then share the cache.
CHUNK = 1 << 18
DENSE_MODELS = 2048  # up to here the table of all pairs fits in memory beside five million battles
KINDS = len(OUTCOMES)

Table = NDArray[np.int32]  # narrow, to leave cache to the battles; it holds two thousand million
Ints = NDArray[np.int32]
OutcomeCounts = NDArray[np.int32] | NDArray[np.int64]


def tally(a: Codes, b: Codes, outcome: NDArray[np.uint8], size: int) -> tuple[NDArray[np.int64], OutcomeCounts]:
    """The ordered pairs that met, `a * size + b` in rising order, and the (pairs, 4) counts of their outcomes.

    Codes have to lie in [0, size); they are not checked here.
    """
    if size > DENSE_MODELS:
        keys, counts = np.unique((a.astype(np.int64) * size + b) * KINDS + outcome, return_counts=True)
        pairs, row = np.unique(keys // KINDS, return_inverse=True)
        outcome_counts = np.zeros((len(pairs), KINDS), dtype=np.int64)
        outcome_counts[row, keys % KINDS] = counts
        return pairs, outcome_counts
    counted = checked_tally(a, b, outcome, size)
    return tally_with_scipy(a, b, outcome, size) if counted is None else counted


def checked_tally(
    a: Codes, b: Codes, outcome: NDArray[np.uint8], size: int
) -> tuple[NDArray[np.int64], OutcomeCounts] | None:
    """The `tally` by the loop in C; None where it was not built, or where a code is out of range."""
    if compiled.LOOPS is None:
        return None
    table = np.zeros((size * size, KINDS), dtype=np.int32)
    a, b, outcome = (np.ascontiguousarray(codes, codes.dtype.newbyteorder("=")) for codes in (a, b, outcome))
    return occupied_pairs(table) if compiled.LOOPS.tally(a, b, outcome, size, table) else None


def tally_with_scipy(
    a: Codes, b: Codes, outcome: NDArray[np.uint8], size: int
) -> tuple[NDArray[np.int64], OutcomeCounts]:
    """The `tally` by scipy, which defines `checked_tally`."""
    table = np.zeros((size, size * KINDS), dtype=np.int32)
    ones = np.ones(min(CHUNK, len(a)), dtype=np.int32)
    add = scipy_loops.add_entries if scipy_loops.adds_entries() else add_matrix
    for start in range(0, len(a), CHUNK):
        chunk = slice(start, start + CHUNK)
        column = outcome[chunk].astype(np.int32)
        column += KINDS * b[chunk].astype(np.int32, copy=False)
        add(table, a[chunk].astype(np.int32, copy=False), column, ones[: len(column)])
    return occupied_pairs(table.reshape(size * size, KINDS))


def occupied_pairs(table: Table) -> tuple[NDArray[np.int64], OutcomeCounts]:
    """The rows of a table (pairs, 4) that hold any count, and these counts."""
    halves = table.view(np.int64)  # two counts at a time
    pairs = np.flatnonzero(halves[:, 0] | halves[:, 1])
    return pairs, np.take(table, pairs, axis=0)  # ten times as quick as table[pairs]


def add_matrix(table: Table, rows: Ints, columns: Ints, ones: Ints) -> None:
    """Add one to `table` at every (row, column), through a sparse matrix."""
    table += coo_array((ones, (rows, columns)), shape=table.shape).toarray()
