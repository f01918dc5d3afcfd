"""Scores that others published, with the setting of each and its source, beside which one's own can be read.

A published score compares with an own one only where both have the same setting: examples in the prompt, request type,
metric and samples. `differences` says what is not the same. Sources are papers (arXiv) and the publishers' own pages.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

# Examples that stand in a task's own prompt, which its number of shots does not count.
OWN_SHOTS = {"bbh": 3, "gsm8k_cot": 8, "gsm8k_maj8": 8, "svamp": 8, "math": 4, "math_500": 4, "mbpp": 3}
PARTS = {"limit": "a part of the samples", "subjects": "a part of the subjects"}  # by option of a run
NAMES = {"first_token": "first token"}


@dataclass(frozen=True)
class PublishedScore:
    """`score` is in percent, or a perplexity. What is not known of the setting is None or empty."""

    task: str
    model: str
    score: float
    unit: str
    metric: str
    shots: int | None
    kind: str  # base or chat
    request: str
    differs: str  # known differences from the task as it ships
    source: str

    @property
    def setting(self) -> str:
        """The setting in words."""
        shots = "" if self.shots is None else f"{self.shots} shots"
        return ", ".join(
            filter(None, (self.metric, shots, self.kind, NAMES.get(self.request, self.request), self.differs))
        )

    def own(self, value: float) -> float:
        """A value of one's own in the unit of the score."""
        return 100 * value if self.unit == "percent" else value

    def differences(self, request: str, options: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
        """What a run has that differs from the setting of the score, and what is known to differ in any run.

        `options` are the settings of the run (`shots`, `limit`, …), and `metrics` its metrics by name.
        """
        found = []
        shots = int(options.get("shots") or 0) + OWN_SHOTS.get(self.task, 0)
        if self.shots is not None and shots != self.shots:
            found.append(f"{shots} shots")
        if self.request and request != self.request:
            found.append(NAMES.get(request, request))
        found += [text for name, text in PARTS.items() if options.get(name)]
        if self.metric not in metrics:
            found.append("another metric")
        return [*found, *([self.differs] if self.differs else [])]


@cache
def published_scores() -> dict[str, tuple[PublishedScore, ...]]:
    """The published scores by task, best first as in the file."""
    text = files("benchmarks").joinpath("published_scores.tsv").read_text(encoding="utf-8")
    found: dict[str, tuple[PublishedScore, ...]] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        score = PublishedScore(
            row["task"], row["model"], float(row["score"]), row["unit"], row["metric"],
            int(row["shots"]) if row["shots"] else None, row["kind"], row["request"], row["differs"], row["source"],
        )  # fmt: skip
        found[score.task] = (*found.get(score.task, ()), score)
    return found
