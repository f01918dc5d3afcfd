"""Outcomes of battles in, ratings with intervals out. Knows numpy and scipy, and nothing of the arena."""

from ratings.battles import Battles, read_battles
from ratings.bootstrap import Replicates, bootstrap, bootstrap_of, resampled
from ratings.bradley_terry import PRIOR, bradley_terry
from ratings.contextual import contextual
from ratings.counts import PairCounts, count_pairs, tabulate
from ratings.elo import elo
from ratings.errors import (
    BadOption,
    Disconnected,
    LengthMismatch,
    MissingValue,
    NoBattles,
    NotConverged,
    RatingsError,
    SelfBattle,
    UnknownModel,
    UnknownWinner,
)
from ratings.fit import Coefficient, Fit
from ratings.intervals import simultaneous
from ratings.leaderboard import Leaderboard, Row, leaderboard
from ratings.outcomes import OUTCOMES
from ratings.position import bradley_terry_with_position
from ratings.ranks import overlap_ranks, significance_ranks
from ratings.style import style_counts, style_differences
from ratings.ties import davidson, rao_kupper

__all__ = [
    "OUTCOMES",
    "PRIOR",
    "BadOption",
    "Battles",
    "Coefficient",
    "Disconnected",
    "Fit",
    "Leaderboard",
    "LengthMismatch",
    "MissingValue",
    "NoBattles",
    "NotConverged",
    "PairCounts",
    "RatingsError",
    "Replicates",
    "Row",
    "SelfBattle",
    "UnknownModel",
    "UnknownWinner",
    "bootstrap",
    "bootstrap_of",
    "bradley_terry",
    "bradley_terry_with_position",
    "contextual",
    "count_pairs",
    "davidson",
    "elo",
    "leaderboard",
    "overlap_ranks",
    "rao_kupper",
    "read_battles",
    "resampled",
    "significance_ranks",
    "simultaneous",
    "style_counts",
    "style_differences",
    "tabulate",
]
