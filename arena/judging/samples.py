"""The cases of a judge run with all that is known of them, for readers: both orders, raw replies, tries and costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from arena.engine import SavedCall, SavedCalls
from arena.judging.calls import PlannedCase
from arena.judging.plan import Case
from judges import Pair, Unparsable, in_order
from judges.orders import BothOrders, Swapped


@dataclass(frozen=True)
class JudgeCall:
    """One request to a judge. `saved` is None for a call that was not made."""

    judge: str
    saved: SavedCall | None


@dataclass(frozen=True)
class OrderResult:
    """The verdict or score of one order, in terms of the case; `swapped` if `b` was shown first."""

    swapped: bool
    result: Any | Unparsable
    calls: Sequence[JudgeCall]


@dataclass(frozen=True)
class CaseDetails:
    """A case with its result, and the result of each order that it was shown in."""

    case: Case
    result: Any | Unparsable
    orders: Sequence[OrderResult]

    @property
    def disagrees(self) -> bool:
        """Whether two orders have different winners."""
        return len({getattr(order.result, "winner", None) for order in self.orders} - {None}) > 1

    @property
    def failed(self) -> bool:
        """Whether a call has no reply."""
        return any(call.saved is None or call.saved.reply is None for order in self.orders for call in order.calls)


def call_keys(planned: Iterable[PlannedCase]) -> set[str]:
    """The reply cache's keys of these cases."""
    return {key for row in planned for key in row.keys}


def case_details(planned: Iterable[PlannedCase], saved: SavedCalls) -> Iterator[CaseDetails]:
    """Each case, in order, with what the reply cache says of its calls."""
    for row in planned:
        judges = [str(body["model"]) for body in row.case.judge.requests(row.case.item)]
        calls = [JudgeCall(judge, saved.call(key)) for judge, key in zip(judges, row.keys, strict=True)]
        yield CaseDetails(
            row.case, row.case.judge.verdict(row.case.item, _replies(calls)), _orders(row.case, calls)
        )


def _orders(case: Case, calls: Sequence[JudgeCall]) -> list[OrderResult]:
    """The result of each order: of the calls in the pair's own order, and of those of the swapped pair."""
    judge, item = case.judge, case.item
    if not isinstance(judge, BothOrders) or not isinstance(item, Pair) or not calls:
        return [OrderResult(isinstance(judge, Swapped), judge.verdict(item, _replies(calls)), calls)]
    first = len(judge.judge.requests(item))
    return [
        OrderResult(swapped, in_order(judge.judge, swapped=swapped).verdict(item, _replies(part)), part)
        for swapped, part in ((False, calls[:first]), (True, calls[first:]))
    ]


def _replies(calls: Sequence[JudgeCall]) -> list[Any]:
    """The readable replies, as the run read them: those of failed calls are None."""
    return [call.saved.reply if call.saved is not None and call.saved.status == "ok" else None for call in calls]
