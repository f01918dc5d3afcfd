"""Several draws of one judge for each request, and how much they differ.

    value of a case        mean of its k draws
    variance of one draw   mean over cases of sum_d (x_d - mean)^2 / (k - 1)
    variance of the mean   that / k

A draw is a score, or a preference for model_a. With both orders or a panel, draw d is the mean of their draws d.
Source of the gain: Lail, Criteria Injection and Ensembling on RewardBench 2, arXiv 2604.13717.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from judges.errors import BadOption
from judges.judge import Judge, Reply, Request, Score, Verdict, mean_criteria
from judges.pairwise import winner_of
from judges.replies import Unparsable

REPEAT = "repeat"  # key of a request with the number of its draw, for the caller: it is no parameter of a server
TEMPERATURE = 1.0  # of draws: at 0 they would be one reply k times
MOST = 100
Result = TypeVar("Result", Verdict, Score)


@dataclass(frozen=True)
class Repeated:
    """`judge` with `samples` draws of each request; a case needs all of them."""

    judge: Judge[Any, Any]
    samples: int

    @property
    def name(self) -> str:
        return self.judge.name

    def requests(self, item: Any) -> Sequence[Request]:
        return [
            {**request, "temperature": TEMPERATURE, REPEAT: draw}
            for draw in range(self.samples)
            for request in self.judge.requests(item)
        ]

    def unreadable(self, item: Any, number: int, reply: Reply) -> Unparsable | None:
        return self.judge.unreadable(item, number % len(self.judge.requests(item)), reply)

    def verdict(self, item: Any, replies: Sequence[Reply | None]) -> Any:
        each = len(self.judge.requests(item))
        if not each:
            return self.judge.verdict(item, ())
        draws = [self.judge.verdict(item, replies[start : start + each]) for start in range(0, len(replies), each)]
        return next((draw for draw in draws if isinstance(draw, Unparsable)), None) or _mean(draws)


def _mean(draws: Sequence[Any]) -> Any:
    """The mean of draws of one kind, with the reason of the first."""
    first, criteria = draws[0], mean_criteria([draw.criteria for draw in draws])
    if isinstance(first, Score):
        scores = tuple(draw.score for draw in draws)
        turns = tuple(map(_average, zip(*(draw.turns for draw in draws), strict=True)))
        return replace(first, score=_average(scores), turns=turns, criteria=criteria, draws=scores)
    preferences = tuple(draw.preference for draw in draws)
    preference = round(_average(preferences), 12)
    winner = winner_of(preference)
    agreeing = [draw.strength for draw in draws if draw.winner == winner]
    return replace(
        first,
        winner=winner,
        preference=preference,
        strength=0 if winner == "tie" else min(agreeing, default=1) or 1,
        by_letter=sum(draw.by_letter for draw in draws),
        criteria=criteria,
        draws=preferences,
    )


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def repeated(judge: Judge[Any, Any], samples: int) -> Judge[Any, Any]:
    """`judge` with `samples` draws; the judge itself for one. Raises BadOption."""
    if not 1 <= samples <= MOST:
        raise BadOption(f"{samples} samples are out of range. Expected 1 to {MOST}.")
    return judge if samples == 1 else Repeated(judge, samples)


@dataclass(frozen=True)
class RepeatVariance:
    """How much draws of one case differ: squares of points of a score, or of the preference from 0 to 1."""

    draws: int  # of each case
    cases: int
    variance: float  # of one draw, within cases
    variance_of_mean: float
    variance_between: float | None  # of the cases' means, as they are; None for a single case


def repeat_variance(draws: Sequence[Sequence[float]]) -> RepeatVariance | None:
    """The variance of the draws of cases, each with as many; None without a case of at least two draws."""
    if not (several := [values for values in draws if len(values) > 1]):
        return None
    table = np.array(several, dtype=float)
    within = float(table.var(axis=1, ddof=1).mean())
    means = table.mean(axis=1)
    between = float(means.var(ddof=1)) if len(means) > 1 else None
    return RepeatVariance(table.shape[1], len(table), within, within / table.shape[1], between)
