"""One score a unit: what a method says, how it was asked, and whether to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.prompt import Prompt, Unit, groups

if TYPE_CHECKING:
    from interp.evaluation.faithfulness import Faithfulness

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Attribution:
    """Signed scores of the units (tokens, words or sentences) of one prompt for one target.

    A positive score speaks for the target's first side. `value` is the target on the whole prompt; `delta` is
    |sum of scores - what they should sum to|, for methods that promise a sum. `faithfulness` is what hiding
    the highest units does (None: not measured).
    """

    method: str
    parameters: Mapping[str, Any]
    prompt: Prompt
    units: tuple[Unit, ...]
    scores: Floats
    target: str
    value: float
    delta: float | None = None
    faithfulness: Faithfulness | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.units) != len(self.scores):
            raise BadOption(f"{len(self.scores)} scores for {len(self.units)} units; expected one a unit")

    def by_word(self) -> Attribution:
        """Signed sums over the words of the content; the template's scores are left out."""
        return self.over(self.prompt.words, "word")

    def by_sentence(self) -> Attribution:
        """Signed sums over the sentences of the content."""
        return self.over(self.prompt.sentences, "sentence")

    def over(self, larger: tuple[Unit, ...], name: str) -> Attribution:
        """Signed sums over any larger units, recorded as `per` in the parameters."""
        members = groups(self.units, larger)
        sums = np.array([self.scores[inside].sum() for inside in members], dtype=np.float64)
        return replace(
            self, units=larger, scores=sums, parameters={**self.parameters, "per": name}, faithfulness=None
        )

    def noted(self, note: str | None) -> Attribution:
        """The same with a note for the reader, if there is one."""
        return self if note is None else replace(self, notes=(*self.notes, note))

    def ranking(self) -> NDArray[np.intp]:
        """Indices of the units from most for the first side to most against; ties keep their order."""
        return np.argsort(-self.scores, kind="stable")

    def total(self) -> float:
        """Sum of the scores, template included."""
        return float(self.scores.sum())
