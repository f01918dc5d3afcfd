"""A model as the engine calls it, and how often it retries."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from arena.endpoints import Endpoint, Request
from arena.endpoints.parameters import with_parameters
from arena.engine.budget import Price


@dataclass(frozen=True)
class ModelClient:
    """A model as the engine calls it. `identity` distinguishes it from models whose replies differ."""

    endpoint: Endpoint
    identity: Mapping[str, Any]
    concurrency: int = 8
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    price: Price | None = None
    parameters: Mapping[str, Any] = field(
        default_factory=dict
    )  # of the settings, which override those of a request
    lacks: frozenset[str] = frozenset()  # parameters that the endpoint refuses and no request needs

    def with_parameters(self, body: Request) -> dict[str, Any]:
        """The request with this model's own parameters over those of its builder."""
        taken = {name: value for name, value in body.items() if name not in self.lacks}
        return with_parameters(taken, self.parameters)


@dataclass(frozen=True)
class RetryPolicy:
    """How long and how often the engine tries; times in seconds."""

    attempts: int = 4  # of a call with a transient failure; three times as many for a busy endpoint
    readings: int = 2  # replies of a request, if none can be read
    call_timeout: float = 300.0
    first_pause: float = 0.5  # doubles with each attempt, with jitter
    longest_pause: float = 60.0  # an endpoint that requests more gets no further call in this run
    run_timeout: float | None = None

    @classmethod
    def within(cls, run_timeout: float | None, call_timeout: float | None) -> RetryPolicy:
        """The default policy with the limits of a run and of a call; None of a call is the default."""
        policy = cls(run_timeout=run_timeout)
        return policy if call_timeout is None else replace(policy, call_timeout=call_timeout)

    def pause(self, attempt: int) -> float:
        doubled = min(self.longest_pause, self.first_pause * 2.0 ** (attempt - 1))
        return doubled * random.uniform(0.5, 1.0)  # noqa: S311  (jitter, not a secret)
