"""The order in which a judge sees two completions: swapped, both, or balanced over a set of pairs.

If a judge sees each pair in one order only, position bias is confounded with quality. Judging both orders doubles
the cost. A balanced design shows every model first as often as second, over models and over prompts, and has a
share of the pairs judged in both orders to estimate how often the order alone decides (the flip rate).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from judges.errors import BadOption
from judges.judge import Judge, OnScale, Pair, Reply, Request, Verdict, mean_criteria, mean_draws
from judges.pairwise import winner_of
from judges.replies import Unparsable

DOUBLE = 0.1  # share of the pairs that a balanced design has judged in both orders
PairJudge = Judge[Pair, Verdict]


@dataclass(frozen=True)
class Swapped:
    """A judge that sees every pair with the sides swapped."""

    judge: PairJudge

    @property
    def name(self) -> str:
        return self.judge.name

    def requests(self, item: Pair) -> Sequence[Request]:
        return self.judge.requests(item.swapped())

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        return self.judge.unreadable(item.swapped(), number, reply)

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        verdict = self.judge.verdict(item.swapped(), replies)
        return verdict if isinstance(verdict, Unparsable) else verdict.mirrored()


@dataclass(frozen=True)
class BothOrders:
    """A judge that sees every pair in both orders; its preference is the mean of both.

    The mean, not a tie on every conflict: people rarely vote for a tie, and where one order is clear and the other
    is not, the mean keeps that preference. If either verdict is missing, so is the result.
    """

    judge: PairJudge

    @property
    def name(self) -> str:
        return self.judge.name

    def requests(self, item: Pair) -> Sequence[Request]:
        return [*self.judge.requests(item), *Swapped(self.judge).requests(item)]

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        first = len(self.judge.requests(item))
        if number < first:
            return self.judge.unreadable(item, number, reply)
        return Swapped(self.judge).unreadable(item, number - first, reply)

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        first = len(self.judge.requests(item))
        forward = self.judge.verdict(item, replies[:first])
        backward = Swapped(self.judge).verdict(item, replies[first:])
        if not replies:  # decided without a call: the pair was seen in no order
            return forward
        if isinstance(forward, Unparsable):
            return forward
        if isinstance(backward, Unparsable):
            return backward
        return _mean(forward, backward)


def _mean(forward: Verdict, backward: Verdict) -> Verdict:
    preference = (forward.preference + backward.preference) / 2
    winner = winner_of(preference)
    reasons = [reason for reason in dict.fromkeys((forward.reason, backward.reason)) if reason]
    return Verdict(
        winner,
        preference,
        "\n\n— in the other order —\n\n".join(reasons),
        strength=0 if winner == "tie" else min(forward.strength, backward.strength) or 1,
        orders=(forward.winner, backward.winner),
        by_letter=forward.by_letter + backward.by_letter,
        criteria=mean_criteria([forward.criteria, backward.criteria]),
        draws=mean_draws([forward.draws, backward.draws]),
        judges=_of_both(forward.judges, backward.judges),
    )


def _of_both(forward: tuple[OnScale, ...], backward: tuple[OnScale, ...]) -> tuple[OnScale, ...]:
    """The mean preference of the judges of a panel that have a verdict in both orders."""
    other = {row.name: row.value for row in backward}
    return tuple(row._replace(value=(row.value + other[row.name]) / 2) for row in forward if row.name in other)


def both_orders(judge: PairJudge) -> PairJudge:
    """`judge` with every pair judged in both orders."""
    return BothOrders(judge)


def in_order(judge: PairJudge, *, swapped: bool) -> PairJudge:
    """`judge` with every pair judged in its own order, or swapped."""
    return Swapped(judge) if swapped else judge


def balanced(
    pairs: Iterable[Pair], judge: PairJudge, *, double: float = DOUBLE
) -> Iterator[tuple[PairJudge, Pair]]:
    """Each pair with the judge for its order; a share `double` of them is judged in both orders.

    A Latin assignment: within a pair of models the order alternates from prompt to prompt, and neighbouring
    pairs of models begin in opposite orders. The choice of doubled pairs depends on their names alone, so a longer
    run doubles the same pairs. Raises BadOption for a share outside [0, 1].
    """
    if not 0 <= double <= 1:
        raise BadOption(f"double {double:g} is out of range. Expected a share from 0 to 1.")
    seen: dict[frozenset[str], int] = {}
    for pair in pairs:
        models = frozenset((pair.model_a, pair.model_b))
        if models not in seen:
            seen[models] = len(seen)  # where this pair of models begins
        turn = seen[models]
        seen[models] += 1
        if _chance(pair) < double:
            yield both_orders(judge), pair
        else:
            yield in_order(judge, swapped=turn % 2 == 1), pair


def _chance(pair: Pair) -> float:
    """A number in [0, 1) determined by the names, the same for both orders."""
    names = "\n".join([pair.prompt, *sorted((pair.model_a, pair.model_b))])
    return int.from_bytes(hashlib.sha256(names.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64


def flip_rate(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """(pairs whose two orders have different winners, pairs judged in both orders)."""
    both = [verdict.orders for verdict in verdicts if len(verdict.orders) == 2]
    return sum(first != second for first, second in both), len(both)
