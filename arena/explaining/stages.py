"""The progress of an explanation, stage by stage. The name of a stage is a text for readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arena.rules.messages import gettext_noop

Progress = Callable[[str, int, int], None]  # stage, done, total; may raise to end the work


def silent(_stage: str, _done: int, _total: int) -> None:
    """The default progress, which shows nothing."""


@dataclass
class Stages:
    """The current stage with its number of computed masks; both orders count."""

    progress: Progress
    stage: str = gettext_noop("preparing")
    done: int = 0
    total: int = 0

    def begin(self, stage: str, total: int = 0) -> None:
        """Begin a stage of `total` masks, 0 if their number is unknown."""
        self.stage, self.done, self.total = stage, 0, total
        self.progress(stage, 0, total)

    def advance(self, count: int) -> None:
        """Count more computed masks. A stage of unknown size has no total, rather than one that grows with it."""
        self.done += count
        self.progress(self.stage, self.done, max(self.total, self.done) if self.total else 0)
