"""What a judge is: it builds requests about an item and reads the replies. It never calls anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from judges.replies import Unparsable

Request = Mapping[str, Any]  # the body of an OpenAI chat completion; its "model" is the judge to be asked
Reply = Mapping[str, Any]  # the body of the chat completion that came back
Message = Mapping[str, str]

MIRRORED = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
PREFERENCES = {"model_a": 1.0, "tie": 0.5, "model_b": 0.0}  # for model_a, by winner


@dataclass(frozen=True)
class Pair:
    """Two completions of one conversation. `messages` ends with the user's turn that both answer.

    Where each model answered earlier turns itself, `messages` has the user's turns alone and `earlier_a` and
    `earlier_b` the models' own words, one for each turn before the last. `references` has one text for each of
    these turns, where `reference` is all of them together.
    """

    prompt: str  # the prompt's key
    messages: tuple[Message, ...]
    model_a: str
    completion_a: str
    model_b: str
    completion_b: str
    checklist: tuple[str, ...] = ()
    reference: str | None = None
    earlier_a: tuple[str, ...] = ()
    earlier_b: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def turns(self) -> int:
        """How many turns both models had by themselves."""
        return 1 + len(self.earlier_a) if len(self.earlier_a) == len(self.earlier_b) else 1

    def until(self, turn: int) -> Pair:
        """The same battle as it stood after `turn` turns."""
        if turn == self.turns:
            return self
        return replace(
            self,
            messages=_until(self.messages, turn, self.turns),
            completion_a=self.earlier_a[turn - 1], earlier_a=self.earlier_a[: turn - 1],
            completion_b=self.earlier_b[turn - 1], earlier_b=self.earlier_b[: turn - 1],
            reference=_joined(self.references[:turn]) or self.reference,
            references=self.references[:turn],
        )  # fmt: skip

    def swapped(self) -> Pair:
        """The same battle with the sides exchanged."""
        return replace(
            self,
            model_a=self.model_b, completion_a=self.completion_b, earlier_a=self.earlier_b,
            model_b=self.model_a, completion_b=self.completion_a, earlier_b=self.earlier_a,
        )  # fmt: skip


@dataclass(frozen=True)
class Single:
    """One completion of one conversation."""

    prompt: str
    messages: tuple[Message, ...]
    model: str
    completion: str
    checklist: tuple[str, ...] = ()
    reference: str | None = None
    earlier: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def turns(self) -> int:
        """How many turns the model had by itself."""
        return 1 + len(self.earlier)

    def until(self, turn: int) -> Single:
        """The same conversation as it stood after `turn` turns."""
        if turn == self.turns:
            return self
        return replace(
            self,
            messages=_until(self.messages, turn, self.turns),
            completion=self.earlier[turn - 1],
            earlier=self.earlier[: turn - 1],
            reference=_joined(self.references[:turn]) or self.reference,
            references=self.references[:turn],
        )


def _until(messages: tuple[Message, ...], turn: int, turns: int) -> tuple[Message, ...]:
    """The messages without the user's turns after `turn`, of the `turns` at the end."""
    return messages[: len(messages) - turns + turn]


def _joined(references: Sequence[str]) -> str | None:
    return "\n\n".join(references) or None


@dataclass(frozen=True)
class Verdict:
    """About a pair, in terms of its own `model_a` and `model_b`."""

    winner: str  # model_a, model_b or tie
    preference: float  # for model_a, in [0, 1]; 1, 1/2 and 0 where the judge only names a winner
    reason: str  # the judge's words; empty where it gives a token
    strength: int = 1  # 2 for "much better", 0 for a tie
    orders: tuple[str, ...] = ()  # the winner of each order that was asked, in terms of this pair

    def mirrored(self) -> Verdict:
        """The same verdict about the swapped pair."""
        orders = tuple(MIRRORED[winner] for winner in self.orders)
        return replace(self, winner=MIRRORED[self.winner], preference=1 - self.preference, orders=orders)


@dataclass(frozen=True)
class Score:
    """Of a single completion, from 1 to 10. `turns`: the scores that it is the mean of, where each turn was judged."""

    score: float
    reason: str
    turns: tuple[float, ...] = ()


Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)


class Judge(Protocol[Item, Result]):
    """Gives results about items. Judges of judges (both orders, panels) are judges themselves."""

    @property
    def name(self) -> str: ...

    def requests(self, item: Item) -> Sequence[Request]:
        """What to ask, in order; empty where the item is decided without asking."""
        ...

    def unreadable(self, item: Item, number: int, reply: Reply) -> Unparsable | None:
        """Why the reply to request `number` cannot be used, or None: for whoever may ask again."""
        ...

    def verdict(self, item: Item, replies: Sequence[Reply | None]) -> Result | Unparsable:
        """The result from all replies, in the order of the requests. None is a call that failed: no result."""
        ...
