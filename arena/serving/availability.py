"""When a served model is available for battles: it is ready, and not suspended after failures in a row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

FAILURES_BEFORE_SUSPENSION = 3  # in a row: each one costs a voter a battle
SUSPENSION_SECONDS = 30.0


class State(StrEnum):
    WAITING = "waiting"  # for weights, or to be loaded
    READY = "ready"
    UNAVAILABLE = "unavailable"  # its endpoint did not start


@dataclass
class Availability:
    """The state of one model, its failures in a row and its suspension."""

    state: State = State.WAITING
    progress: str = "waiting"  # for the page, without the name of the model
    detail: str = ""  # for the operator
    failures: int = 0  # in a row
    suspended_until: float = 0.0  # on the monotonic clock

    @property
    def available(self) -> bool:
        return self.state is State.READY and self.suspended_until <= time.monotonic()

    def record_outcome(self, succeeded: bool) -> None:
        """Count the failures in a row; suspend the model from the third on."""
        self.failures = 0 if succeeded else self.failures + 1
        if self.failures >= FAILURES_BEFORE_SUSPENSION:
            self.suspended_until = time.monotonic() + SUSPENSION_SECONDS
