"""LLM judges: requests, parsing of replies, and reliability. Makes no calls."""

from judges.judge import Judge, Pair, Score, Single, Verdict
from judges.orders import balanced, both_orders, flip_rate, in_order
from judges.pairwise import PairwiseJudge
from judges.panel import panel, single_panel
from judges.replies import Reason, Unparsable
from judges.single import SingleJudge

__all__ = [
    "Judge",
    "Pair",
    "PairwiseJudge",
    "Reason",
    "Score",
    "Single",
    "SingleJudge",
    "Unparsable",
    "Verdict",
    "balanced",
    "both_orders",
    "flip_rate",
    "in_order",
    "panel",
    "single_panel",
]
