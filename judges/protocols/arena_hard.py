"""Arena-Hard: two games a prompt against a baseline, with labels from A>>B to B>>A, or ratings in brackets.

In the first game A is the baseline, in the second the model. A label with >> is worth three battles, one with
> one. Source: Li et al., From Crowdsourced Data to High-Quality Benchmarks, arXiv 2406.11939.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.columns import field, text
from judges.errors import BadRow, NoVerdicts
from judges.replies import Reason, Unparsable, exactly_one, only, without_thinking

LABEL = re.compile(r"\[\[([AB<>=]+)\]\]")
SHORT_LABEL = re.compile(r"\[([AB<>=]+)\]")
RATING = re.compile(r"\[\[(\d+\.?\d*)\]\]")
STRONG = 3  # battles that a label with >> is worth
LABELS = {"A>>B": 2, "A>B": 1, "A=B": 0, "B>A": -1, "B>>A": -2}
MIRRORED = {"B<<A": "A>>B", "B<A": "A>B", "B=A": "A=B", "A<B": "B>A", "A<<B": "B>>A"}


@dataclass(frozen=True)
class Games:
    """The battles of one model with the baseline, and games without a readable label."""

    model: str
    baseline: str
    prompts: list[str]
    points: list[float]  # of the model: 1, 0 or 1/2
    weights: list[int]
    judged: int
    unparsed: int


@dataclass(frozen=True)
class Ratings:
    """The ratings of one model, and the number of judgments without one."""

    model: str
    ratings: list[float]
    unparsed: int


def verdict(reply: str | None) -> int | Unparsable:
    """2 (A much better) to -2 (B much better). Different labels in one reply are SEVERAL."""
    words = without_thinking(reply or "")
    if isinstance(words, Unparsable):
        return words
    upper = words.upper()
    label = only([MIRRORED.get(found, found) for found in LABEL.findall(upper) or SHORT_LABEL.findall(upper)])
    if isinstance(label, Unparsable):
        return label
    return LABELS.get(label, Unparsable(Reason.OUT_OF_RANGE))


def rating(reply: str | None) -> float | Unparsable:
    """The rating in double brackets, if there is exactly one; 1 to 10."""
    found = exactly_one(RATING, reply)
    if isinstance(found, Unparsable):
        return found
    return float(found) if 1 <= float(found) <= 10 else Unparsable(Reason.OUT_OF_RANGE)


def ratings(rows: Sequence[Mapping[str, Any]]) -> list[Ratings]:
    """The ratings of each model, read from the judgments. Raises NoVerdicts when a model has none."""
    by_model: dict[str, list[float | Unparsable]] = {}
    for row, record in enumerate(rows):
        said = field(record, row, "judgment")
        if said is not None and not isinstance(said, str):
            raise BadRow(f"row {row}: judgment is {said!r}; expected the judge's text")
        by_model.setdefault(text(record, row, "model"), []).append(rating(said))
    read = []
    for model, given in by_model.items():
        values = [value for value in given if not isinstance(value, Unparsable)]
        if not values:
            raise NoVerdicts(f"{model}: none of {len(given)} judgments has a rating such as [[7]]")
        read.append(Ratings(model, values, len(given) - len(values)))
    return read


def games(rows: Sequence[Mapping[str, Any]], baseline: str | None = None) -> list[Games]:
    """The battles of each model with its baseline, from both games of every prompt.

    A game without a readable label is left out and counted. `baseline` is needed where the rows do not name
    it. Raises BadRow, or NoVerdicts when no game of a model can be read.
    """
    found: dict[str, Games] = {}
    for row, record in enumerate(rows):
        model = text(record, row, "model")
        against = record.get("baseline", baseline)
        if not isinstance(against, str):
            raise BadRow(f"row {row}: no baseline; name the model that the others were compared with")
        prompt = text(record, row, "uid", "question_id")
        given = field(record, row, "games")
        if not isinstance(given, list) or len(given) != 2:
            raise BadRow(f"row {row}: games is not a list of two; expected baseline first, then model first")
        if any(game is not None and not isinstance(game, Mapping) for game in given):
            raise BadRow(f"row {row}: a game is neither an object nor null")
        one = _games(model, against, prompt, given)
        found[model] = _joined(found[model], one, row) if model in found else one
    for one in found.values():
        if not one.judged:
            raise NoVerdicts(f"{one.model}: none of {one.unparsed} games has a readable label such as [[A>B]]")
    return list(found.values())


def _games(model: str, baseline: str, prompt: str, given: Sequence[Mapping[str, Any] | None]) -> Games:
    labels = [Unparsable(Reason.EMPTY) if game is None else _label(game) for game in given]
    leads = [
        -label if number == 0 else label  # the model is B in the first game and A in the second
        for number, label in enumerate(labels)
        if not isinstance(label, Unparsable)
    ]
    return Games(
        model=model,
        baseline=baseline,
        prompts=[prompt] * len(leads),
        points=[0.5 if lead == 0 else float(lead > 0) for lead in leads],
        weights=[STRONG if abs(lead) == 2 else 1 for lead in leads],
        judged=len(leads),
        unparsed=2 - len(leads),
    )


def _label(game: Mapping[str, Any]) -> int | Unparsable:
    """Of a stored game: of its text, or of the label kept as `score` where no text is."""
    said = game.get("judgment")
    if isinstance(said, Mapping):
        said = said.get("answer")
    if isinstance(said, str):
        return verdict(said)
    kept = game.get("score")
    if kept is None:
        return Unparsable(Reason.NONE)
    label = str(kept).upper()
    return LABELS.get(MIRRORED.get(label, label), Unparsable(Reason.OUT_OF_RANGE))


def _joined(one: Games, other: Games, row: int) -> Games:
    if one.baseline != other.baseline:
        raise BadRow(
            f"row {row}: {one.model} against {other.baseline}, before against {one.baseline}; score apart"
        )
    return Games(
        one.model,
        one.baseline,
        one.prompts + other.prompts,
        one.points + other.points,
        one.weights + other.weights,
        one.judged + other.judged,
        one.unparsed + other.unparsed,
    )


def baseline_of(model_a: Iterable[str], model_b: Iterable[str]) -> str | None:
    """The one model that stands first in every battle, as the published files write the baseline; or None."""
    first, second = set(model_a), set(model_b)
    return first.pop() if len(first) == 1 and not first & second else None
