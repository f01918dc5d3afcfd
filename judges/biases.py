"""What a judge leans towards besides quality: the longer completion, the one with a list, its own.

A property sits on one side of a battle, on `model_a`, on `model_b`, or (None) on neither or both. A judge's lean
is how often the side with the property wins, a tie being half a win; what is left of it after subtracting how
often people let that side win on the same battles is bias rather than quality.
Sources: the evaluators table of AlpacaEval (Dubois et al., arXiv 2305.14387); self-preference: Panickssery et
al., arXiv 2404.13076.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

import numpy as np

from judges.agreement import Agreement, Verdicts, figure, mean
from judges.columns import same_length
from judges.errors import BadRow
from judges.judge import PREFERENCES

MIN_DIFFERENCE = 30  # characters: nearly equal lengths say nothing about length, as in AlpacaEval's table
LIST = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
MIN_ITEMS = 2  # a single line that begins with a dash is no list

Property = Sequence[str | None]  # per battle: the side that has it


def longer_side(
    completions_a: Sequence[str], completions_b: Sequence[str], *, least: int = MIN_DIFFERENCE
) -> list[str | None]:
    """(battles,) the longer side, None where the lengths are within `least` characters."""
    same_length(completions_a=completions_a, completions_b=completions_b)
    apart = [len(a) - len(b) for a, b in zip(completions_a, completions_b, strict=True)]
    return [None if abs(d) <= least else "model_a" if d > 0 else "model_b" for d in apart]


def side_with_list(completions_a: Sequence[str], completions_b: Sequence[str]) -> list[str | None]:
    """(battles,) the side with a bulleted or numbered list, None where both or neither have one."""
    same_length(completions_a=completions_a, completions_b=completions_b)
    return [_only(has_list(a), has_list(b)) for a, b in zip(completions_a, completions_b, strict=True)]


def side_of_own_model(models_a: Sequence[str], models_b: Sequence[str], family: Sequence[str]) -> list[str | None]:
    """(battles,) the side whose model is of the judge's `family`, None where both or neither are."""
    same_length(models_a=models_a, models_b=models_b)
    return [_only(a in family, b in family) for a, b in zip(models_a, models_b, strict=True)]


def has_list(text: str) -> bool:
    """Whether a text has a list of at least two items."""
    return len(LIST.findall(text)) >= MIN_ITEMS


def lean(verdicts: Verdicts, side: Property, *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """Share of battles won by the side with the property; 1/2 is no lean.

    Battles without the property, and those without a verdict, are left out. Raises BadRow, LengthMismatch,
    NoVerdicts.
    """
    score, kept = _scores(verdicts, side)
    return figure(mean(score), kept.tolist(), cluster)


def bias(
    verdicts: Verdicts, truth: Verdicts, side: Property, *, cluster: Sequence[Hashable] | None = None
) -> Agreement:
    """`lean` of the judge less that of `truth`, on the battles that both decided; 0 is no bias."""
    score, kept = _scores(verdicts, side)
    expected, known = _scores(truth, side)
    return figure(mean(score - expected), (kept & known).tolist(), cluster)


def _scores(verdicts: Verdicts, side: Property) -> tuple[np.ndarray, np.ndarray]:
    """(battles,) how far the side with the property won, and which battles say something."""
    same_length(verdicts=verdicts, side=side)
    score = np.zeros(len(verdicts))
    kept = np.zeros(len(verdicts), dtype=bool)
    for row, (verdict, has) in enumerate(zip(verdicts, side, strict=True)):
        if verdict is None or has is None:
            continue
        if verdict not in PREFERENCES or has not in ("model_a", "model_b"):
            raise BadRow(
                f"row {row}: verdict {verdict!r}, side {has!r}; expected {', '.join(PREFERENCES)} and a side"
            )
        score[row] = PREFERENCES[verdict] if has == "model_a" else 1 - PREFERENCES[verdict]
        kept[row] = True
    return score, kept


def _only(a: bool, b: bool) -> str | None:
    return None if a == b else "model_a" if a else "model_b"
