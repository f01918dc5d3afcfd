"""MT-bench: a rating from 1 to 10 for each of two turns, or pairs judged in both orders.

Source: Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, arXiv 2306.05685.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.columns import field, text
from judges.errors import BadRow, NoVerdicts
from judges.replies import Reason, Unparsable, only, without_thinking

RATING = re.compile(r"\[\[(\d+\.?\d*)\]\]")
SHORT_RATING = re.compile(r"\[(\d+\.?\d*)\]")
LABEL = re.compile(r"\[\[([ABC])\]\]")
WINNERS = {"A": "model_a", "B": "model_b", "C": "tie"}
MIRRORED = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
MISSING = -1  # what the published files store where no rating could be read


@dataclass(frozen=True)
class Score:
    """Mean ratings of one model; a turn that nobody judged is None."""

    model: str
    score: float
    first_turn: float | None
    second_turn: float | None
    judged: int
    unparsed: int


def rating(reply: str | None) -> float | Unparsable:
    """The rating in double brackets, else in single ones; different ratings in one reply are SEVERAL."""
    words = without_thinking(reply or "")
    if isinstance(words, Unparsable):
        return words
    found = only(RATING.findall(words) or SHORT_RATING.findall(words))
    if isinstance(found, Unparsable):
        return found
    return float(found) if 1 <= float(found) <= 10 else Unparsable(Reason.OUT_OF_RANGE)


def verdict(reply: str | None) -> str | Unparsable:
    """`model_a`, `model_b` or `tie` of [[A]], [[B]] or [[C]]; different labels in one reply are SEVERAL."""
    words = without_thinking(reply or "")
    if isinstance(words, Unparsable):
        return words
    label = only(LABEL.findall(words))
    return label if isinstance(label, Unparsable) else WINNERS[label]


def of_both_orders(first: str | Unparsable, second: str | Unparsable) -> str | Unparsable:
    """The verdict for the pair (a, b) from the order (a, b) and the order (b, a), each as its judge gave it.

    A side wins that is preferred in both orders; two verdicts that differ are a tie, as published. Without
    both verdicts there is none.
    """
    if isinstance(first, Unparsable):
        return first
    if isinstance(second, Unparsable):
        return second
    return first if first == MIRRORED[second] else "tie"


def scores(rows: Sequence[Mapping[str, Any]]) -> list[Score]:
    """The mean rating of each model over all rows with one, the best first.

    The rating is read from `judgment`; where a row has no text its stored `score` counts. Raises BadRow for a
    field that is missing, a turn other than 1 and 2, or the same turn of a question twice by one judge;
    NoVerdicts for a model without a rating.
    """
    by_model: dict[str, list[tuple[int, float | Unparsable]]] = defaultdict(list)
    seen = set()
    for row, record in enumerate(rows):
        model, turn = text(record, row, "model"), field(record, row, "turn")
        if turn not in (1, 2):
            raise BadRow(f"row {row}: turn {turn!r}; expected 1 or 2")
        key = (model, turn, str(field(record, row, "question_id")), str(record.get("judge")))
        if key in seen:
            raise BadRow(f"row {row}: turn {turn} of question {key[2]} is there twice; keep one judgment")
        seen.add(key)
        by_model[model].append((int(turn), _stored(record, row)))
    if not by_model:
        raise NoVerdicts("no rows; there is nothing to score")
    lines = [_line(model, given) for model, given in by_model.items()]
    return sorted(lines, key=lambda line: (-line.score, line.model))


def _stored(record: Mapping[str, Any], row: int) -> float | Unparsable:
    said = record.get("judgment")
    if isinstance(said, str):
        return rating(said)
    kept = field(record, row, "score", "judgment")
    if kept is None or kept == MISSING:
        return Unparsable(Reason.NONE)
    if isinstance(kept, bool) or not isinstance(kept, int | float) or not 1 <= kept <= 10:
        raise BadRow(f"row {row}: score {kept!r}; expected 1 to 10, or -1 where none could be read")
    return float(kept)


def _line(model: str, given: Sequence[tuple[int, float | Unparsable]]) -> Score:
    turns: dict[int, list[float]] = {1: [], 2: []}
    for turn, value in given:
        if not isinstance(value, Unparsable):
            turns[turn].append(value)
    first, second = turns[1], turns[2]
    judged = len(first) + len(second)
    if not judged:
        raise NoVerdicts(f"{model}: none of {len(given)} judgments has a rating such as [[7]]")
    return Score(
        model=model,
        score=sum(first + second) / judged,
        first_turn=sum(first) / len(first) if first else None,
        second_turn=sum(second) / len(second) if second else None,
        judged=judged,
        unparsed=len(given) - judged,
    )
