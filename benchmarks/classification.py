"""F1 scores of labels, by scikit-learn's formulas."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from benchmarks.errors import BadOption


@dataclass(frozen=True)
class F1:
    """`macro` weighs all labels the same, `micro` all samples; `by_label` has each label's own."""

    macro: float
    micro: float
    by_label: dict[Hashable, float]


def f1(predicted: Sequence[Hashable | None], target: Sequence[Hashable]) -> F1:
    """``2·TP / (2·TP + FP + FN)`` for each label that was predicted or is a target.

    None is a sample without an answer: a miss of its label, and no false alarm of another; so `micro` is below
    the accuracy's value only through those. Equal to scikit-learn's ``f1_score`` where every sample has an answer.
    """
    if len(predicted) != len(target) or not target:
        raise BadOption(f"{len(predicted)} predictions for {len(target)} samples. Give one prediction per sample.")
    pairs = list(zip(predicted, target, strict=True))
    labels = dict.fromkeys([*target, *(label for label in predicted if label is not None)])
    counts = {label: _counts(pairs, label) for label in labels}
    by_label = {label: _f1(*three) for label, three in counts.items()}
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    return F1(sum(by_label.values()) / len(by_label), _f1(*totals), by_label)


def _counts(pairs: Sequence[tuple[Hashable | None, Hashable]], label: Hashable) -> tuple[int, int, int]:
    """True positives, false positives, false negatives."""
    hits = sum(answer == expected == label for answer, expected in pairs)
    return (
        hits,
        sum(answer == label for answer, _ in pairs) - hits,
        sum(expected == label for _, expected in pairs) - hits,
    )


def _f1(hits: int, alarms: int, misses: int) -> float:
    return 2 * hits / (2 * hits + alarms + misses) if hits else 0.0
