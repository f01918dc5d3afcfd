"""A shipped fake: answers from a script, with delays and faults. Tests and demos use it.

It is deterministic: the same messages give the same completion.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal

from arena.endpoints.endpoint import Blame, EndpointError, Failure, Finish, Request, Usage, text_of

Fault = Literal["before_first_token", "midway", "silent"]

OPENINGS = (
    "Here is a short answer to your question.",
    "Good question. Let me think it through.",
    "In one sentence:",
    "There are a few sides to this.",
)


@dataclass(frozen=True)
class Scripted:
    """Answers with `replies[n]` on turn n (the last one repeats), or with a text made from the prompt.

    `delay` is in seconds between words. `fault` fails every call: before the first token, midway, or by
    never saying anything until the caller loses patience.
    """

    replies: Sequence[str] = ()
    style: str = "plain"
    delay: float = 0.02
    fault: Fault | None = None

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        text = self._completion(request)
        if self.fault == "before_first_token":
            raise EndpointError(
                Failure.REFUSED, "the script says: fail before the first token", blame=Blame.ENDPOINT
            )
        if self.fault == "silent":
            await asyncio.sleep(3600)
        pieces = text.split(" ")
        limit = int(request.get("max_tokens") or len(pieces))
        for number, piece in enumerate(pieces[:limit]):
            if self.fault == "midway" and number >= len(pieces) // 2:
                raise EndpointError(Failure.BROKEN, "the script says: fail midway")
            await asyncio.sleep(self.delay)
            yield piece if number == 0 else " " + piece
        used = Usage(prompt_tokens=_words(request), completion_tokens=min(limit, len(pieces)))
        yield Finish("stop" if limit >= len(pieces) else "length", used)

    async def start(self) -> None:
        """Nothing to make ready."""

    async def close(self) -> None:
        """Nothing to give back."""

    def _completion(self, request: Request) -> str:
        messages = request["messages"]
        turn: int = sum(message["role"] == "user" for message in messages) - 1
        if self.replies:
            return self.replies[min(turn, len(self.replies) - 1)]
        prompt = text_of(messages[-1]["content"])
        opening = OPENINGS[zlib.crc32(f"{self.style}\n{prompt}".encode()) % len(OPENINGS)]
        quoted = " ".join(prompt.split()[:12])
        if self.style == "lists":
            points = (f"You asked: *{quoted}*", "**First**, look at what is known.", "**Then**, try it.")
            return f"{opening}\n\n" + "\n".join(f"- {point}" for point in points)
        return f"{opening} You asked about “{quoted}”, and the honest reply is that it depends on the details."


def _words(request: Request) -> int:
    return sum(len(text_of(message["content"]).split()) for message in request["messages"])
