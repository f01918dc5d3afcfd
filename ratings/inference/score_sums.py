"""Sums of scores by cluster: what the covariance of clustered votes is made of, for boards of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ratings.data.clusters import Ints
from ratings.data.counts import Floats

MOST_GROUPS = 1 << 14
CELLS = 1 << 23  # score sums in memory, 64 MB: a board of more than 512 models has fewer groups
FEWEST = 10  # clusters of a second way: with fewer it adds more noise than it removes bias

# The scores of votes (rows,) from models, models and outcomes, and the places of these votes among all: of model A, of
# model B, then of each extra parameter.
Scorer = Callable[[Ints, Ints, Ints, Ints | slice], tuple[Floats, ...]]


@dataclass(frozen=True, eq=False)
class Meat:
    """B (parameters, parameters), and what it is made of.

    `effective` (models,) is the number of clusters of equal size that would tell as much about each model,
    (sum n)² / sum n² over the n votes of each cluster on it, infinite without votes. `clusters` has the number of
    clusters of each way in use.
    """

    meat: Floats
    effective: Floats
    clusters: Mapping[str, int]


def most_groups(parameters: int) -> int:
    """The number of groups up to which every cluster is one."""
    return max(2, min(MOST_GROUPS, CELLS // parameters))


def positive_part(meat: Floats) -> Floats:
    """The matrix with its eigenvalues below zero set to zero."""
    values, vectors = np.linalg.eigh(meat)
    return np.asarray((vectors * np.clip(values, 0.0, None)) @ vectors.T)


def effective_clusters(played: Floats, squares: Floats) -> Floats:
    """(models,): (sum n)² / sum n² over the votes of each cluster, infinite without votes."""
    return np.divide(played**2, squares, out=np.full_like(played, np.inf), where=played > 0)


def add_at(table: Floats, row: Ints, column: Ints | int, value: Floats | None) -> None:
    """Add each value, or one, to the table at its row and column.

    Rows are mostly in order, so that a chunk of votes touches few of them.
    """
    first, last, width = int(row.min()), int(row.max()), table.shape[1]
    key = (row - first).astype(np.intp) * width + column
    cells = (last - first + 1) * width
    flat = table.reshape(-1)[first * width : first * width + cells]
    if cells > 8 * len(row):
        np.add.at(flat, key, 1.0 if value is None else value)
    else:
        flat += np.bincount(key, value, cells)
