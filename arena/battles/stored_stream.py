"""A stored completion as a stream, at the pace at which its model wrote it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random, SystemRandom

from arena.battles.streaming import Message
from arena.endpoints import Finish, Usage
from arena.store.stored_battles import Written

PIECE = re.compile(r"\s*[^\W_]{1,6}|\s*\W|\s*_", re.DOTALL)  # about a token
STEADY = 0.5  # of the time between two pieces; the rest varies, as it does with a server that has other work


@dataclass(frozen=True)
class StoredStream:
    """Streams a completion that is in the store. It makes no call and costs nothing."""

    name: str
    written: Written
    random: Random = field(default_factory=SystemRandom)

    async def stream(self, _conversation: Sequence[Message]) -> AsyncGenerator[str | Finish]:
        """The pieces of the text, the first and the last one when they came in the first place."""
        clock = asyncio.get_running_loop().time
        started, pieces = clock(), PIECE.findall(self.written.text)
        for piece, due in zip(pieces, self._times(len(pieces)), strict=True):
            if (wait := started + due - clock()) > 0:
                await asyncio.sleep(wait)
            yield piece
        used = Usage(self.written.prompt_tokens, self.written.completion_tokens)
        yield Finish(self.written.finish_reason or "stop", used)

    def _times(self, pieces: int) -> list[float]:
        """When each piece is due, in seconds after the start."""
        last = self.written.seconds or 0.0
        first = min(self.written.first_token_seconds or 0.0, last)
        gaps = [STEADY + (1 - STEADY) * self.random.expovariate(1.0) for _ in range(pieces - 1)]
        total = sum(gaps) or 1.0
        return [first + (last - first) * passed / total for passed in accumulate(gaps, initial=0.0)][:pieces]
