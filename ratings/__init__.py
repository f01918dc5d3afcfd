"""Outcomes of battles in, ratings with intervals out. Needs numpy and scipy, and knows nothing of the arena."""

import warnings
from typing import TYPE_CHECKING

from ratings.data.battles import Battles, read_battles
from ratings.data.clusters import ALONE, ClusteredVotes, PackedCode, PackedVotes, StreamedVotes, cluster_votes
from ratings.data.counts import PairCounts, count_pairs, inverse_probability_weights, tabulate
from ratings.data.outcomes import OUTCOMES
from ratings.data.style import STYLE_FEATURES, style_counts, style_differences
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
from ratings.inference.fit import CONFIDENCE_LEVEL, Coefficient, Fit, normal_quantile
from ratings.inference.intervals import simultaneous_intervals
from ratings.inference.ranks import Ranks, better_beyond_doubt, overlap_ranks, significance_ranks
from ratings.models.anchored import HumanAnchored, human_anchored, human_anchored_counts
from ratings.models.annotator_ability import AbilityFit, annotator_ability
from ratings.models.bradley_terry import PRIOR, bradley_terry
from ratings.models.contextual import contextual
from ratings.models.control_battles import LEAST_CLUSTERS, PositionBias, position_bias
from ratings.models.discrimination import Discrimination, discrimination
from ratings.models.elo import elo
from ratings.models.fresh_votes import Chosen, FreshRatings, expected_maximum, fresh_votes
from ratings.models.personal import PersonalFit, personal
from ratings.models.plackett_luce import plackett_luce
from ratings.models.position import bradley_terry_with_position
from ratings.models.prediction_powered import PredictionPowered, prediction_powered
from ratings.models.ties import davidson, rao_kupper
from ratings.scale import CENTRE, POINTS_PER_LOGIT
from ratings.tools import pair_sampling, simulation
from ratings.tools.anomalous_voters import VoterCheck, check_voters
from ratings.tools.attack_cost import PlaceCost, attack_cost, pair_chances
from ratings.tools.bootstrap import Replicates, bootstrap, bootstrap_refits, resample
from ratings.tools.lack_of_fit import Cycle, LackOfFit, lack_of_fit
from ratings.tools.leaderboard import MINIMUM_BATTLES, MINIMUM_CLUSTERS, Leaderboard, Row, leaderboard
from ratings.tools.robustness import RankRobustness, RemovedVotes, rank_robustness
from ratings.tools.vote_bursts import Burst, check_bursts
from ratings.tools.voter_groups import GroupCheck, VoterGroup, check_groups
from ratings.tools.voter_networks import Network, NetworkCheck, check_networks
from ratings.tools.voter_selection import Selection, check_selection

__all__ = [
    "ALONE",
    "CENTRE",
    "CONFIDENCE_LEVEL",
    "LEAST_CLUSTERS",
    "MINIMUM_BATTLES",
    "MINIMUM_CLUSTERS",
    "OUTCOMES",
    "POINTS_PER_LOGIT",
    "PRIOR",
    "STYLE_FEATURES",
    "AbilityFit",
    "BadOption",
    "Battles",
    "Burst",
    "Chosen",
    "ClusteredVotes",
    "Coefficient",
    "Cycle",
    "Disconnected",
    "Discrimination",
    "Fit",
    "FreshRatings",
    "GroupCheck",
    "HumanAnchored",
    "LackOfFit",
    "Leaderboard",
    "LengthMismatch",
    "MissingValue",
    "Network",
    "NetworkCheck",
    "NoBattles",
    "NotConverged",
    "PackedCode",
    "PackedVotes",
    "PairCounts",
    "PersonalFit",
    "PlaceCost",
    "PositionBias",
    "PredictionPowered",
    "RankRobustness",
    "Ranks",
    "RatingsError",
    "RemovedVotes",
    "Replicates",
    "Row",
    "Selection",
    "SelfBattle",
    "StreamedVotes",
    "UnknownModel",
    "UnknownWinner",
    "VoterCheck",
    "VoterGroup",
    "annotator_ability",
    "attack_cost",
    "better_beyond_doubt",
    "bootstrap",
    "bootstrap_refits",
    "bradley_terry",
    "bradley_terry_with_position",
    "check_bursts",
    "check_groups",
    "check_networks",
    "check_selection",
    "check_voters",
    "cluster_votes",
    "contextual",
    "count_pairs",
    "davidson",
    "discrimination",
    "elo",
    "expected_maximum",
    "fresh_votes",
    "human_anchored",
    "human_anchored_counts",
    "inverse_probability_weights",
    "lack_of_fit",
    "leaderboard",
    "normal_quantile",
    "overlap_ranks",
    "pair_chances",
    "pair_sampling",
    "personal",
    "plackett_luce",
    "position_bias",
    "prediction_powered",
    "rank_robustness",
    "rao_kupper",
    "read_battles",
    "resample",
    "significance_ranks",
    "simulation",
    "simultaneous_intervals",
    "style_counts",
    "style_differences",
    "tabulate",
]

# Public names of version 0.1 that were renamed in 0.2.
_RENAMED = {
    "Anchored": "HumanAnchored",
    "Fragility": "RankRobustness",
    "Powered": "PredictionPowered",
    "anchored_counts": "human_anchored_counts",
    "bootstrap_of": "bootstrap_refits",
    "fragility": "rank_robustness",
    "resampled": "resample",
    "simultaneous": "simultaneous_intervals",
}

if not TYPE_CHECKING:  # a type checker would otherwise accept any misspelt name

    def __getattr__(name: str) -> object:
        if name not in _RENAMED:
            raise AttributeError(f"module 'ratings' has no attribute {name!r}")
        warnings.warn(
            f"ratings.{name} was renamed in 0.2. Use ratings.{_RENAMED[name]}.", DeprecationWarning, stacklevel=2
        )
        return globals()[_RENAMED[name]]
