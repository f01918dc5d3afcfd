"""What became of a run's calls, by type."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from arena.engine.calls import CallResult, Status


@dataclass
class Tally:
    """Counts of a run: `attempts` that failed on the way count apart from what came of each call in the end."""

    ended: Counter[Status] = field(default_factory=Counter)
    attempts: Counter[Status] = field(default_factory=Counter)
    details: dict[Status, str] = field(default_factory=dict)  # one example each
    replayed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, answered: CallResult) -> None:
        self.ended[answered.status] += 1
        self.replayed += answered.replayed
        if answered.status is not Status.OK:
            self.details.setdefault(answered.status, answered.detail)

    @property
    def total(self) -> int:
        return self.ended.total()

    @property
    def failed(self) -> dict[str, int]:
        """Every status but OK that occurred, with its count."""
        return {
            status.value: self.ended[status] for status in Status if status is not Status.OK and self.ended[status]
        }

    @property
    def examples(self) -> dict[str, str]:
        """One detail of each status but OK that occurred."""
        return {status.value: detail for status, detail in self.details.items()}

    def to_dict(self) -> dict[str, Any]:
        return {
            "requests": self.total,
            "ok": self.ended[Status.OK],
            "from_journal": self.replayed,
            "calls": self.calls,
            "failed": self.failed,
            "failed_attempts": {status.value: count for status, count in sorted(self.attempts.items())},
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }
