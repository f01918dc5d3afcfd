"""Outcomes of battles in, ratings with intervals out. Knows numpy and scipy, and nothing of the arena."""

from ratings.anchored import Anchored, anchored_counts, human_anchored
from ratings.battles import Battles, read_battles
from ratings.bootstrap import Replicates, bootstrap, bootstrap_of, resampled
from ratings.bradley_terry import PRIOR, bradley_terry
from ratings.contextual import contextual
from ratings.counts import PairCounts, count_pairs, inverse_probability_weights, tabulate
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
from ratings.fragility import Fragility, fragility
from ratings.intervals import simultaneous
from ratings.leaderboard import Leaderboard, Row, leaderboard
from ratings.outcomes import OUTCOMES
from ratings.position import bradley_terry_with_position
from ratings.prediction_powered import Powered, prediction_powered
from ratings.ranks import overlap_ranks, significance_ranks
from ratings.style import style_counts, style_differences
from ratings.ties import davidson, rao_kupper
from ratings.voters import VoterCheck, check_voters

__all__ = [
    "OUTCOMES",
    "PRIOR",
    "Anchored",
    "BadOption",
    "Battles",
    "Coefficient",
    "Disconnected",
    "Fit",
    "Fragility",
    "Leaderboard",
    "LengthMismatch",
    "MissingValue",
    "NoBattles",
    "NotConverged",
    "PairCounts",
    "Powered",
    "RatingsError",
    "Replicates",
    "Row",
    "SelfBattle",
    "UnknownModel",
    "UnknownWinner",
    "VoterCheck",
    "anchored_counts",
    "bootstrap",
    "bootstrap_of",
    "bradley_terry",
    "bradley_terry_with_position",
    "check_voters",
    "contextual",
    "count_pairs",
    "davidson",
    "elo",
    "fragility",
    "human_anchored",
    "inverse_probability_weights",
    "leaderboard",
    "overlap_ranks",
    "prediction_powered",
    "rao_kupper",
    "read_battles",
    "resampled",
    "significance_ranks",
    "simultaneous",
    "style_counts",
    "style_differences",
    "tabulate",
]
