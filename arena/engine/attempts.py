"""One attempt at a call: its status, and the pause before the next attempt."""

from __future__ import annotations

from dataclasses import dataclass

from arena.endpoints import Failure
from arena.endpoints.endpoint import Reply
from arena.engine.calls import Status
from arena.engine.model_client import RetryPolicy

STATUS_OF_FAILURE = {
    Failure.UNREACHABLE: Status.TRANSPORT,
    Failure.TIMEOUT: Status.TIMEOUT,
    Failure.RATE_LIMITED: Status.RATE_LIMITED,
    Failure.UNAUTHORISED: Status.TRANSPORT,
    Failure.REFUSED: Status.REFUSED,
    Failure.BROKEN: Status.TRANSPORT,
    Failure.NOT_READY: Status.TRANSPORT,
    Failure.UNUSABLE: Status.TRANSPORT,
}
TRANSIENT = {Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.BROKEN}
# The server may have made the completion before this failure: it costs the most. All others come before any work.
BILLED = {Failure.TIMEOUT, Failure.BROKEN}
BUSY_FACTOR = 3  # times as many attempts for a busy endpoint as for a broken one: waiting does help there
LONGEST_DOUBLING = 16  # attempts after which the pause no longer grows


@dataclass(frozen=True)
class Attempt:
    """The result of one attempt; `failure` is None if a reply arrived, readable or not."""

    status: Status
    detail: str = ""
    reply: Reply | None = None
    failure: Failure | None = None
    retry_after: float | None = None
    cost: float = 0.0


def pause_before_retry(policy: RetryPolicy, attempt: Attempt, attempts: int, replies: int) -> float | None:
    """Seconds until the next attempt, or None for the last one; `replies` of the `attempts` had a reply."""
    if attempt.status is Status.OK:
        return None
    if attempt.failure is None:
        return 0.0 if replies < policy.readings else None
    most = policy.attempts * (BUSY_FACTOR if attempt.failure is Failure.RATE_LIMITED else 1)
    if attempt.failure not in TRANSIENT or attempts >= most:
        return None
    if attempt.retry_after is not None:
        return attempt.retry_after if attempt.retry_after <= policy.longest_pause else None
    return policy.pause(min(attempts, LONGEST_DOUBLING))
