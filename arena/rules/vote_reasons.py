"""The reasons that a voter may give with a vote: stable words, and their labels in English."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from arena.rules.messages import gettext_noop

BETTER: Mapping[str, str] = {
    "correct": gettext_noop("correct"),
    "complete": gettext_noop("complete"),
    "clear": gettext_noop("clear"),
    "follows_instructions": gettext_noop("follows the instructions"),
    "well_formatted": gettext_noop("well formatted"),
    "honest": gettext_noop("honest about its limits"),
}
BAD: Mapping[str, str] = {
    "wrong": gettext_noop("wrong"),
    "incomplete": gettext_noop("incomplete"),
    "unclear": gettext_noop("hard to read"),
    "ignores_instructions": gettext_noop("ignores the instructions"),
}
LABELS = {**BETTER, **BAD}
REASONS = tuple(LABELS)


def unknown_reason(reasons: Collection[str]) -> str | None:
    """The first word that is not a reason."""
    return next((reason for reason in reasons if reason not in LABELS), None)
