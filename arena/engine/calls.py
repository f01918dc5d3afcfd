"""What is asked and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arena.endpoints import Request
from arena.endpoints.endpoint import Reply
from judges.replies import Reason, Unparsable, reply_text


class Status(StrEnum):
    """What came of a call. Only OK is ever scored."""

    OK = "ok"
    REFUSED = "refused"  # the model would not, or the endpoint read the request and said no
    TRUNCATED = "truncated"  # cut off at its token limit
    UNPARSABLE = "unparsable"  # a whole reply that says nothing in the agreed form
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"  # still, after every pause
    TRANSPORT = "transport"  # unreachable, a server error, a reply that stopped midway or is no reply
    NOT_ASKED = "not_asked"  # the budget, the deadline or the user ended the run before


STATUS_OF_REASON = {Reason.TRUNCATED: Status.TRUNCATED, Reason.REFUSED: Status.REFUSED}


def status_of(reason: Reason) -> Status:
    """The status of a whole reply that was not read for this reason."""
    return STATUS_OF_REASON.get(reason, Status.UNPARSABLE)


def cannot_be_read(reply: Reply) -> Unparsable | None:
    """The check of a request that wants whole text and nothing more."""
    words = reply_text(reply)
    return words if isinstance(words, Unparsable) else None


@dataclass(frozen=True)
class Call:
    """One request to one model, and how its reply is checked the moment it arrives.

    Asks with the same `key` are the same question: whoever asks second is given the first one's reply.
    """

    key: str
    model: str
    body: Request
    check: Callable[[Reply], Unparsable | None] = cannot_be_read


@dataclass(frozen=True)
class CallResult:
    """`number` is the ask's place in the run. A reply is there for OK alone."""

    number: int
    call: Call
    status: Status
    detail: str = ""
    reply: Reply | None = None
    replayed: bool = False  # from the journal: nothing was called and nothing paid


def address(identity: Mapping[str, Any], body: Request, repeat: int = 0) -> str:
    """SHA-256 (hex) of all that decides a reply: where and which model (`identity`), the body, the repeat."""
    content = json.dumps([identity, body, repeat], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
