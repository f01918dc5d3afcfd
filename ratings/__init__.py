"""Outcomes of battles in, ratings with intervals out. Knows numpy and scipy, and nothing of the arena."""

from ratings.data.battles import Battles, read_battles
from ratings.data.counts import PairCounts, count_pairs, inverse_probability_weights, tabulate
from ratings.data.outcomes import OUTCOMES
from ratings.data.style import style_counts, style_differences
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
from ratings.inference.fit import Coefficient, Fit
from ratings.inference.intervals import simultaneous
from ratings.inference.ranks import overlap_ranks, significance_ranks
from ratings.models.anchored import Anchored, anchored_counts, human_anchored
from ratings.models.bradley_terry import PRIOR, bradley_terry
from ratings.models.contextual import contextual
from ratings.models.elo import elo
from ratings.models.position import bradley_terry_with_position
from ratings.models.prediction_powered import Powered, prediction_powered
from ratings.models.ties import davidson, rao_kupper
from ratings.tools.anomalous_voters import VoterCheck, check_voters
from ratings.tools.bootstrap import Replicates, bootstrap, bootstrap_of, resampled
from ratings.tools.leaderboard import Leaderboard, Row, leaderboard
from ratings.tools.robustness import RankRobustness, rank_robustness

__all__ = [
    "OUTCOMES",
    "PRIOR",
    "Anchored",
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
    "Powered",
    "RankRobustness",
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
    "human_anchored",
    "inverse_probability_weights",
    "leaderboard",
    "overlap_ranks",
    "prediction_powered",
    "rank_robustness",
    "rao_kupper",
    "read_battles",
    "resampled",
    "significance_ranks",
    "simultaneous",
    "style_counts",
    "style_differences",
    "tabulate",
]
