"""Outcomes of battles in, ratings with intervals out. Knows numpy and scipy, and nothing of the arena."""

from ratings.battles import Battles, read_battles
from ratings.bradley_terry import PRIOR, bradley_terry
from ratings.counts import PairCounts, count_pairs, tabulate
from ratings.errors import (
    BadOption,
    LengthMismatch,
    MissingValue,
    NoBattles,
    RatingsError,
    SelfBattle,
    UnknownModel,
    UnknownWinner,
)
from ratings.fit import Coefficient, Fit
from ratings.leaderboard import Leaderboard, Row, leaderboard
from ratings.outcomes import OUTCOMES
from ratings.ranks import overlap_ranks, significance_ranks

__all__ = [
    "OUTCOMES",
    "PRIOR",
    "BadOption",
    "Battles",
    "Coefficient",
    "Fit",
    "Leaderboard",
    "LengthMismatch",
    "MissingValue",
    "NoBattles",
    "PairCounts",
    "RatingsError",
    "Row",
    "SelfBattle",
    "UnknownModel",
    "UnknownWinner",
    "bradley_terry",
    "count_pairs",
    "leaderboard",
    "overlap_ranks",
    "read_battles",
    "significance_ranks",
    "tabulate",
]
