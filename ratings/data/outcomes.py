"""The outcomes of a battle: their names and the score of model A."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ratings.data.columns import Column, column_codes, is_missing
from ratings.errors import MissingValue, UnknownWinner


class Outcome(NamedTuple):
    """One possible outcome: its name in a `winner` column and the score of model A."""

    name: str
    score: float


# The index in this table is the integer code of the outcome.
OUTCOMES = (
    Outcome("model_a", 1.0),  # A was preferred
    Outcome("model_b", 0.0),  # B was preferred
    Outcome("tie", 0.5),  # equally good: half a win for each
    Outcome("both_bad", 0.5),  # neither would do: a tie for the ratings, unless an outside option is fitted
)
A_WINS, B_WINS, TIE, BOTH_BAD = range(len(OUTCOMES))
SCORES = np.array([outcome.score for outcome in OUTCOMES])
_CODES = {outcome.name: code for code, outcome in enumerate(OUTCOMES)}


def outcome_codes(winner: Column) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """The code of every outcome, an array (battles,) of uint8.

    `winner` holds the names of `OUTCOMES`, or integers that are already their codes.
    Raises UnknownWinner or MissingValue with the first row that is neither.
    """
    codes, labels = column_codes(winner, "winner")
    meanings = [_meaning(label) for label in labels]
    lookup = np.array([255 if code is None else code for code in meanings] + [255], dtype=np.uint8)
    if meanings == list(range(len(labels))) and codes.dtype == np.uint8:
        return codes
    outcomes = lookup[codes]  # a missing value is code -1: the last entry
    if outcomes.size and outcomes.max() == 255:
        row = int(np.argmax(outcomes == 255))
        if codes[row] < 0 or is_missing(labels[codes[row]]):
            raise MissingValue(f"row {row}: no winner. Drop the battles that have no vote.")
        expected = "Expected model_a, model_b, tie or both_bad."
        raise UnknownWinner(f"row {row}: winner {labels[codes[row]]!r} is unknown. {expected}")
    return outcomes


def _meaning(label: object) -> int | None:
    if isinstance(label, str):
        return _CODES.get(label)
    is_code = isinstance(label, int) and not isinstance(label, bool) and 0 <= label < len(OUTCOMES)
    return label if is_code and isinstance(label, int) else None
