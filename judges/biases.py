"""Biases of a judge towards longer completions, completions with a list, and its own model family.

A property belongs to one side of a battle: to `model_a`, to `model_b`, or (None) to neither or both. A judge's lean
is the win rate of the side with the property, a tie being half a win. Its bias is the lean minus the win rate that
people give that side on the same battles, which is quality.
Sources: the evaluators table of AlpacaEval (Dubois et al., arXiv 2305.14387); self-preference: Panickssery et
al., arXiv 2404.13076.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

import numpy as np

from judges.agreement import LEAST_CLUSTERS, Agreement, Verdicts, figure, mean
from judges.columns import same_length
from judges.common_scale import common_scale_fit
from judges.errors import BadRow, NoVerdicts
from judges.intervals import Z
from judges.judge import PREFERENCES

MIN_DIFFERENCE = 30  # characters: nearly equal lengths are no test of length bias, as in AlpacaEval's table
LIST = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
MIN_ITEMS = 2  # a single line that begins with a dash is not a list

Property = Sequence[str | None]  # per battle: the side that has it


def longer_side(
    completions_a: Sequence[str], completions_b: Sequence[str], *, min_difference: int = MIN_DIFFERENCE
) -> list[str | None]:
    """(battles,) the longer side, None where the lengths are within `min_difference` characters."""
    same_length(completions_a=completions_a, completions_b=completions_b)
    differences = [len(a) - len(b) for a, b in zip(completions_a, completions_b, strict=True)]
    return [None if abs(d) <= min_difference else "model_a" if d > 0 else "model_b" for d in differences]


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

    Battles without the property or without a verdict are excluded. Raises BadRow, LengthMismatch, NoVerdicts.
    """
    score, kept = _scores(verdicts, side)
    return figure(mean(score), kept.tolist(), cluster)


def bias(
    verdicts: Verdicts,
    truth: Verdicts,
    side: Property,
    models_a: Sequence[Hashable],
    models_b: Sequence[Hashable],
    *,
    cluster: Sequence[Hashable] | None = None,
) -> Agreement:
    """The judge's own weight of the property in logits, beyond its scale times people's (`judges.common_scale`).

    Fitted to the battles with a verdict of the judge and of `truth`; 0 is no bias, however sharp the judge is. `items`
    are those with the property. Raises BadRow, LengthMismatch, NoVerdicts, NotConverged.
    """
    same_length(verdicts=verdicts, truth=truth, side=side, models_a=models_a, models_b=models_b)
    both = [row for row, pair in enumerate(zip(verdicts, truth, strict=True)) if None not in pair]
    given = [*(_score(truth[row], row) for row in both), *(_score(verdicts[row], row) for row in both)]
    sign = np.array([_sign(side[row], row) for row in both])
    with_property = int(np.abs(sign).sum())
    if not with_property:
        raise NoVerdicts("No battle has the property and both verdicts. Judge or label more battles first.")
    groups = range(len(verdicts)) if cluster is None else cluster
    clusters = [groups[row] for row in both]
    judge = [False] * len(both) + [True] * len(both)
    a, b = [models_a[row] for row in both] * 2, [models_b[row] for row in both] * 2
    fit = common_scale_fit(given, judge, a, b, np.concatenate([sign, sign])[:, None], [*clusters, *clusters])
    value, half = float(fit.own[0]), Z * float(fit.own_error[0])
    many = len({group for group, has in zip(clusters, sign, strict=True) if has}) >= LEAST_CLUSTERS
    lower, upper = (value - half, value + half) if many else (None, None)
    return Agreement(value, lower, upper, with_property, len(verdicts) - with_property)


def _sign(side: str | None, row: int) -> float:
    if side not in ("model_a", "model_b", None):
        raise BadRow(f"row {row}: side {side!r} is unknown. Expected model_a, model_b or None.")
    return {"model_a": 1.0, "model_b": -1.0, None: 0.0}[side]


def _score(verdict: str | None, row: int) -> float:
    if verdict not in PREFERENCES:
        raise BadRow(f"row {row}: verdict {verdict!r} is unknown. Expected {', '.join(PREFERENCES)}.")
    return PREFERENCES[verdict]


def _scores(verdicts: Verdicts, side: Property) -> tuple[np.ndarray, np.ndarray]:
    """(battles,) score of the side with the property, and whether a battle has the property and a verdict."""
    same_length(verdicts=verdicts, side=side)
    score = np.zeros(len(verdicts))
    kept = np.zeros(len(verdicts), dtype=bool)
    for row, (verdict, has) in enumerate(zip(verdicts, side, strict=True)):
        if verdict is None or has is None:
            continue
        if verdict not in PREFERENCES or has not in ("model_a", "model_b"):
            raise BadRow(
                f"row {row}: verdict {verdict!r} of side {has!r} is unknown. "
                f"Expected {', '.join(PREFERENCES)} and model_a or model_b."
            )
        score[row] = PREFERENCES[verdict] if has == "model_a" else 1 - PREFERENCES[verdict]
        kept[row] = True
    return score, kept


def _only(a: bool, b: bool) -> str | None:
    return None if a == b else "model_a" if a else "model_b"
