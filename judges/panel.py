"""Several judges as one. Source: Verga et al., Replacing Judges with Juries, arXiv 2404.18796."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from judges.errors import BadOption
from judges.judge import Judge, Pair, Reply, Request, Score, Single, Verdict
from judges.orders import PairJudge
from judges.pairwise import winner_of
from judges.replies import Reason, Unparsable

Item = TypeVar("Item", Pair, Single)
Result = TypeVar("Result", Verdict, Score)


@dataclass(frozen=True)
class _Together(Generic[Item, Result]):
    """Judges that are asked one after the other."""

    judges: tuple[Judge[Item, Result], ...]

    @property
    def name(self) -> str:
        return "+".join(judge.name for judge in self.judges)

    def requests(self, item: Item) -> Sequence[Request]:
        return [request for judge in self.judges for request in judge.requests(item)]

    def unreadable(self, item: Item, number: int, reply: Reply) -> Unparsable | None:
        for judge in self.judges:
            asked = len(judge.requests(item))
            if number < asked:
                return judge.unreadable(item, number, reply)
            number -= asked
        raise IndexError(f"the panel asked {len(self.requests(item))} requests")

    def given(self, item: Item, replies: Sequence[Reply | None]) -> list[tuple[str, Result | Unparsable]]:
        """What each judge, by name, makes of its own replies."""
        found, start = [], 0
        for judge in self.judges:
            asked = len(judge.requests(item))
            found.append((judge.name, judge.verdict(item, replies[start : start + asked])))
            start += asked
        return found


@dataclass(frozen=True)
class Panel(_Together[Pair, Verdict]):
    """Judges whose preferences are averaged; at least `quorum` of them must have given a verdict."""

    quorum: int

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        given = self.given(item, replies)
        readable = [(name, one) for name, one in given if not isinstance(one, Unparsable)]
        if len(readable) < self.quorum:
            problems = [one.reason for _, one in given if isinstance(one, Unparsable)]
            return Unparsable(problems[0] if problems else Reason.MISSING)
        return _average(readable)


def _average(given: Sequence[tuple[str, Verdict]]) -> Verdict:
    preference = sum(one.preference for _, one in given) / len(given)
    winner = winner_of(preference)
    reason = "\n\n".join(f"{name}: {one.reason or one.winner}" for name, one in given)
    orders = [one.orders for _, one in given if len(one.orders) == 2]
    return Verdict(
        winner,
        preference,
        reason,
        strength=0 if winner == "tie" else 1,
        orders=(_majority([o[0] for o in orders]), _majority([o[1] for o in orders])) if orders else (),
    )


def _majority(winners: Sequence[str]) -> str:
    lead = winners.count("model_a") - winners.count("model_b")
    return "tie" if lead == 0 else "model_a" if lead > 0 else "model_b"


def panel(judges: Sequence[PairJudge], *, quorum: int | None = None) -> PairJudge:
    """Judges as one judge; by default all of them must give a verdict. Raises BadOption."""
    _check([judge.name for judge in judges])
    most = len(judges)
    if quorum is not None and not 1 <= quorum <= most:
        raise BadOption(f"quorum {quorum} of {most} judges; expected 1 to {most}")
    return Panel(tuple(judges), most if quorum is None else quorum)


@dataclass(frozen=True)
class SinglePanel(_Together[Single, Score]):
    """Judges whose scores are averaged; all of them must have given one."""

    def verdict(self, item: Single, replies: Sequence[Reply | None]) -> Score | Unparsable:
        scores = []
        for name, one in self.given(item, replies):
            if isinstance(one, Unparsable):
                return one
            scores.append((name, one))
        reason = "\n\n".join(f"{name}: {one.reason}" for name, one in scores)
        by_turn = {len(one.turns) for _, one in scores} == {item.turns}  # some judges score the whole alone
        turns = zip(*(one.turns for _, one in scores), strict=True) if by_turn else ()
        means = tuple(sum(turn) / len(scores) for turn in turns)
        return Score(sum(one.score for _, one in scores) / len(scores), reason, means)


def single_panel(judges: Sequence[Judge[Single, Score]]) -> Judge[Single, Score]:
    """Judges that score, as one judge. Raises BadOption."""
    _check([judge.name for judge in judges])
    return SinglePanel(tuple(judges))


def _check(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise BadOption(f"a panel of {len(names)}; give at least two judges")
    if len(set(names)) < len(names):
        raise BadOption(f"a panel with the same judge twice: {', '.join(names)}; each counts once")
