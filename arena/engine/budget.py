"""Cost of calls, and the limit on it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from arena.endpoints.endpoint import Reply, Request

# UTF-8 bytes per token, low so that estimates are rather too high than too low: English has about 4, code and
# other scripts have fewer.
BYTES_PER_TOKEN = 3.0
DEFAULT_COMPLETION = 1024  # tokens, where a request sets no limit


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    prompt: float
    completion: float

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


def estimated_tokens(body: Request) -> tuple[int, int]:
    """The most (prompt, completion) tokens of a request, estimated without its tokenizer."""
    if "messages" not in body:  # a log-likelihood: nothing is written
        text = "".join(str(body.get(name, "")) for name in ("context", "continuation", "text"))
        return round(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN) + 1, 1
    size = len(json.dumps(body["messages"], ensure_ascii=False).encode("utf-8", "replace"))
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or DEFAULT_COMPLETION
    return round(size / BYTES_PER_TOKEN) + 8, int(limit)


def used_tokens(body: Request, reply: Reply) -> tuple[int, int]:
    """(prompt, completion) tokens of a reply as it reports them, else as estimated."""
    usage = reply.get("usage") or {}
    prompt, completion = estimated_tokens(body)
    used_prompt, used_completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (
        prompt if used_prompt is None else int(used_prompt),
        completion if used_completion is None else int(used_completion),
    )


@dataclass
class Budget:
    """A limit in USD. A call begins only if the limit holds even if it and all running calls cost the most."""

    most: float | None = None
    spent: float = 0.0
    reserved: float = 0.0

    def reserve(self, amount: float) -> bool:
        """Whether a call that costs at most `amount` may begin."""
        if self.most is not None and self.spent + self.reserved + amount > self.most:
            return False
        self.reserved += amount
        return True

    def settle(self, reserved: float, cost: float) -> None:
        """Replace the reservation of a finished call by its cost."""
        self.reserved -= reserved
        self.spent += cost
