"""The result of one attack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
