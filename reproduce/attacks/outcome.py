"""The result of one attack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from reproduce.attacks.target import Target


@dataclass(frozen=True)
class Outcome:
    """`through` of `tries` reached what they must not reach; `evidence` quotes the first that did."""

    attack: str
    tries: int
    through: int
    evidence: str = ""


Attack = Callable[[Target], Outcome]


def outcome(attack: str, evidence: list[str | None]) -> Outcome:
    """The outcome of tries, each with its evidence, or None where it was stopped."""
    successes = [found for found in evidence if found is not None]
    return Outcome(attack, len(evidence), len(successes), successes[0][:80] if successes else "")


def unless_refused(reply: httpx.Response, statuses: int | tuple[int, ...], name: str) -> str | None:
    """Evidence that a request was served, unless its status is one of these."""
    refused = statuses if isinstance(statuses, tuple) else (statuses,)
    return None if reply.status_code in refused else f"{name}: {reply.status_code}"


def unless_sent_back(send: Callable[[], httpx.Response], statuses: int | tuple[int, ...], name: str) -> str | None:
    """As `unless_refused`, for a request whose body the server may leave unread when it closes the connection."""
    try:
        return unless_refused(send(), statuses, name)
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return None
