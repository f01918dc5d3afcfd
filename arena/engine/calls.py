"""Calls and their results."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arena.endpoints import Request
from arena.endpoints.endpoint import Reply
from judges.replies import Reason, Unparsable, reply_text

log = logging.getLogger(__name__)


class Status(StrEnum):
    """How a call ended. Only OK is ever scored."""

    OK = "ok"
    REFUSED = "refused"  # by the model, or by the endpoint, which read the request
    TRUNCATED = "truncated"  # cut off at its token limit
    UNPARSABLE = "unparsable"  # a complete reply without a value in the agreed form
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"  # after every retry
    TRANSPORT = "transport"  # unreachable, a server error, a reply that stopped midway or is no reply
    NOT_ASKED = "not_asked"  # the budget, the deadline, the user or a permanent failure of the model came first


STATUS_OF_REASON = {Reason.TRUNCATED: Status.TRUNCATED, Reason.REFUSED: Status.REFUSED}


def status_of(reason: Reason) -> Status:
    """The status of a complete reply that cannot be read for this reason."""
    return STATUS_OF_REASON.get(reason, Status.UNPARSABLE)


def cannot_be_read(reply: Reply) -> Unparsable | None:
    """The check of a request that needs complete text only."""
    text = reply_text(reply)
    return text if isinstance(text, Unparsable) else None


@dataclass(frozen=True)
class Call:
    """One request to one model, and the check of its reply on arrival.

    Calls with the same `key` are the same request: the second one shares the reply of the first.
    """

    key: str
    model: str
    body: Request
    check: Callable[[Reply], Unparsable | None] = cannot_be_read

    def problem(self, reply: Reply) -> Unparsable | None:
        """Why the reply cannot be read, if it cannot. No shape of a reply ends the run."""
        try:
            return self.check(reply)
        # The outer edge of a protocol's reader: a reply that it did not expect must not end the other calls.
        except Exception:
            log.exception("The reply of %s has a shape that its reader does not know.", self.model)
            return Unparsable(Reason.NONE)


@dataclass(frozen=True)
class CallResult:
    """The result of a call, whose place in the run is `number`; only OK has a reply."""

    number: int
    call: Call
    status: Status
    detail: str = ""
    reply: Reply | None = None
    replayed: bool = False  # from the reply cache: not called, not billed


def address(identity: Mapping[str, Any], body: Request, repeat: int = 0) -> str:
    """SHA-256 (hex) of everything that determines a reply: the model and its place (`identity`), body and repeat."""
    content = json.dumps([identity, body, repeat], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
