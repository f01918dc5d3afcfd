"""Which plots have something to show on a leaderboard: conditions that cost less than the plots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from arena.benchmarking.boards import lines
from arena.leaderboards.query import NoSuchBoard
from arena.rules.votes import HUMAN, OVERALL
from arena.web.board_query import BoardQuery
from arena.web.board_view import CachedBoards
from arena.web.plots.data import LEAST_VOTES, battles_by_pair
from arena.web.plots.expected_battle_heat_map import expected_battles

LEVEL = 1e-3  # of the test for even sampling: one evenly sampled board in a thousand is called uneven
SPOKES = 3


def has_prices(boards: CachedBoards, _query: BoardQuery) -> bool:
    return any(facts.price is not None for facts in boards.facts().values())


def has_judges(boards: CachedBoards, _query: BoardQuery) -> bool:
    return any(source != HUMAN for source in boards.sources())


def has_benchmarks(boards: CachedBoards, _query: BoardQuery) -> bool:
    return bool(boards.cache.get("benchmarks", lines))


def has_categories(boards: CachedBoards, query: BoardQuery) -> bool:
    """Whether enough categories have enough votes for an area."""
    votes = boards.categories(query.source)
    return sum(name != OVERALL and number >= LEAST_VOTES for name, number in votes.items()) >= SPOKES


def is_uneven(boards: CachedBoards, query: BoardQuery) -> bool:
    """Whether some pairs met more often than chance explains, so that expected and observed battles differ."""
    key = "uneven", query.source, query.category, query.at
    try:
        return boards.cache.get(key, lambda _session: deviates(battles_by_pair(boards, query)))
    except NoSuchBoard:
        return False


def deviates(met: NDArray[np.float64]) -> bool:
    """Whether a symmetric table of battles differs from quasi-independence, by Pearson's test.

    The statistic is the sum of (observed - expected)² / expected over pairs, on n (n - 3) / 2 degrees of freedom
    (Goodman, JASA 63, 1968). Models without battles are not considered.
    """
    played = met.sum(axis=1) > 0
    met = met[np.ix_(played, played)]
    size = len(met)
    if size < 4:
        return False
    pairs = np.triu_indices(size, 1)
    observed, expected = met[pairs], np.maximum(expected_battles(met)[pairs], 1e-9)
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return statistic > float(chi2.isf(LEVEL, size * (size - 3) / 2))
