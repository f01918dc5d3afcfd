"""What scores texts: a Protocol with two backends, a server and a classifier in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from arena.rules.text_checks import Scores


class TextChecker(Protocol):
    """Scores texts by category. Safe to call from many tasks of one event loop at once."""

    @property
    def name(self) -> str:
        """The backend and its model, as it is stored with each result."""
        ...

    async def start(self) -> None:
        """Load weights. Raises `ConfigError` for weights that are missing or are no classifier."""
        ...

    async def score(self, texts: Sequence[str]) -> list[Scores]:
        """The scores of each text. Raises `EndpointError`."""
        ...

    async def close(self) -> None:
        """Release connections and memory."""
        ...
