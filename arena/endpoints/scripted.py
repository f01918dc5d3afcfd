"""A shipped fake: answers from a script, with delays and faults. Tests and demos use it.

It is deterministic: the same messages give the same completion.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from arena.endpoints.endpoint import Blame, EndpointError, Failure, Finish, Reply, Request, Usage, joined, text_of

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

    A reply that is a mapping, `{"tool": name, "arguments": {…}}`, calls a tool: `answer` returns it as a call, and the
    result of a tool begins the next turn; `stream` has no text for it. `delay` is in seconds between words. `fault`
    fails every call: before the first token, midway, or by never saying anything until the caller loses patience.
    """

    replies: Sequence[str | Mapping[str, Any]] = ()
    style: str = "plain"
    delay: float = 0.02
    fault: Fault | None = None

    async def answer(self, request: Request) -> Reply:
        """The whole reply, which alone can call a tool. Raises `EndpointError`."""
        async with aclosing(self.stream(request)) as events:
            reply = await joined(events)
        scripted = self._scripted(request)
        if not isinstance(scripted, Mapping):
            return reply
        function = {"name": scripted["tool"], "arguments": json.dumps(scripted.get("arguments") or {})}
        calls = [{"id": f"call_{_turn(request)}", "type": "function", "function": function}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        return {**reply, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}

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
        scripted = self._scripted(request)
        if scripted is not None:
            return scripted if isinstance(scripted, str) else ""
        prompt = text_of(request["messages"][-1]["content"])
        opening = OPENINGS[zlib.crc32(f"{self.style}\n{prompt}".encode()) % len(OPENINGS)]
        quoted = " ".join(prompt.split()[:12])
        if self.style == "lists":
            points = (f"You asked: *{quoted}*", "**First**, look at what is known.", "**Then**, try it.")
            return f"{opening}\n\n" + "\n".join(f"- {point}" for point in points)
        return f"{opening} You asked about “{quoted}”, and the honest reply is that it depends on the details."

    def _scripted(self, request: Request) -> str | Mapping[str, Any] | None:
        """The reply of this turn; None without a script."""
        return self.replies[min(_turn(request), len(self.replies) - 1)] if self.replies else None


def _turn(request: Request) -> int:
    """Turns so far: each message of a user, and each round of tool results, begins one."""
    roles: list[str] = [message["role"] for message in request["messages"]]
    rounds = sum(role == "tool" and roles[place - 1] != "tool" for place, role in enumerate(roles))
    return roles.count("user") + rounds - 1


def _words(request: Request) -> int:
    return sum(len(text_of(message.get("content") or "").split()) for message in request["messages"])
