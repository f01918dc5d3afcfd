"""Which rows share a pass: fewer tokens are run where rows of like length, or with a long common prefix, go together.

A pass runs rows times (the longest row less the prefix that all of them share), padding included.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from interp.whitebox.pass_size import PassSize

Numbers = NDArray[np.int64]
PASS = 16  # tokens: what starting a pass costs at least


def passes(shared: Numbers, lengths: Numbers, size: PassSize) -> list[Numbers]:
    """Numbers of rows for each pass, every row once, those of the fewest tokens first.

    Row r has `lengths[r]` tokens and shares its first `shared[r]`, fewer than that, with the prompt. Of two orders of
    the rows, by prefix and by what is left, the better one is cut where it costs least.
    """
    orders = {tuple(order.tolist()): order for order in _orders(shared, lengths)}
    cuts = [(_cut(shared[order], lengths[order], size), order) for order in orders.values()]
    (_, ends), order = min(cuts, key=lambda found: found[0][0])
    return np.split(order, ends[:-1])


def _orders(shared: Numbers, lengths: Numbers) -> Iterator[Numbers]:
    yield np.lexsort((lengths, -shared))
    yield np.lexsort((-shared, lengths - shared))


def _cut(shared: Numbers, lengths: Numbers, size: PassSize) -> tuple[float, list[int]]:
    """The cost of the rows in this order, and where each pass ends."""
    count = len(shared)
    best, before = np.full(count + 1, np.inf), np.zeros(count + 1, dtype=np.int64)
    best[0] = 0
    for first in range(count):
        most = first + max(1, size.tokens // int(lengths[first] - shared[first]))
        longest = np.maximum.accumulate(lengths[first:most]) - np.minimum.accumulate(shared[first:most])
        tokens = longest * np.arange(1, len(longest) + 1)
        fits = max(1, int(np.searchsorted(tokens, size.tokens, side="right")))
        costs = best[first] + PASS + np.maximum(tokens[:fits], size.least)
        ends = slice(first + 1, first + 1 + fits)
        better = costs < best[ends]
        best[ends][better] = costs[better]
        before[ends][better] = first
    ends_of: list[int] = [count]
    while before[ends_of[-1]]:
        ends_of.append(int(before[ends_of[-1]]))
    return float(best[-1]), ends_of[::-1]
