"""The way of a battle from its start to the reveal of its models, and where battles drop out.

started = running + failed + stopped + answered; answered = waiting + left + voted; voted = undoable + revealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from arena.rules.messages import gettext_noop


class Step(StrEnum):
    """A set of battles: `STARTED`, `ANSWERED`, `VOTED` and `REVEALED` each lie in the one before."""

    STARTED = "started"
    ANSWERED = "answered"  # both completions came to an end
    VOTED = "voted"
    REVEALED = "revealed"  # the vote counts, and the models are named
    RUNNING = "running"
    FAILED = "failed"  # a model gave no completion
    STOPPED = "stopped"  # its voter left before both completions were whole
    WAITING = "waiting"  # for a vote
    LEFT = "left"  # answered, and closed without a vote
    UNDOABLE = "undoable"  # voted, and the vote can still be undone


STEPS = (Step.STARTED, Step.ANSWERED, Step.VOTED, Step.REVEALED)
DROPPED = (Step.FAILED, Step.STOPPED, Step.LEFT)
STEP_NAMES: Mapping[Step, str] = {
    Step.STARTED: gettext_noop("started"),
    Step.ANSWERED: gettext_noop("answered"),
    Step.VOTED: gettext_noop("voted"),
    Step.REVEALED: gettext_noop("revealed"),
    Step.RUNNING: gettext_noop("still running"),
    Step.FAILED: gettext_noop("failed: a model gave no completion"),
    Step.STOPPED: gettext_noop("stopped before both completions were whole"),
    Step.WAITING: gettext_noop("waiting for a vote"),
    Step.LEFT: gettext_noop("abandoned without a vote"),
    Step.UNDOABLE: gettext_noop("vote can still be undone"),
}


@dataclass(frozen=True)
class Funnel:
    """The numbers of battles that are in one place each; the steps are their sums."""

    running: int = 0
    failed: int = 0
    stopped: int = 0
    waiting: int = 0
    left: int = 0
    undoable: int = 0
    revealed: int = 0

    def __add__(self, other: Funnel) -> Funnel:
        return Funnel(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Funnel)))

    @property
    def voted(self) -> int:
        return self.undoable + self.revealed

    @property
    def answered(self) -> int:
        return self.waiting + self.left + self.voted

    @property
    def started(self) -> int:
        """
        >>> Funnel(failed=1, left=2, revealed=4).started
        7
        """
        return self.running + self.failed + self.stopped + self.answered

    def number(self, step: Step) -> int:
        """The battles of a step."""
        return int(getattr(self, step.value))
