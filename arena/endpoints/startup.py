"""Starting a model once: a failed load is raised again instead of repeated, and crashes in a row are permanent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from arena.endpoints.endpoint import EndpointError, Failure

CRASHES = 3  # in a row; one may come from the request, three without a reply between them come from the model


@dataclass
class StartLock:
    """A lock around the start and the close of a model, which remembers that the model is unusable."""

    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _unusable: EndpointError | None = None

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """Hold the lock to start the model. Raises a remembered `EndpointError` again without another try."""
        async with self._lock:
            if self._unusable is not None:
                raise EndpointError(Failure.UNUSABLE, self._unusable.detail) from self._unusable
            try:
                yield
            except EndpointError as error:
                if error.failure is Failure.UNUSABLE:
                    self._unusable = error
                raise

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """Hold the lock to close the model; the next start tries again."""
        async with self._lock:
            self._unusable = None
            yield


@dataclass
class CrashCount:
    """Unexpected errors of a model since its last reply."""

    _crashes: int = 0

    def reset(self) -> None:
        self._crashes = 0

    def failure(self, detail: str) -> EndpointError:
        """The failure of one more crash: `BROKEN`, and `UNUSABLE` from the third in a row."""
        self._crashes += 1
        return EndpointError(Failure.UNUSABLE if self._crashes >= CRASHES else Failure.BROKEN, detail)
