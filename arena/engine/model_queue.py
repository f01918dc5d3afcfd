"""The queue of one model: its calls, its limits, and whether the model can be called at all."""

from __future__ import annotations

import asyncio

from arena.endpoints import EndpointError, Failure
from arena.endpoints.refusals import cure, is_of_prompt, without_identifiers
from arena.engine.attempts import STATUS_OF_FAILURE
from arena.engine.budget import estimated_tokens, most_tokens
from arena.engine.calls import Call, Status
from arena.engine.limits import ConcurrencyLimiter, RateLimiter
from arena.engine.model_client import ModelClient, RetryPolicy

PERMANENT = {Failure.UNAUTHORISED, Failure.NOT_READY, Failure.UNUSABLE}  # every later call would fail alike
ALIKE = 5  # refusals in a row with the same words and no reply before, after which no further call is made
ALIKE_LATER = 20  # the same after a reply: a server that serves some prompts may refuse a few alike
GONE = 12  # calls in a row that could not reach the endpoint, after which no further one is tried
WAITING = 1000  # calls held in memory a model, so that a run of any length needs the same memory


class ModelQueue:
    """One model's calls, and what limits them. `closed` is the status and detail of all further calls."""

    def __init__(self, client: ModelClient) -> None:
        self.client = client
        self.gate = ConcurrencyLimiter(client.concurrency)
        self.calls: asyncio.Queue[tuple[int, Call]] = asyncio.Queue(WAITING)
        self.workers = 0
        self.closed: tuple[Status, str] | None = None
        self._request_rate = _rate(client.requests_per_minute)
        self._token_rate = _rate(client.tokens_per_minute)
        self.unusable = ""  # why every later call would fail
        self._unreachable = 0  # in a row
        self._refusal, self._alike = "", 0  # the words of the last refusal, and how many in a row have them
        self._replied = False
        self._starting = asyncio.Lock()
        self._started = False

    def reopen(self) -> None:
        """An empty queue for the next run; a closed model stays closed."""
        self.calls, self.workers = asyncio.Queue(WAITING), 0

    async def start(self) -> None:
        """Start the endpoint once. Weights that cannot be loaded are not loaded again for the calls that wait.

        Raises `EndpointError`.
        """
        if self._started or self.closed:
            return
        async with self._starting:
            if not self._started and not self.closed:
                await self.client.endpoint.start()
                self._started = True

    def delay(self, call: Call) -> float:
        """Take the call's share of both rate limits and return the seconds until both allow it."""
        requests = self._request_rate.delay(1) if self._request_rate else 0.0
        tokens = self._token_rate.delay(sum(estimated_tokens(call.body))) if self._token_rate else 0.0
        return max(requests, tokens)

    def highest_cost(self, call: Call) -> float:
        """USD that the call costs at most."""
        return self.client.price.of(*most_tokens(call.body)) if self.client.price else 0.0

    def succeeded(self, call: Call, used: tuple[int, int]) -> float:
        """Note a reply that used (prompt, completion) tokens, and return its cost in USD."""
        self._unreachable = self._alike = 0
        self._replied = True
        self.gate.went_well()
        if self._token_rate:
            self._token_rate.give_back(sum(estimated_tokens(call.body)) - sum(used))
        return self.client.price.of(*used) if self.client.price else 0.0

    def failed(self, error: EndpointError, began: float, policy: RetryPolicy) -> Status:
        """Note what the failure says about the endpoint, and return the status of the call."""
        status = STATUS_OF_FAILURE[error.failure]
        self._unreachable = self._unreachable + 1 if error.failure is Failure.UNREACHABLE else 0
        if error.failure in PERMANENT:
            self._stop(error.detail)
        elif error.failure is Failure.REFUSED:
            self._refused(error.detail)
        elif self._unreachable >= GONE:
            self.closed = (status, error.detail)
        elif error.failure is Failure.RATE_LIMITED:
            self._rate_limited(error, began, policy)
        return status

    def _stop(self, reason: str) -> None:
        self.unusable = reason
        self.closed = (Status.NOT_ASKED, reason)

    def _refused(self, detail: str) -> None:
        """Stop after refusals in a row that are the same, and not about the prompt."""
        words = without_identifiers(detail)
        self._alike = self._alike + 1 if words == self._refusal else 1
        self._refusal = words
        if self._alike >= (ALIKE_LATER if self._replied else ALIKE) and not is_of_prompt(detail):
            self._stop(f"{detail} (the same refusal {self._alike} times in a row). {cure(detail)}")

    def _rate_limited(self, error: EndpointError, began: float, policy: RetryPolicy) -> None:
        pause = error.retry_after or 0.0
        if pause > policy.longest_pause:
            self.closed = (Status.RATE_LIMITED, f"{error.detail}; the endpoint requests a pause of {pause:g} s")
        else:
            self.gate.too_busy(pause, began)


def _rate(per_minute: float | None) -> RateLimiter | None:
    return None if per_minute is None else RateLimiter(per_minute)
