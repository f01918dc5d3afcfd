"""Several judges as one. Source: Verga et al., Replacing Judges with Juries, arXiv 2404.18796."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judges.errors import BadOption
from judges.judge import Judge, Pair, Reply, Request, Score, Single, Verdict
from judges.orders import PairJudge
from judges.pairwise import winner_of
from judges.replies import Reason, Unparsable


@dataclass(frozen=True)
class Panel:
    """Judges whose preferences are averaged; at least `quorum` of them must have given a verdict."""

    judges: tuple[PairJudge, ...]
    quorum: int

    @property
    def name(self) -> str:
        return "+".join(judge.name for judge in self.judges)

    def requests(self, item: Pair) -> Sequence[Request]:
        return [request for judge in self.judges for request in judge.requests(item)]

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        for judge in self.judges:
            asked = len(judge.requests(item))
            if number < asked:
                return judge.unreadable(item, number, reply)
            number -= asked
        raise IndexError(f"the panel asked {len(self.requests(item))} requests")

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        given, start = [], 0
        for judge in self.judges:
            asked = len(judge.requests(item))
            given.append((judge.name, judge.verdict(item, replies[start : start + asked])))
            start += asked
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
class SinglePanel:
    """Judges whose scores are averaged; all of them must have given one."""

    judges: tuple[Judge[Single, Score], ...]

    @property
    def name(self) -> str:
        return "+".join(judge.name for judge in self.judges)

    def requests(self, item: Single) -> Sequence[Request]:
        return [request for judge in self.judges for request in judge.requests(item)]

    def unreadable(self, item: Single, number: int, reply: Reply) -> Unparsable | None:
        return self.judges[number].unreadable(item, 0, reply)  # each asks one request, or none of them does

    def verdict(self, item: Single, replies: Sequence[Reply | None]) -> Score | Unparsable:
        given = [judge.verdict(item, replies[at : at + 1]) for at, judge in enumerate(self.judges)]
        scores = []
        for one in given:
            if isinstance(one, Unparsable):
                return one
            scores.append(one)
        reason = "\n\n".join(f"{j.name}: {one.reason}" for j, one in zip(self.judges, scores, strict=True))
        return Score(sum(one.score for one in scores) / len(scores), reason)


def single_panel(judges: Sequence[Judge[Single, Score]]) -> Judge[Single, Score]:
    """Judges that score, as one judge. Raises BadOption."""
    _check([judge.name for judge in judges])
    return SinglePanel(tuple(judges))


def _check(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise BadOption(f"a panel of {len(names)}; give at least two judges")
    if len(set(names)) < len(names):
        raise BadOption(f"a panel with the same judge twice: {', '.join(names)}; each counts once")
