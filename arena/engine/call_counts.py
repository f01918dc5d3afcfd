"""Counts of a run's calls, by status."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from arena.endpoints.adaptation import ADAPTED
from arena.engine.calls import CallResult, Status


@dataclass
class CallCounts:
    """Counts of a run: how calls `ended`, and separately the failed `attempts` on the way."""

    ended: Counter[Status] = field(default_factory=Counter)
    attempts: Counter[Status] = field(default_factory=Counter)
    details: dict[Status, str] = field(default_factory=dict)  # one example each
    unusable: dict[str, str] = field(default_factory=dict)  # models that every later call would fail with, and why
    # by model: changes to requests that its server had refused, and the number of replies to requests changed so
    adapted: dict[str, Counter[str]] = field(default_factory=dict)
    replayed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, result: CallResult) -> None:
        self.ended[result.status] += 1
        self.replayed += result.replayed
        for change in (result.reply or {}).get(ADAPTED, ()):
            self.adapted.setdefault(result.call.model, Counter())[change] += 1
        if result.status is not Status.OK:
            self.details.setdefault(result.status, result.detail)

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
            "unusable": sorted(self.unusable),
            "adapted": {model: dict(changes) for model, changes in sorted(self.adapted.items())},
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }
