"""A rubric: several criteria with scales, anchors and weights, and how their values become one total.

    share of a value v on a scale from l to h      s = (v - l) / (h - l)
    total of one completion, from 1 to 10          1 + 9 sum_c w_c s_c / sum_c w_c
    preference of a pair by a scale, in [0, 1]     p_c = 1/2 + (s_c(A) - s_c(B)) / 2
    total preference of a pair                     sum_c w_c p_c / sum_c w_c

A criterion whose scale is a choice has p_c = 1 for A, 1/2 for a tie and 0 for B, and is defined for pairs only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from judges.errors import BadRubric
from judges.judge import OnScale
from judges.replies import Reason, Unparsable

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = {"reason", "answer", "total"}
NUMBER = re.compile(r"([+-]?\d{1,6}(?:\.\d{1,6})?)(?:\s?/\s?(\d{1,6}(?:\.0)?))?")
CHOICES = {"a": 1.0, "tie": 0.5, "b": 0.0}  # preference for the completion shown as A
LOW, HIGH = 1.0, 10.0  # ends of the scale of a total


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high`, or labels with a number each, or a choice between two completions."""

    kind: Literal["numbers", "labels", "choice"]
    low: float
    high: float
    anchors: tuple[tuple[str, str], ...] = ()  # (value as shown, what it means)
    labels: tuple[tuple[str, float], ...] = ()

    def value(self, given: Any) -> float | Unparsable:
        """The number of a value as a judge writes it. NONE is no value of the scale's kind."""
        text = str(given).strip().strip("[]\"'").strip()
        if self.kind == "numbers":
            return self._number(text)
        values = CHOICES if self.kind == "choice" else {name.casefold(): value for name, value in self.labels}
        return values.get(" ".join(text.casefold().split()), Unparsable(Reason.OUT_OF_RANGE))

    def share(self, value: float) -> float:
        """The place of a value on the scale, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def _number(self, text: str) -> float | Unparsable:
        match = NUMBER.fullmatch(text)
        if match is None or (match[2] and float(match[2]) != self.high):
            return Unparsable(Reason.NONE)
        value = float(match[1])
        return value if self.low <= value <= self.high else Unparsable(Reason.OUT_OF_RANGE)


@dataclass(frozen=True)
class Criterion:
    """One question to the judge, the scale of its reply, and its weight in the total."""

    name: str
    question: str
    scale: Scale
    weight: float = 1.0

    def on_scale(self, value: float) -> OnScale:
        return OnScale(self.name, value, self.scale.low, self.scale.high)

    def preference(self, a: float, b: float) -> float:
        """The preference for the first of two completions by their values."""
        return 0.5 + (self.scale.share(a) - self.scale.share(b)) / 2


@dataclass(frozen=True)
class Grading:
    """What a person said of one completion, or of two: an example for the judge.

    `values` has the text of each value by key of the reply: `NAME`, or `NAME_a` and `NAME_b` for a pair.
    """

    prompt: str
    completions: tuple[str, ...]
    values: Mapping[str, str]
    reason: str = ""
    reference: str | None = None


@dataclass(frozen=True)
class Rubric:
    """Criteria with what a judge is told beside them.

    `commit_first`: what the judge commits to before it explains: the `values`, or an own `answer` to the prompt, before it
    grades. None is the reason first.
    """

    criteria: tuple[Criterion, ...]
    instructions: str = ""
    commit_first: Literal["values", "answer"] | None = None
    gradings: tuple[Grading, ...] = ()
    references: tuple[tuple[str, str], ...] = ()  # (key of a prompt, reference answer)

    def keys(self, pairs: bool) -> tuple[str, ...]:
        """The keys of the reply that have values, in order."""
        keys: list[str] = []
        for criterion in self.criteria:
            sides = ("_a", "_b") if pairs and criterion.scale.kind != "choice" else ("",)
            keys += [criterion.name + side for side in sides]
        return tuple(keys)

    def of_key(self, key: str, pairs: bool) -> Criterion:
        """The criterion of a key of the reply."""
        return next(c for c in self.criteria if key == c.name or (pairs and key in (f"{c.name}_a", f"{c.name}_b")))

    def reference(self, prompt: str) -> str | None:
        return dict(self.references).get(prompt)

    def score(self, values: Mapping[str, float]) -> float:
        """The total of one completion, from 1 to 10."""
        return LOW + (HIGH - LOW) * self._mean({c.name: c.scale.share(values[c.name]) for c in self.criteria})

    def preferences(self, values: Mapping[str, float]) -> tuple[OnScale, ...]:
        """The preference for A by each criterion, from the values by key."""
        return tuple(
            OnScale(
                c.name,
                values[c.name]
                if c.scale.kind == "choice"
                else c.preference(values[f"{c.name}_a"], values[f"{c.name}_b"]),
                0.0,
                1.0,
            )
            for c in self.criteria
        )

    def preference(self, criteria: Sequence[OnScale]) -> float:
        """The total preference for A."""
        return self._mean({row.name: row.value for row in criteria})

    def _mean(self, shares: Mapping[str, float]) -> float:
        total = math.fsum(c.weight for c in self.criteria)
        mean = math.fsum(c.weight * shares[c.name] for c in self.criteria) / total
        return min(max(round(mean, 12), 0.0), 1.0)  # weights of thirds must not turn a tie into a win

    def check(self, pairs: bool) -> None:
        """Nothing if the rubric can judge single completions, or pairs. Raises `BadRubric` that names the criterion."""
        for criterion in self.criteria:
            if criterion.scale.kind == "choice" and not pairs:
                raise BadRubric(
                    f"criterion {criterion.name}: a choice needs two completions. Use the mode baseline or pairwise, or a "
                    "scale of numbers or labels."
                )
        wrong = [n for n, g in enumerate(self.gradings, 1) if len(g.completions) != 1 + pairs]
        if len(wrong) == len(self.gradings) > 0:
            kind = "completion_a and completion_b" if pairs else "completion"
            raise BadRubric(f"gradings: none has {kind}, which this mode needs. Add some, or remove gradings.")

    def examples(self, pairs: bool) -> list[Grading]:
        """The gradings of the mode's kind."""
        return [grading for grading in self.gradings if len(grading.completions) == 1 + pairs]
