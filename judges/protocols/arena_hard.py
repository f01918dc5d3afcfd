"""Arena-Hard: two games per prompt against a baseline, with labels from A>>B to B>>A, or ratings in brackets.

In the first game A is the baseline, in the second the model. A label with >> counts as three battles, one
with > as one. Source: Li et al., From Crowdsourced Data to High-Quality Benchmarks, arXiv 2406.11939.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.columns import field, text
from judges.errors import BadRow, NoVerdicts
from judges.marks import AROUND, marked
from judges.replies import Reason, Unparsable, exactly_one

LABEL = re.compile(rf"\[\[{AROUND}([AB](?:[ <>=]{{1,6}}[AB])?){AROUND}\]\]", re.IGNORECASE)
LAST_LABEL = re.compile(
    rf"^[^\[\n]{{0,60}}(?<!\w)\[{AROUND}([AB][ <>=]{{1,6}}[AB]){AROUND}\][*.\s]*\Z", re.IGNORECASE | re.MULTILINE
)
RATING = re.compile(r"\[\[(\d++(?:\.\d*+)?)\]\]")
STRONG = 3  # battles per label with >>
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
    """The ratings of one model, and the number of replies without one."""

    model: str
    ratings: list[float]
    unparsed: int


def verdict(reply: str | None) -> int | Unparsable:
    """The lead, 2 (A much better) to -2 (B much better). Different labels in one reply are SEVERAL.

    A label in single brackets counts where it is the last line, and no other is in double ones.
    """
    name = marked(LABEL, reply, normal=_name)
    if name == Unparsable(Reason.NONE):
        name = marked(LAST_LABEL, reply, normal=_name)
    if isinstance(name, Unparsable):
        return name
    return LABELS.get(name, Unparsable(Reason.OUT_OF_RANGE))


def _name(label: str) -> str:
    plain = label.upper().replace(" ", "")
    return MIRRORED.get(plain, plain)


def rating(reply: str | None) -> float | Unparsable:
    """The rating from 1 to 10 in double brackets, if there is exactly one."""
    number = exactly_one(RATING, reply)
    if isinstance(number, Unparsable):
        return number
    return float(number) if 1 <= float(number) <= 10 else Unparsable(Reason.OUT_OF_RANGE)


def ratings(rows: Sequence[Mapping[str, Any]]) -> list[Ratings]:
    """The ratings of each model, read from the field `judgment`. Raises NoVerdicts when a model has none."""
    by_model: dict[str, list[float | Unparsable]] = {}
    for row, record in enumerate(rows):
        reply = field(record, row, "judgment")
        if reply is not None and not isinstance(reply, str):
            raise BadRow(f"row {row}: judgment is {reply!r}. Expected the judge's text.")
        by_model.setdefault(text(record, row, "model"), []).append(rating(reply))
    of_models = []
    for model, given in by_model.items():
        values = [value for value in given if not isinstance(value, Unparsable)]
        if not values:
            raise NoVerdicts(
                f"{model}: none of {len(given)} judgments has a rating such as [[7]]. Check the file's protocol."
            )
        of_models.append(Ratings(model, values, len(given) - len(values)))
    return of_models


def games(rows: Sequence[Mapping[str, Any]], baseline: str | None = None) -> list[Games]:
    """The battles of each model with its baseline, from both games of every prompt.

    A game without a readable label is excluded and counted. `baseline` is required if the rows do not name it.
    Raises BadRow, or NoVerdicts when no game of a model can be read.
    """
    by_model: dict[str, Games] = {}
    for row, record in enumerate(rows):
        model = text(record, row, "model")
        against = record.get("baseline", baseline)
        if not isinstance(against, str):
            raise BadRow(f"row {row}: no baseline. Give the model that the others were compared with.")
        prompt = text(record, row, "uid", "question_id")
        given = field(record, row, "games")
        if not isinstance(given, list) or len(given) != 2:
            raise BadRow(f"row {row}: games is not a list of two. Expected baseline first, then model first.")
        if any(game is not None and not isinstance(game, Mapping) for game in given):
            raise BadRow(f"row {row}: a game is neither an object nor null. Correct the game.")
        pair = _games(model, against, prompt, given)
        by_model[model] = _joined(by_model[model], pair, row) if model in by_model else pair
    for battles in by_model.values():
        if not battles.judged:
            raise NoVerdicts(
                f"{battles.model}: none of {battles.unparsed} games has a readable label such as [[A>B]]. "
                "Check the file's protocol."
            )
    return list(by_model.values())


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
    """The lead in a stored game, from its text, or from the stored `score` if there is no text."""
    reply = game.get("judgment")
    if isinstance(reply, Mapping):
        reply = reply.get("answer")
    if isinstance(reply, str):
        return verdict(reply)
    kept = game.get("score")
    if kept is None:
        return Unparsable(Reason.NONE)
    label = str(kept).upper()
    return LABELS.get(MIRRORED.get(label, label), Unparsable(Reason.OUT_OF_RANGE))


def _joined(earlier: Games, pair: Games, row: int) -> Games:
    if earlier.baseline != pair.baseline:
        raise BadRow(
            f"row {row}: {pair.model} is compared with {pair.baseline} here and with {earlier.baseline} before. "
            "Score each baseline separately."
        )
    return Games(
        earlier.model,
        earlier.baseline,
        earlier.prompts + pair.prompts,
        earlier.points + pair.points,
        earlier.weights + pair.weights,
        earlier.judged + pair.judged,
        earlier.unparsed + pair.unparsed,
    )


def baseline_of(model_a: Iterable[str], model_b: Iterable[str]) -> str | None:
    """The model that is first in every battle, as the baseline in the published files; or None."""
    first, second = set(model_a), set(model_b)
    return first.pop() if len(first) == 1 and not first & second else None
