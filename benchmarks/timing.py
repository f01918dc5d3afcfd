"""The timing of one request, and its latencies.

Other tools use one name for several quantities (vLLM, evalscope, guidellm); here:

* **TTFT**, time to the first token, twice: since the request was *sent*, and since it was *scheduled*. A client
  that waits for a free connection hides that wait from the first (coordinated omission), but not from the second.
  The first token of a model that thinks is one of its thinking; **ttft_content** is the time to the first one of its
  answer.
* **TPOT**, time per output token after the first: ``(E2E - TTFT) / (n - 1)`` for n > 1 tokens.
* **normalised latency**: ``E2E / n``, which includes the first token.
* **ITL**, the gaps between chunks; a chunk may hold several tokens.
* **E2E**, from sent (or scheduled) to the end of the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """The timing of one request. All times are in seconds on one clock."""

    scheduled: float
    sent: float
    chunks: tuple[float, ...] = ()  # arrival time of each piece, thinking included
    first_content: float | None = None  # arrival time of the first piece that is no thinking
    thinking_chunks: int = 0  # pieces of thinking among them
    ended: float | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    counted_by: str = ""  # `usage` (of the server), or `chunks` if the server sends none
    error: str | None = None  # the kind of failure
    turn: int = 0  # place in its conversation, from 0

    @property
    def ok(self) -> bool:
        return self.error is None and self.ended is not None and bool(self.chunks)

    @property
    def ttft(self) -> float | None:
        return self.chunks[0] - self.sent if self.chunks else None

    @property
    def ttft_scheduled(self) -> float | None:
        return self.chunks[0] - self.scheduled if self.chunks else None

    @property
    def ttft_content(self) -> float | None:
        return self.first_content - self.sent if self.first_content is not None else None

    @property
    def e2e(self) -> float | None:
        return self.ended - self.sent if self.ended is not None else None

    @property
    def e2e_scheduled(self) -> float | None:
        return self.ended - self.scheduled if self.ended is not None else None

    @property
    def tpot(self) -> float | None:
        if self.ttft is None or self.e2e is None or self.output_tokens is None or self.output_tokens < 2:
            return None
        return (self.e2e - self.ttft) / (self.output_tokens - 1)

    @property
    def normalised_latency(self) -> float | None:
        return self.e2e / self.output_tokens if self.e2e is not None and self.output_tokens else None

    @property
    def gaps(self) -> tuple[float, ...]:
        return tuple(later - earlier for earlier, later in zip(self.chunks, self.chunks[1:], strict=False))


PER_REQUEST: dict[str, Callable[[Timing], float | None]] = {
    "chunks": lambda timing: float(len(timing.chunks)),
    "thinking_chunks": lambda timing: float(timing.thinking_chunks),
    "content_chunks": lambda timing: float(len(timing.chunks) - timing.thinking_chunks),
    "input_tokens": lambda timing: None if timing.prompt_tokens is None else float(timing.prompt_tokens),
    "output_tokens": lambda timing: None if timing.output_tokens is None else float(timing.output_tokens),
}
LATENCIES: dict[str, Callable[[Timing], float | None]] = {
    "ttft": lambda timing: timing.ttft,
    "ttft_scheduled": lambda timing: timing.ttft_scheduled,
    "ttft_content": lambda timing: timing.ttft_content,
    "tpot": lambda timing: timing.tpot,
    "e2e": lambda timing: timing.e2e,
    "e2e_scheduled": lambda timing: timing.e2e_scheduled,
    "normalised_latency": lambda timing: timing.normalised_latency,
}
