"""When a served model is available for battles: it is ready, and not suspended after failures in a row.

A circuit breaker whose callers are strangers: what a prompt alone can cause is not counted, and what it may cause
counts once a visitor. A suspended model returns when a short completion for the arena itself succeeds, which is tried
after gaps that double. See docs/decisions/suspension-needs-several-visitors.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from arena.endpoints.endpoint import Blame

FAILURES_BEFORE_SUSPENSION = 3  # in a row: each one costs a voter a battle
SUSPENSION_SECONDS = 30.0  # until the first trial
LONGEST_GAP = (
    900.0  # seconds between two trials: an hour's outage is then over for voters within 15 minutes of its end
)
MOST_DOUBLINGS = 10  # more than any gap needs


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
    suspended_until: float = 0.0  # the next trial on the monotonic clock; 0 while it is not suspended
    gaps: int = 0  # doublings of the next gap; a voter's completion ends them
    trials: int = 0  # that failed in this suspension
    trying: bool = False  # a trial runs
    last_failure: str = ""  # for the operator

    @property
    def available(self) -> bool:
        return self.state is State.READY and not self.suspended

    @property
    def suspended(self) -> bool:
        return self.suspended_until != 0

    @property
    def seconds_to_trial(self) -> float:
        """Until a suspended model is to be tried again."""
        return self.suspended_until - time.monotonic()

    def record_outcome(self, blame: Blame | None, visitor: Visitor) -> bool:
        """Count a failure, or forget all after a success (`None`); returns whether this suspends the model.

        After a suspension, one certain failure suspends the model again: the first battle is its second trial. Unclear
        ones are counted from the beginning.
        """
        if blame is None:
            self.failures, self.gaps = Failures(), 0
            return False
        if self.suspended:
            return False  # of a turn that began before
        self.failures.add(blame, visitor)
        if self.failures.number < FAILURES_BEFORE_SUSPENSION:
            return False
        on_trial = self.failures.certain >= FAILURES_BEFORE_SUSPENSION
        self.failures = Failures(certain=FAILURES_BEFORE_SUSPENSION - 1 if on_trial else 0)
        self.trials = 0
        self._rest()
        return True

    def record_trial(self, failure: str | None) -> None:
        """The outcome of a trial: the model returns, or rests for twice as long."""
        self.trying = False
        if failure is None:
            self.suspended_until = 0.0
            return
        self.trials, self.last_failure = self.trials + 1, failure
        self._rest()

    def _rest(self) -> None:
        self.suspended_until = time.monotonic() + min(LONGEST_GAP, SUSPENSION_SECONDS * 2.0**self.gaps)
        self.gaps = min(self.gaps + 1, MOST_DOUBLINGS)
