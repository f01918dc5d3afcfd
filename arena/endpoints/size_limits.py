"""How much a server may send: characters and bytes, by the `max_tokens` of the request.

The factors are generous, so that no honest reply meets them: a token has about 4 characters in English, and about
300 bytes as a streamed event. A server that sends more ignores `max_tokens`, and its reply is a failure.
"""

from __future__ import annotations

from arena.endpoints.endpoint import Blame, EndpointError, Failure, Request

CHARACTERS_PER_TOKEN = 32
CHARACTERS_AT_LEAST = 4096
BYTES_PER_TOKEN = 4096  # an event with 20 alternatives and their bytes has about 3,000
BYTES_AT_LEAST = 1 << 20
BYTES_PER_PROMPT_CHARACTER = 512  # of an echoed prompt with its log-probabilities
TOKENS = 32_768  # where a request sets no limit
MOST_TOKENS = 1 << 20  # counted of a limit that a request sets
ERROR_BYTES = 1 << 16  # of the body of a refusal; the rest is not read
LIST_BYTES = 1 << 23  # of a list of models


def character_limit(request: Request) -> int:
    """The most characters that the text of a completion may have."""
    return CHARACTERS_AT_LEAST + CHARACTERS_PER_TOKEN * _tokens(request)


def byte_limit(request: Request, echoed: str = "") -> int:
    """The most bytes that a reply may have, with the prompt that it echoes."""
    return BYTES_AT_LEAST + BYTES_PER_TOKEN * _tokens(request) + BYTES_PER_PROMPT_CHARACTER * len(echoed)


def too_long(size: int, limit: int, unit: str) -> None:
    """Raises `EndpointError` for a reply of more than `limit` characters or bytes."""
    if size > limit:
        raise EndpointError(
            Failure.BROKEN,
            f"The reply has more than {limit:,} {unit}. Check that the server obeys max_tokens.",
            blame=Blame.PROMPT,
        )


def _tokens(request: Request) -> int:
    limits = [request.get(name) for name in ("max_completion_tokens", "max_tokens")]
    tokens = max((limit for limit in limits if isinstance(limit, int) and limit > 0), default=TOKENS)
    choices = request.get("n")
    return min(tokens, MOST_TOKENS) * (choices if isinstance(choices, int) and 0 < choices <= 128 else 1)
