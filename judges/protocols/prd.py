"""Peer rank and discussion: each judge compares every ordered pair of models on every question.

A score is 1 (the first answer is better), 2 (the second) or 3 (equal; stored as -1 by some writers).
Source: Li, Patel & Du, PRD: Peer Rank and Discussion, arXiv 2307.02762.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from judges.errors import BadOption, BadRow, NoVerdicts
from judges.replies import Reason, Unparsable, without_thinking

POINTS = {1: 1.0, 2: 0.0, 3: 0.5, -1: 0.5}  # of the answer shown first
ROUNDS, TOLERANCE = 1000, 1e-12


@dataclass(frozen=True)
class Comparison:
    """One verdict: the models in the order in which they were shown, and the score 1, 2 or 3."""

    first: str
    second: str
    question: str
    score: int


@dataclass(frozen=True)
class WinRate:
    """Share of comparisons that a model won, a draw counting half, over `judged` of them."""

    win_rate: float
    judged: int


@dataclass(frozen=True)
class PeerRank:
    """Scores of the models under judges weighted by their own scores."""

    scores: dict[str, float]
    weights: dict[str, float]
    rounds: int


def verdict(text: str | None) -> int | Unparsable:
    """The score 1, 2 or 3 that stands alone in the last line of a reply."""
    words = without_thinking(text or "")
    if isinstance(words, Unparsable):
        return words
    last = words.splitlines()[-1].strip()
    if last in ("1", "2", "3"):
        return int(last)
    return Unparsable(Reason.OUT_OF_RANGE if last.lstrip("-").isdigit() else Reason.NONE)


def stored_score(value: object, row: int) -> int:
    """A stored score as 1, 2, 3 or -1. Raises BadRow with the row for anything but 1, 2, 3 or -1, as a number or as text."""
    try:
        score = int(str(value))
    except ValueError:
        score = 0
    if score not in POINTS:
        raise BadRow(f"row {row}: score {value!r} is unknown. Expected 1 (first), 2 (second), 3 or -1 (tie).")
    return score


def win_rates(comparisons: Iterable[Comparison]) -> dict[str, WinRate]:
    """The win rate of each model, the best first.

    Several verdicts on the same pair, order and question are one comparison: the majority decides, and equal
    numbers are a draw. Raises NoVerdicts without comparisons.
    """
    grouped: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for comparison in comparisons:
        grouped[comparison.first, comparison.second, comparison.question].append(POINTS[comparison.score])
    if not grouped:
        raise NoVerdicts("There are no comparisons to score. Give at least one.")
    points: dict[str, list[float]] = defaultdict(list)
    for (first, second, _), given in grouped.items():
        lead = sum(given) - len(given) / 2
        point = 0.5 if lead == 0 else float(lead > 0)
        points[first].append(point)
        points[second].append(1 - point)
    rates = {model: WinRate(sum(p) / len(p), len(p)) for model, p in points.items()}
    return dict(sorted(rates.items(), key=lambda item: (-item[1].win_rate, item[0])))


def peer_rank(rates: Mapping[str, Mapping[str, float]]) -> PeerRank:
    """Scores S_m = sum over judges of w_j * rate_j(m), with w_j from S_j itself, repeated until convergence.

    `rates` holds each judge's win rate of each model; a judge that is not one of the models is ignored. The
    weights are the judges' scores on a scale on which the worst model has 0 and the best 1, divided by their
    sum; if a judge did not rate itself, by the sum of those that rated the model. Raises BadOption unless a
    judge is a model and every such judge rated the same two or more models, itself or not.
    """
    models = sorted({model for rated in rates.values() for model in rated})
    judges = [judge for judge in rates if judge in models]
    if not judges:
        raise BadOption(
            f"No judge is one of the models. Give a judge that is; the judges are: {', '.join(rates) or 'none'}."
        )
    if len(models) < 2 or any({*rates[judge], judge} != set(models) for judge in judges):
        raise BadOption(
            "The judges rated different models. A peer ranking needs the same two or more models from every judge."
        )
    raters = {model: [judge for judge in judges if model in rates[judge]] for model in models}
    if alone := [model for model, given in raters.items() if not given]:
        raise BadOption(f"Only {alone[0]} itself could rate it. Add another judge to the peer ranking.")
    weights = dict.fromkeys(judges, 1 / len(judges))
    for count in range(1, ROUNDS + 1):
        scores = {m: _score(m, raters[m], rates, weights) for m in models}
        renewed = _weights(scores, judges)
        change = max(abs(renewed[judge] - weights[judge]) for judge in judges)
        if change < TOLERANCE:
            return PeerRank(dict(sorted(scores.items(), key=lambda item: -item[1])), renewed, count)
        # half a step, to damp oscillation
        weights = {judge: (weights[judge] + renewed[judge]) / 2 for judge in judges}
    raise BadOption(
        f"The weights did not converge after {ROUNDS} rounds, because the judges prefer each other in turns. "
        "Add a judge."
    )


def _score(
    model: str, raters: list[str], rates: Mapping[str, Mapping[str, float]], weights: Mapping[str, float]
) -> float:
    total = sum(weights[judge] for judge in raters)
    if not total:  # all its judges have weight 0: equal weights
        return sum(rates[judge][model] for judge in raters) / len(raters)
    return sum(weights[judge] * rates[judge][model] for judge in raters) / total


def _weights(scores: Mapping[str, float], judges: list[str]) -> dict[str, float]:
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(judges, 1 / len(judges))
    scaled = {judge: (scores[judge] - low) / (high - low) for judge in judges}
    total = sum(scaled.values())
    return (
        {judge: value / total for judge, value in scaled.items()}
        if total
        else dict.fromkeys(judges, 1 / len(judges))
    )
