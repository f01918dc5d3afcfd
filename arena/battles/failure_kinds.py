"""The kind of a failure, which a voter sees without the model and the message of its server."""

from __future__ import annotations

import re
from typing import Literal

from arena.endpoints import Failure

Kind = Literal["busy", "refused", "too_long", "empty", "timeout", "broken"]

EMPTY = "the completion has no visible character"
# as vLLM, llama.cpp, OpenAI, Anthropic and Google word a conversation that does not fit
TOO_LONG = re.compile(
    r"context.{0,20}(length|size|window)|(maximum|max).{0,20}(context|token)|too (long|many tokens|large)"
    r"|exceed.{0,40}(context|token)",
    re.IGNORECASE,
)
KINDS: dict[str, Kind] = {
    Failure.RATE_LIMITED: "busy",
    Failure.NOT_READY: "busy",
    Failure.UNREACHABLE: "busy",
    Failure.TIMEOUT: "timeout",
    Failure.REFUSED: "refused",
    "too_long": "too_long",
    "empty": "empty",
}


def recorded_failure(failure: Failure, detail: str) -> str:
    """The word that is stored for a failure: more precise than its type where the detail tells more."""
    if detail == EMPTY:
        return "empty"
    if failure is Failure.REFUSED and TOO_LONG.search(detail):
        return "too_long"
    return failure.value


def kind_of(recorded: str | None) -> Kind:
    """The kind of a stored failure."""
    return KINDS.get(recorded or "", "broken")
