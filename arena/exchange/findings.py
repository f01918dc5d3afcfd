"""What a verification finds: counts, problems, and what it cannot check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    """The counts of a verification, its problems in words, and what no problem could be found in."""

    votes: int = 0
    unsealed: int = 0
    seals: int = 0
    boards: int = 0
    numbers: int = 0
    head: str | None = None
    signed_by: str | None = None  # the public key that the signature was checked with
    dated: list[str] = field(default_factory=list)  # seals, with the blocks that date them
    problems: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        return {"holds": self.holds, **vars(self)}
