"""One score for each unit of a prompt, with the method and the parameters that computed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats
from interp.prompt import Prompt, Unit, groups


@dataclass(frozen=True)
class Attribution:
    """Signed scores of the units (tokens, words or sentences) of one prompt for one target.

    A positive score supports the target's first side. `value` is the target on the whole prompt; `delta` is
    |sum of scores - what they should sum to|, for methods whose scores have a known sum. `notes` are for the reader.
    """

    method: str
    parameters: Mapping[str, Any]
    prompt: Prompt
    units: tuple[Unit, ...]
    scores: Floats
    target: str
    value: float
    delta: float | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.units) != len(self.scores):
            raise BadOption(
                f"{len(self.scores)} scores for {len(self.units)} units. Give one score for each unit."
            )

    def by_word(self) -> Attribution:
        """Signed sums over the words of the content. Scores of the template are dropped."""
        return self.over(self.prompt.words, "word")

    def by_sentence(self) -> Attribution:
        """Signed sums over the sentences of the content."""
        return self.over(self.prompt.sentences, "sentence")

    def over(self, larger: tuple[Unit, ...], name: str) -> Attribution:
        """Signed sums over any larger units, recorded as `per` in the parameters."""
        members = groups(self.units, larger)
        sums = np.array([self.scores[indices].sum() for indices in members], dtype=np.float64)
        return replace(self, units=larger, scores=sums, parameters={**self.parameters, "per": name})

    def with_note(self, note: str | None) -> Attribution:
        """The same attribution with a note for the reader, if there is one."""
        return self if note is None else replace(self, notes=(*self.notes, note))

    def ranking(self) -> NDArray[np.intp]:
        """Indices of the units, from the strongest support for the first side to the strongest against it."""
        return np.argsort(-self.scores, kind="stable")

    def total(self) -> float:
        """Sum of the scores, template included."""
        return float(self.scores.sum())
