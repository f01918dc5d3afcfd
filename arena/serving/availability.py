"""When a served model is available for battles: it is ready, and not suspended after failures in a row.

A circuit breaker whose callers are strangers: what a prompt alone can cause is not counted, and what it may cause
counts once a visitor. See docs/decisions/suspension-needs-several-visitors.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from arena.endpoints.endpoint import Blame

FAILURES_BEFORE_SUSPENSION = 3  # in a row: each one costs a voter a battle
SUSPENSION_SECONDS = 30.0


class State(StrEnum):
    WAITING = "waiting"  # for weights, or to be loaded
    READY = "ready"
    UNAVAILABLE = "unavailable"  # its endpoint did not start


@dataclass(frozen=True)
class Visitor:
    """A voter, and the address from which they come now; the address is not stored."""

    voter: str
    address: str | None = None


@dataclass
class Failures:
    """The failures of a model since it last succeeded."""

    certain: int = 0  # those that no prompt can cause
    voters: set[str] = field(default_factory=set)  # of the others
    addresses: set[str] = field(default_factory=set)

    def add(self, blame: Blame, visitor: Visitor) -> None:
        if blame is Blame.ENDPOINT:
            self.certain += 1
        elif blame is Blame.UNCLEAR:
            self.voters.add(visitor.voter)
            self.addresses.add(visitor.address or visitor.voter)

    @property
    def number(self) -> int:
        """Those that count: of the unclear ones, one for each voter and one for each address."""
        return max(self.certain, min(len(self.voters), len(self.addresses)))


@dataclass
class Availability:
    """The state of one model, its failures in a row and its suspension."""

    state: State = State.WAITING
    progress: str = "waiting"  # for the page, without the name of the model
    detail: str = ""  # for the operator
    failures: Failures = field(default_factory=Failures)
    suspended_until: float = 0.0  # on the monotonic clock

    @property
    def available(self) -> bool:
        return self.state is State.READY and not self.suspended

    @property
    def suspended(self) -> bool:
        return self.suspended_until > time.monotonic()

    def record_outcome(self, blame: Blame | None, visitor: Visitor) -> bool:
        """Count a failure, or forget all after a success (`None`); returns whether this suspends the model.

        After a suspension, one certain failure suspends the model again: the first battle is its trial. Unclear ones
        are counted from the beginning.
        """
        if blame is None:
            self.failures = Failures()
            return False
        if self.suspended:
            return False  # of a turn that began before
        self.failures.add(blame, visitor)
        if self.failures.number < FAILURES_BEFORE_SUSPENSION:
            return False
        on_trial = self.failures.certain >= FAILURES_BEFORE_SUSPENSION
        self.failures = Failures(certain=FAILURES_BEFORE_SUSPENSION - 1 if on_trial else 0)
        self.suspended_until = time.monotonic() + SUSPENSION_SECONDS
        return True
