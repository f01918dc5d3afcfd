"""A panel: several judges combined into one. Source: Verga et al., Replacing Judges with Juries, arXiv 2404.18796."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from judges.errors import BadOption
from judges.judge import Judge, Pair, Reply, Request, Score, Single, Verdict, mean_criteria, mean_draws
from judges.orders import PairJudge
from judges.pairwise import winner_of
from judges.replies import Reason, Unparsable

Item = TypeVar("Item", Pair, Single)
Result = TypeVar("Result", Verdict, Score)


@dataclass(frozen=True)
class _Together(Generic[Item, Result]):
    """Judges whose requests are concatenated, in the order of the judges."""

    judges: tuple[Judge[Item, Result], ...]

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


@dataclass(frozen=True)
class Panel(_Together[Pair, Verdict]):
    """Judges whose preferences are averaged; the panel needs verdicts of at least `quorum` of them."""

    quorum: int

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        given = self.given(item, replies)
        readable = [(name, verdict) for name, verdict in given if not isinstance(verdict, Unparsable)]
        if len(readable) < self.quorum:
            problems = [verdict.reason for _, verdict in given if isinstance(verdict, Unparsable)]
            return Unparsable(problems[0] if problems else Reason.MISSING)
        return _average(readable)


def _average(given: Sequence[tuple[str, Verdict]]) -> Verdict:
    preference = sum(verdict.preference for _, verdict in given) / len(given)
    winner = winner_of(preference)
    reason = "\n\n".join(f"{name}: {verdict.reason or verdict.winner}" for name, verdict in given)
    orders = [verdict.orders for _, verdict in given if len(verdict.orders) == 2]
    return Verdict(
        winner,
        preference,
        reason,
        strength=0 if winner == "tie" else 1,
        orders=(_majority([o[0] for o in orders]), _majority([o[1] for o in orders])) if orders else (),
        by_letter=sum(verdict.by_letter for _, verdict in given),
        criteria=mean_criteria([verdict.criteria for _, verdict in given]),
        draws=mean_draws([verdict.draws for _, verdict in given]),
    )


def _majority(winners: Sequence[str]) -> str:
    lead = winners.count("model_a") - winners.count("model_b")
    return "tie" if lead == 0 else "model_a" if lead > 0 else "model_b"


def panel(judges: Sequence[PairJudge], *, quorum: int | None = None) -> PairJudge:
    """The judges as one judge, which by default needs a verdict of each. Raises BadOption."""
    _check([judge.name for judge in judges])
    size = len(judges)
    if quorum is not None and not 1 <= quorum <= size:
        raise BadOption(f"Quorum {quorum} of {size} judges is out of range. Expected 1 to {size}.")
    return Panel(tuple(judges), size if quorum is None else quorum)


@dataclass(frozen=True)
class SinglePanel(_Together[Single, Score]):
    """Judges whose scores are averaged; the panel needs a score of each."""

    def verdict(self, item: Single, replies: Sequence[Reply | None]) -> Score | Unparsable:
        scores = []
        for name, score in self.given(item, replies):
            if isinstance(score, Unparsable):
                return score
            scores.append((name, score))
        reason = "\n\n".join(f"{name}: {score.reason}" for name, score in scores)
        by_turn = {len(score.turns) for _, score in scores} == {item.turns}  # some judges score only the whole
        turns = zip(*(score.turns for _, score in scores), strict=True) if by_turn else ()
        means = tuple(sum(turn) / len(scores) for turn in turns)
        criteria = mean_criteria([score.criteria for _, score in scores])
        draws = mean_draws([score.draws for _, score in scores])
        return Score(sum(score.score for _, score in scores) / len(scores), reason, means, criteria, draws)


def single_panel(judges: Sequence[Judge[Single, Score]]) -> Judge[Single, Score]:
    """The scoring judges as one judge. Raises BadOption."""
    _check([judge.name for judge in judges])
    return SinglePanel(tuple(judges))


def _check(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise BadOption(f"A panel of {len(names)} is too small. Give at least two judges.")
    if len(set(names)) < len(names):
        raise BadOption(f"The panel has the same judge twice: {', '.join(names)}. Give each judge once.")
