"""The completion rate of a judge run, and whether it suffices for publication."""

from __future__ import annotations

THRESHOLD = 0.95  # share of the items with a verdict; the rest cannot turn a 5-point lead


def completion_rate(judged: int, items: int) -> float:
    """Share of the items that have a verdict."""
    return judged / items if items else 0.0


def why_not(judged: int, items: int, threshold: float = THRESHOLD) -> str | None:
    """The reason not to publish, or None."""
    if not items:
        return "there was nothing to judge"
    share = completion_rate(judged, items)
    if share < threshold:
        return f"{judged:,} of {items:,} items have a verdict ({share:.1%}); at least {threshold:.0%} are needed"
    return None
