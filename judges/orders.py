"""The order in which a judge sees two completions: turned round, both ways, or balanced over a set.

A judge that is asked each pair in one order only confuses the better place with the better model. Asking both
orders doubles the cost; a balanced design shows every model first as often as second, over models and over
prompts, and asks a share of the pairs both ways to estimate how often the order alone decides (the flip rate).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from judges.errors import BadOption
from judges.judge import Judge, Pair, Reply, Request, Verdict
from judges.pairwise import winner_of
from judges.replies import Unparsable

DOUBLE = 0.1  # share of the pairs that a balanced design asks in both orders
PairJudge = Judge[Pair, Verdict]


@dataclass(frozen=True)
class Swapped:
    """A judge that sees every pair the other way round."""

    judge: PairJudge

    @property
    def name(self) -> str:
        return self.judge.name

    def requests(self, item: Pair) -> Sequence[Request]:
        return self.judge.requests(item.swapped())

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        return self.judge.unreadable(item.swapped(), number, reply)

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        found = self.judge.verdict(item.swapped(), replies)
        return found if isinstance(found, Unparsable) else found.mirrored()


@dataclass(frozen=True)
class BothOrders:
    """A judge that sees every pair both ways round; its preference is the mean of both.

    The mean, not a tie on every conflict: people rarely call a tie, and where one order is clear and the other
    is not, the mean keeps what was said. Without both verdicts there is none.
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
        given = (
            self.judge.verdict(item, replies[:first]),
            Swapped(self.judge).verdict(item, replies[first:]),
        )
        one, other = given
        if not replies:  # decided without asking: there is no order in which it was seen
            return one
        if isinstance(one, Unparsable):
            return one
        if isinstance(other, Unparsable):
            return other
        return _mean(one, other)


def _mean(one: Verdict, other: Verdict) -> Verdict:
    preference = (one.preference + other.preference) / 2
    winner = winner_of(preference)
    reasons = [reason for reason in dict.fromkeys((one.reason, other.reason)) if reason]
    return Verdict(
        winner,
        preference,
        "\n\n— in the other order —\n\n".join(reasons),
        strength=0 if winner == "tie" else min(one.strength, other.strength) or 1,
        orders=(one.winner, other.winner),
    )


def both_orders(judge: PairJudge) -> PairJudge:
    """A judge that is asked every pair in both orders."""
    return BothOrders(judge)


def in_order(judge: PairJudge, *, swapped: bool) -> PairJudge:
    """A judge that is asked every pair as it stands, or the other way round."""
    return Swapped(judge) if swapped else judge


def balanced(
    pairs: Iterable[Pair], judge: PairJudge, *, double: float = DOUBLE
) -> Iterator[tuple[PairJudge, Pair]]:
    """Each pair with the judge that sees it in its order; a share `double` of them both ways.

    A Latin assignment: within a pair of models the order alternates from prompt to prompt, and neighbouring
    pairs of models begin the other way. Which pairs are doubled depends on their names alone, so a longer run
    doubles the same ones. Raises BadOption for a share outside [0, 1].
    """
    if not 0 <= double <= 1:
        raise BadOption(f"double {double:g}; expected a share from 0 to 1")
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
    """A number in [0, 1) that the names decide, the same for both orders."""
    names = "\n".join([pair.prompt, *sorted((pair.model_a, pair.model_b))])
    return int.from_bytes(hashlib.sha256(names.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64


def flip_rate(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """(pairs whose two orders have different winners, pairs asked in both orders)."""
    both = [verdict.orders for verdict in verdicts if len(verdict.orders) == 2]
    return sum(first != second for first, second in both), len(both)
