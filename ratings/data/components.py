"""Connected components of the comparison graph: which models can be compared with each other.

An edge runs from i to j where i scored against j. Without a prior the Bradley–Terry likelihood has a maximum exactly
within strongly connected components. Source: Ford, American Mathematical Monthly 64 (1957).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ratings.data.counts import Floats

Labels = NDArray[np.int64]


def weak_components(scores: Floats) -> Labels:
    """(models,) component numbers: two models are connected when a chain of battles joins them.

    `scores` (models, models) are wins with ties as halves. Components are numbered by size, the largest
    first, equal ones by their first model.
    """
    return _numbered(scores, "weak")


def strong_components(scores: Floats) -> Labels:
    """(models,) component numbers: two models are connected when each beat or tied the other through a chain.

    A model that never lost has no finite rating, and is a component of its own. Numbered as `weak_components`.
    """
    wins = scores > 0
    compared_with_all = (wins.sum(axis=0) >= len(wins) - 1) & (wins.sum(axis=1) >= len(wins) - 1)
    if (
        compared_with_all.any()
    ):  # one model that took points from all and gave some to all joins them: the usual board
        return np.zeros(len(wins), dtype=np.int64)
    return _numbered(scores, "strong")


def members(labels: Labels, models: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The names of the models in each component."""
    count = int(labels.max()) + 1 if labels.size else 0
    return tuple(tuple(models[m] for m in np.flatnonzero(labels == c)) for c in range(count))


def _numbered(scores: Floats, connection: Literal["weak", "strong"]) -> Labels:
    _, component = connected_components(csr_array((scores > 0).astype(np.int8)), connection=connection)
    _, first, labels, sizes = np.unique(component, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[labels]
