"""The judge protocol, which builds requests about an item and reads the replies, without calls of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from judges.replies import Unparsable

Request = Mapping[str, Any]  # the body of an OpenAI chat completion; its "model" is the judge
Reply = Mapping[str, Any]  # the body of the chat completion returned
Message = Mapping[str, str]

MIRRORED = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
PREFERENCES = {"model_a": 1.0, "tie": 0.5, "model_b": 0.0}  # for model_a, by winner


@dataclass(frozen=True)
class Pair:
    """Two completions of one conversation. `messages` ends with the user's turn that both answer.

    If each model completed earlier turns itself, `messages` has only the user's turns, and `earlier_a` and
    `earlier_b` have the models' completions, one for each turn before the last. `references` has one text for each
    of these turns, and `reference` is all of them joined.
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
        """Number of turns completed by both models."""
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
        """Number of turns completed by the model."""
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


class OnScale(NamedTuple):
    """What a judge gave by one criterion of a rubric: a value, or the preference for `model_a` of a pair (0 to 1)."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """A verdict on a pair, in terms of its own `model_a` and `model_b`."""

    winner: str  # model_a, model_b or tie
    preference: float  # for model_a, in [0, 1]; 1, 1/2 or 0 if the judge only names a winner
    reason: str  # the judge's text; empty if it replies with a token
    strength: int = 1  # 2 for "much better", 0 for a tie
    orders: tuple[str, ...] = ()  # the winner in each order, in terms of this pair
    by_letter: int = 0  # replies read by their letter where the protocol reads log-probabilities, which they lack
    criteria: tuple[OnScale, ...] = ()  # preference by criterion of a rubric
    draws: tuple[float, ...] = ()  # the preferences that it is the mean of, if the judge was called several times
    judges: tuple[OnScale, ...] = ()  # the preference of each judge of a panel

    def mirrored(self) -> Verdict:
        """The same verdict about the swapped pair."""
        orders = tuple(MIRRORED[winner] for winner in self.orders)
        criteria = tuple(row._replace(value=1 - row.value) for row in self.criteria)
        return replace(
            self,
            winner=MIRRORED[self.winner],
            preference=1 - self.preference,
            orders=orders,
            criteria=criteria,
            draws=tuple(1 - draw for draw in self.draws),
            judges=tuple(row._replace(value=1 - row.value) for row in self.judges),
        )


@dataclass(frozen=True)
class Score:
    """A score of a single completion, from 1 to 10; the mean of `turns` if each turn was judged."""

    score: float
    reason: str
    turns: tuple[float, ...] = ()
    criteria: tuple[OnScale, ...] = ()  # value by criterion of a rubric, each on its own scale
    draws: tuple[float, ...] = ()  # the scores that it is the mean of, if the judge was called several times
    judges: tuple[OnScale, ...] = ()  # the score of each judge of a panel


def mean_criteria(given: Sequence[tuple[OnScale, ...]]) -> tuple[OnScale, ...]:
    """The mean of each criterion over several results; none if any result has none."""
    if not all(given):
        return ()
    columns = zip(*given, strict=True)
    return tuple(rows[0]._replace(value=sum(row.value for row in rows) / len(rows)) for rows in columns)


def mean_draws(given: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """The mean of each draw over several results; none if their numbers of draws differ."""
    if len({len(draws) for draws in given}) != 1:
        return ()
    return tuple(sum(draws) / len(given) for draws in zip(*given, strict=True))


Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)


class Judge(Protocol[Item, Result]):
    """A function from items to results, as requests and a reader. Combinations (both orders, panels) are judges."""

    @property
    def name(self) -> str: ...

    def requests(self, item: Item) -> Sequence[Request]:
        """The requests in order; empty if the item is decided without a call."""
        ...

    def unreadable(self, item: Item, number: int, reply: Reply) -> Unparsable | None:
        """Why the reply to request `number` is unusable, or None, for a caller that can retry."""
        ...

    def verdict(self, item: Item, replies: Sequence[Reply | None]) -> Result | Unparsable:
        """The result from all replies, in the order of the requests. None is a failed call."""
        ...
