"""The vocabulary of the review queue: why a battle is in it, and why a reviewer skips one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from arena.rules.messages import gettext_noop

REVIEWED = "reviewers"  # the source of the labels that reviewers give together
QUARANTINED = "quarantined"

# A decision can be undone so long, and reviewers see figures of older ones alone: the change of a figure would say what the
# others chose, while the decision could still follow them.
UNDO_WITHIN = timedelta(minutes=5)

# why a battle is in the queue: the kinds of disagreement, a vote in quarantine, or the operator's own choice
CAUSES: Mapping[str, str] = {
    "people": gettext_noop("people split"),
    "against": gettext_noop("judges against people"),
    "judges": gettext_noop("judges among themselves"),
    "swapped": gettext_noop("a judge against itself, sides swapped"),
    REVIEWED: gettext_noop("reviewers among themselves"),
    QUARANTINED: gettext_noop("its vote is in quarantine"),
}
SKIPS: Mapping[str, str] = {
    "subject": gettext_noop("I do not know the subject well enough"),
    "language": gettext_noop("I do not read this language well enough"),
    "unreadable": gettext_noop("A text is broken or missing"),
    "recognised": gettext_noop("I recognise a model or the battle"),
    "harmful": gettext_noop("I do not want to read this"),
    "other": gettext_noop("Another reason"),
}
