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
from judges.marks import AROUND, NUMBER, OF_TEN, marked
from judges.replies import Reason, Unparsable

RATING = re.compile(rf"\[\[{AROUND}(?:rating|score|评分|得分)?[:：\s]*{NUMBER}{OF_TEN}{AROUND}\]\]", re.IGNORECASE)
LABEL = re.compile(rf"\[\[{AROUND}([ABC]){AROUND}\]\]", re.IGNORECASE)
WINNERS = {"A": "model_a", "B": "model_b", "C": "tie"}
MISSING = -1  # in published files, for an unreadable rating


@dataclass(frozen=True)
class Score:
    """Mean ratings of one model; None for a turn without ratings."""

    model: str
    score: float
    first_turn: float | None
    second_turn: float | None
    judged: int
    unparsed: int


def rating(reply: str | None) -> float | Unparsable:
    """The rating in double brackets; different ratings in one reply are SEVERAL.

    The published reader also takes single brackets, which stand for places of a list in a judge's prose.
    """
    number = marked(RATING, reply)
    if isinstance(number, Unparsable):
        return number
    return float(number) if 1 <= float(number) <= 10 else Unparsable(Reason.OUT_OF_RANGE)


def verdict(reply: str | None) -> str | Unparsable:
    """`model_a`, `model_b` or `tie` of [[A]], [[B]] or [[C]]; different labels in one reply are SEVERAL."""
    label = marked(LABEL, reply)
    return label if isinstance(label, Unparsable) else WINNERS[label.upper()]


def scores(rows: Sequence[Mapping[str, Any]]) -> list[Score]:
    """The mean rating of each model over all rows with one, the best first.

    The rating is read from `judgment`; if a row has no text, its stored `score` counts. Raises BadRow for a
    field that is missing, a turn other than 1 and 2, or the same turn of a question twice by one judge;
    NoVerdicts for a model without a rating.
    """
    by_model: dict[str, list[tuple[int, float | Unparsable]]] = defaultdict(list)
    seen = set()
    for row, record in enumerate(rows):
        model, turn = text(record, row, "model"), field(record, row, "turn")
        if turn not in (1, 2):
            raise BadRow(f"row {row}: turn {turn!r} is out of range. Expected 1 or 2.")
        key = (model, turn, str(field(record, row, "question_id")), str(record.get("judge")))
        if key in seen:
            raise BadRow(f"row {row}: turn {turn} of question {key[2]} appears twice. Keep one judgment.")
        seen.add(key)
        by_model[model].append((int(turn), _stored(record, row)))
    if not by_model:
        raise NoVerdicts("There are no rows to score. Give at least one.")
    lines = [_line(model, given) for model, given in by_model.items()]
    return sorted(lines, key=lambda line: (-line.score, line.model))


def _stored(record: Mapping[str, Any], row: int) -> float | Unparsable:
    reply = record.get("judgment")
    if isinstance(reply, str):
        return rating(reply)
    kept = field(record, row, "score", "judgment")
    if kept is None or kept == MISSING:
        return Unparsable(Reason.NONE)
    if isinstance(kept, bool) or not isinstance(kept, int | float) or not 1 <= kept <= 10:
        raise BadRow(
            f"row {row}: score {kept!r} is out of range. Expected 1 to 10, or -1 for an unreadable rating."
        )
    return float(kept)


def _line(model: str, given: Sequence[tuple[int, float | Unparsable]]) -> Score:
    turns: dict[int, list[float]] = {1: [], 2: []}
    for turn, value in given:
        if not isinstance(value, Unparsable):
            turns[turn].append(value)
    first, second = turns[1], turns[2]
    judged = len(first) + len(second)
    if not judged:
        raise NoVerdicts(
            f"{model}: none of {len(given)} judgments has a rating such as [[7]]. Check the file's protocol."
        )
    return Score(
        model=model,
        score=sum(first + second) / judged,
        first_turn=sum(first) / len(first) if first else None,
        second_turn=sum(second) / len(second) if second else None,
        judged=judged,
        unparsed=len(given) - judged,
    )


@dataclass(frozen=True)
class PairScore:
    """Pair verdicts of one model: a tie is half a win in `win_rate`; `unparsed` lack a verdict in one order."""

    model: str
    win_rate: float
    wins: int
    losses: int
    ties: int
    judged: int
    unparsed: int


def pair_scores(rows: Sequence[Mapping[str, Any]]) -> list[PairScore]:
    """The win rate of each model over rows of pairs judged in both orders, the best first.

    `g1_winner` and `g2_winner` are about `model_1` and `model_2` in each order; a winner is one of them, "tie" or
    "error". Raises BadRow for another winner or a pair twice in one turn, NoVerdicts for a model without verdict.
    """
    tally: dict[str, list[str]] = defaultdict(list)
    seen = set()
    for row, record in enumerate(rows):
        first, second = text(record, row, "model_1"), text(record, row, "model_2")
        key = (first, second, str(field(record, row, "question_id")), record.get("turn"), str(record.get("judge")))
        if key in seen:
            raise BadRow(f"row {row}: {first} and {second} on question {key[2]} appear twice. Keep one judgment.")
        seen.add(key)
        winner = _pair_winner(record, row)
        for model, side in ((first, "model_1"), (second, "model_2")):
            tally[model].append(winner if winner in ("tie", "error") else "win" if winner == side else "loss")
    if not tally:
        raise NoVerdicts("There are no rows to score. Give at least one.")
    return sorted((_pair_line(model, given) for model, given in tally.items()), key=_best_first)


def _pair_winner(record: Mapping[str, Any], row: int) -> str:
    """The side that wins in both orders; a tie if they differ, an error if one has no verdict."""
    given = [field(record, row, name) for name in ("g1_winner", "g2_winner")]
    for winner in given:
        if winner not in ("model_1", "model_2", "tie", "error"):
            raise BadRow(f"row {row}: winner {winner!r} is unknown. Expected model_1, model_2, tie or error.")
    if "error" in given:
        return "error"
    return str(given[0]) if given[0] == given[1] else "tie"


def _pair_line(model: str, given: Sequence[str]) -> PairScore:
    wins, losses, ties = (given.count(result) for result in ("win", "loss", "tie"))
    judged = wins + losses + ties
    if not judged:
        raise NoVerdicts(
            f"{model}: none of {len(given)} pairs has a verdict in both orders. Judge both orders first."
        )
    return PairScore(model, (wins + ties / 2) / judged, wins, losses, ties, judged, len(given) - judged)


def _best_first(line: PairScore) -> tuple[float, str]:
    return -line.win_rate, line.model
