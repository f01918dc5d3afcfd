"""JudgeBench: pairs of completions of which one is correct, each judged in both orders.

A verdict for the correct completion counts +1, one for the other -1, and a tie or a reply without a verdict 0. The judge is
right about a pair if the sum over both orders is positive: a tie, or two orders that contradict each other, is wrong. A
judge whose verdict does not depend on the order (a reward model) may have been called once.
Source: Tan et al., JudgeBench, arXiv 2410.12784; utils/metrics.py of its repository.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.columns import field, text
from judges.errors import BadRow

CATEGORIES = {  # by the beginning of the field `source`
    "mmlu-pro": "knowledge",
    "livebench-reasoning": "reasoning",
    "livebench-math": "math",
    "livecodebench": "coding",
}
FLIPPED = {"A>B": "B>A", "B>A": "A>B", "A=B": "A=B"}


@dataclass(frozen=True)
class JudgedPair:
    """The verdicts on one pair: each order is 1 for the correct completion, -1 for the other, 0 for a tie, None unread."""

    category: str
    question: str  # pairs of the same question are not independent
    orders: tuple[int | None, ...]

    @property
    def sum(self) -> int:
        """The points of all orders; the judge is right about the pair if they are positive."""
        return sum(points or 0 for points in self.orders)

    @property
    def inconsistent(self) -> bool:
        """Whether the orders have different verdicts."""
        return len(set(self.orders)) > 1


def judged_pairs(rows: Sequence[Mapping[str, Any]]) -> list[JudgedPair]:
    """The pairs of a file of `run_judge.py`. Raises BadRow for a row that is none, and for a pair that occurs twice."""
    pairs, first = [], dict[str, int]()
    for row, record in enumerate(rows):
        pair = text(record, row, "pair_id")
        if pair in first:
            raise BadRow(f"row {row}: the pair {pair} is also row {first[pair]}. Remove one of them.")
        first[pair] = row
        pairs.append(_pair(record, row))
    if pairs and len({len(pair.orders) for pair in pairs}) > 1:
        short = next(row for row, pair in enumerate(pairs) if len(pair.orders) == 1)
        raise BadRow(
            f"row {short}: one order, and other rows have two. Run the judge on all pairs in the same way."
        )
    return pairs


def _pair(record: Mapping[str, Any], row: int) -> JudgedPair:
    source, label = text(record, row, "source"), text(record, row, "label")
    if label not in ("A>B", "B>A"):
        raise BadRow(f"row {row}: label {label!r} is unknown. Expected A>B or B>A.")
    given = field(record, row, "judgments")
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) not in (1, 2):
        raise BadRow(f"row {row}: judgments is not a list of one or two. Expected one for each order.")
    decisions = [_decision(judgment, row) for judgment in given]
    if len(decisions) == 2 and decisions[1] is not None:
        decisions[1] = FLIPPED[decisions[1]]  # B was shown first
    orders = tuple(None if d is None else 0 if d == "A=B" else 1 if d == label else -1 for d in decisions)
    return JudgedPair(_category(source), f"{source}\n{record.get('original_id', row)}", orders)


def _decision(judgment: object, row: int) -> str | None:
    """The stored decision, or None without one that can be read."""
    if judgment is not None and not isinstance(judgment, Mapping):
        raise BadRow(f"row {row}: a judgment is neither an object nor null. Correct the judgment.")
    decision = None if judgment is None else judgment.get("decision")
    return decision if isinstance(decision, str) and decision in FLIPPED else None


def _category(source: str) -> str:
    return next((name for start, name in CATEGORIES.items() if source.startswith(start)), source)
