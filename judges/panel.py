"""A panel: several judges combined into one. Source: Verga et al., Replacing Judges with Juries, arXiv 2404.18796.

mean       the mean of the judges' preferences, or scores
median     their median
majority   of pairs: each judge's winner counts 1, 1/2 or 0, and the mean of these decides
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from judges.errors import BadOption
from judges.judge import (
    PREFERENCES,
    Judge,
    OnScale,
    Pair,
    Reply,
    Request,
    Score,
    Single,
    Verdict,
    mean_draws,
)  # fmt: skip
from judges.orders import PairJudge
from judges.pairwise import winner_of
from judges.replies import Unparsable

Item = TypeVar("Item", Pair, Single)
Result = TypeVar("Result", Verdict, Score)
MEAN, MEDIAN, MAJORITY = WAYS = ("mean", "median", "majority")
SCORES = (1.0, 10.0)  # ends of the scale of a score


@dataclass(frozen=True)
class _Together(Generic[Item, Result]):
    """Judges whose requests are concatenated, in the order of the judges; `quorum` of them need a verdict."""

    judges: tuple[Judge[Item, Result], ...]
    quorum: int
    way: str = MEAN

    @property
    def name(self) -> str:
        return "+".join(judge.name for judge in self.judges)

    def requests(self, item: Item) -> Sequence[Request]:
        return [request for judge in self.judges for request in judge.requests(item)]

    def unreadable(self, item: Item, number: int, reply: Reply) -> Unparsable | None:
        for judge in self.judges:
            count = len(judge.requests(item))
            if number < count:
                return judge.unreadable(item, number, reply)
            number -= count
        raise IndexError(f"The panel has {len(self.requests(item))} requests. Give the number of one of them.")

    def given(self, item: Item, replies: Sequence[Reply | None]) -> list[tuple[str, Result | Unparsable]]:
        """(name, verdict) of each judge from its own replies."""
        results: list[tuple[str, Result | Unparsable]] = []
        start = 0
        for judge in self.judges:
            count = len(judge.requests(item))
            results.append((judge.name, judge.verdict(item, replies[start : start + count])))
            start += count
        return results

    def readable(self, item: Item, replies: Sequence[Reply | None]) -> list[tuple[str, Result]] | Unparsable:
        """(name, verdict) of the judges with one, if they are a quorum; else why the first has none."""
        given = self.given(item, replies)
        readable = [(name, result) for name, result in given if not isinstance(result, Unparsable)]
        if len(readable) >= self.quorum:
            return readable
        return next(result for _, result in given if isinstance(result, Unparsable))

    def value(self, values: Sequence[float]) -> float:
        """The panel's value from those of its judges."""
        return statistics.median(values) if self.way == MEDIAN else sum(values) / len(values)

    def criteria(self, given: Sequence[tuple[OnScale, ...]]) -> tuple[OnScale, ...]:
        """The panel's value by each criterion; none if a judge has none."""
        if not all(given):
            return ()
        return tuple(
            rows[0]._replace(value=self.value([row.value for row in rows])) for rows in zip(*given, strict=True)
        )


@dataclass(frozen=True)
class Panel(_Together[Pair, Verdict]):
    """Judges of pairs, combined."""

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        given = self.readable(item, replies)
        if isinstance(given, Unparsable):
            return given
        if self.way == MAJORITY:
            votes = [(name, _as_vote(verdict)) for name, verdict in given]
            combined = self._combined(votes)
            return replace(combined, judges=_by_judge(votes))
        return self._combined(given)

    def _combined(self, given: Sequence[tuple[str, Verdict]]) -> Verdict:
        preference = self.value([verdict.preference for _, verdict in given])
        winner = winner_of(preference)
        orders = [verdict.orders for _, verdict in given if len(verdict.orders) == 2]
        return Verdict(
            winner,
            preference,
            "\n\n".join(f"{name}: {verdict.reason or verdict.winner}" for name, verdict in given),
            strength=0 if winner == "tie" else 1,
            orders=(_majority([o[0] for o in orders]), _majority([o[1] for o in orders])) if orders else (),
            by_letter=sum(verdict.by_letter for _, verdict in given),
            criteria=self.criteria([verdict.criteria for _, verdict in given]),
            draws=mean_draws([verdict.draws for _, verdict in given]),
            judges=_by_judge(given),
        )


def _as_vote(verdict: Verdict) -> Verdict:
    """The verdict with the winner alone, in total and by each criterion."""
    criteria = tuple(row._replace(value=PREFERENCES[winner_of(row.value)]) for row in verdict.criteria)
    return replace(verdict, preference=PREFERENCES[verdict.winner], criteria=criteria)


def _by_judge(given: Sequence[tuple[str, Verdict]]) -> tuple[OnScale, ...]:
    return tuple(OnScale(name, verdict.preference, 0.0, 1.0) for name, verdict in given)


def _majority(winners: Sequence[str]) -> str:
    lead = winners.count("model_a") - winners.count("model_b")
    return "tie" if lead == 0 else "model_a" if lead > 0 else "model_b"


@dataclass(frozen=True)
class SinglePanel(_Together[Single, Score]):
    """Judges of single completions, combined."""

    def verdict(self, item: Single, replies: Sequence[Reply | None]) -> Score | Unparsable:
        given = self.readable(item, replies)
        if isinstance(given, Unparsable):
            return given
        scores = [score for _, score in given]
        by_turn = {len(score.turns) for score in scores} == {item.turns}  # some judges score only the whole
        turns = zip(*(score.turns for score in scores), strict=True) if by_turn else ()
        return Score(
            self.value([score.score for score in scores]),
            "\n\n".join(f"{name}: {score.reason}" for name, score in given),
            tuple(map(self.value, turns)),
            self.criteria([score.criteria for score in scores]),
            mean_draws([score.draws for score in scores]),
            tuple(OnScale(name, score.score, *SCORES) for name, score in given),
        )


def panel(judges: Sequence[PairJudge], *, quorum: int | None = None, way: str = MEAN) -> PairJudge:
    """The judges as one judge, which by default needs a verdict of each. Raises BadOption."""
    return Panel(tuple(judges), _checked(judges, quorum, way, WAYS), way)


def single_panel(
    judges: Sequence[Judge[Single, Score]], *, quorum: int | None = None, way: str = MEAN
) -> Judge[Single, Score]:
    """The scoring judges as one judge, which by default needs a score of each. Raises BadOption."""
    return SinglePanel(tuple(judges), _checked(judges, quorum, way, (MEAN, MEDIAN)), way)


def _checked(
    judges: Sequence[PairJudge] | Sequence[Judge[Single, Score]],
    quorum: int | None,
    way: str,
    ways: tuple[str, ...],
) -> int:
    """The quorum of a panel that can be."""
    names, size = [judge.name for judge in judges], len(judges)
    if size < 2:
        raise BadOption(f"A panel of {size} is too small. Give at least two judges.")
    if len(set(names)) < size:
        raise BadOption(f"The panel has the same judge twice: {', '.join(names)}. Give each judge once.")
    if way not in ways:
        raise BadOption(f"A panel of such judges has no {way!r}. Use one of: {', '.join(ways)}.")
    if quorum is not None and not 1 <= quorum <= size:
        raise BadOption(f"Quorum {quorum} of {size} judges is out of range. Expected 1 to {size}.")
    return size if quorum is None else quorum
