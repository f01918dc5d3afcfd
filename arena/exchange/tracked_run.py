"""A run as experiment trackers take it: its settings, numbers, tables and page. Plain data, whatever made the run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

CREDENTIALS = re.compile(r"//[^/@\s]+@")  # of an address


class TrackerFailed(Exception):
    """A tracker did not take a run; the text says which and why. The run itself is stored."""

    def __init__(self, tracker: str, problem: Exception) -> None:
        reason = CREDENTIALS.sub("//", str(problem)) or type(problem).__name__
        super().__init__(f"{tracker} did not take the run: {reason}")


@dataclass(frozen=True)
class TrackedTable:
    """Rows of texts and numbers under `columns`."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]


@dataclass(frozen=True)
class TrackedRun:
    """`scores` have names such as score/MODEL and score/MODEL/lower; those without a number are None."""

    kind: str  # judge, bench or speed
    name: str
    config: Mapping[str, str]
    scores: Mapping[str, float | None]
    tables: Sequence[TrackedTable]
    page: str = ""  # the HTML report; empty if there is none to send

    @property
    def numbers(self) -> dict[str, float]:
        """The scores that are finite numbers."""
        return {
            name: float(value) for name, value in self.scores.items() if value is not None and math.isfinite(value)
        }


class Tracker(Protocol):
    """Where runs are sent."""

    @property
    def name(self) -> str: ...

    def send(self, run: TrackedRun) -> str:
        """Send the run; a sentence on where it is. Raises `TrackerFailed`."""
        ...
