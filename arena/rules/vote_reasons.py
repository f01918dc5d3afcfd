"""The reasons that a voter may give with a vote: stable words, and their labels in English."""

from __future__ import annotations

from collections.abc import Collection, Mapping

BETTER: Mapping[str, str] = {
    "correct": "correct",
    "complete": "complete",
    "clear": "clear",
    "follows_instructions": "follows the instructions",
    "well_formatted": "well formatted",
    "honest": "honest about its limits",
}
BAD: Mapping[str, str] = {
    "wrong": "wrong",
    "incomplete": "incomplete",
    "unclear": "hard to read",
    "ignores_instructions": "ignores the instructions",
}
LABELS = {**BETTER, **BAD}
REASONS = tuple(LABELS)


def reasons_of(winner: str) -> Mapping[str, str]:
    """The reasons to offer with a vote, by word; `tie` offers both kinds."""
    if winner == "both_bad":
        return BAD
    return LABELS if winner == "tie" else BETTER


def unknown_reason(reasons: Collection[str]) -> str | None:
    """The first word that is not a reason."""
    return next((reason for reason in reasons if reason not in LABELS), None)
