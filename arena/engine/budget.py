"""What calls cost, and the cap on it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from arena.endpoints.endpoint import Reply, Request

# Bytes of UTF-8 a token at the least in practice, for an estimate that is rather too high than too low: English
# has about 4, code and other scripts have fewer.
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
    """(prompt, completion) tokens that this request may use at most, estimated without its tokenizer."""
    if "messages" not in body:  # a log-likelihood: nothing is written
        text = "".join(str(body.get(name, "")) for name in ("context", "continuation", "text"))
        return round(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN) + 1, 1
    size = len(json.dumps(body["messages"], ensure_ascii=False).encode("utf-8", "replace"))
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or DEFAULT_COMPLETION
    return round(size / BYTES_PER_TOKEN) + 8, int(limit)


def used_tokens(body: Request, reply: Reply) -> tuple[int, int]:
    """(prompt, completion) tokens that the reply says it used; the estimate where it does not tell."""
    usage = reply.get("usage") or {}
    prompt, completion = estimated_tokens(body)
    said_prompt, said_completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (
        prompt if said_prompt is None else int(said_prompt),
        completion if said_completion is None else int(said_completion),
    )


@dataclass
class Budget:
    """A cap in USD. A call is begun only if the cap holds even when it and all that run cost the most."""

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
        """The call that reserved so much has cost this."""
        self.reserved -= reserved
        self.spent += cost
