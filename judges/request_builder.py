"""The common part of judges of pairs and of single completions: protocol, template, and one request per turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from judges.errors import BadOption
from judges.judge import Pair, Reply, Request, Single
from judges.replies import Reason, Unparsable
from judges.template import ByItem, FieldPlace, Template, own, template
from judges.template_fields import body

Item = TypeVar("Item", Pair, Single)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Protocol(Generic[Result]):
    """How a judge is called and how its replies are read."""

    prompt: str  # name of the built-in template
    read: Callable[[Reply], Result | Unparsable]
    sampling: Mapping[str, Any]
    words: int | None = None  # per text shown to the judge
    each_turn: bool = False  # if the models wrote all turns, the conversation is judged after each


@dataclass(frozen=True)
class RequestBuilder(ABC, Generic[Item, Result]):
    """The model `model` as a judge.

    `text` is a template that replaces the built-in one. `sampling` overrides the protocol's own; `thinking_budget` tokens
    are added to its limit for judges that think before their verdict.
    """

    model: str
    protocol: str
    text: str | ByItem | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    thinking_budget: int = 0

    protocols: ClassVar[Mapping[str, Protocol[Any]]]
    needs: ClassVar[tuple[str, ...]]  # fields that the template must have
    needs_of_turns: ClassVar[tuple[str, ...]]  # of a template for several turns

    def __post_init__(self) -> None:
        if self.protocol not in self.protocols:
            raise BadOption(f"Protocol {self.protocol!r} is unknown. Choose one of: {', '.join(self.protocols)}.")
        for several in (False, True):
            for referenced in (False, True):
                self._template(several, referenced)

    @property
    def name(self) -> str:
        return self.model

    def template(self, item: Item) -> Template:
        """The template for this item."""
        return self._template(item.turns > 1, item.reference is not None)

    def field_places(self, item: Item) -> list[FieldPlace]:
        """Where the fields stand in the messages of `requests(item)[0]`, for a protocol that does not cut texts."""
        return self.template(item).filled(self._values(item))[1]

    def requests(self, item: Item) -> Sequence[Request]:
        return [self._request(turn) for turn in self._turns(item) if self._decided(turn) is None]

    def unreadable(self, item: Item, number: int, reply: Reply) -> Unparsable | None:
        result = self._read(reply)
        return result if isinstance(result, Unparsable) else None

    def verdict(self, item: Item, replies: Sequence[Reply | None]) -> Result | Unparsable:
        remaining = iter(replies)
        results: list[Result] = []
        for turn in self._turns(item):
            result = self._decided(turn)
            if result is None:
                reply = next(remaining)
                read = Unparsable(Reason.MISSING) if reply is None else self._read(reply)
                if isinstance(read, Unparsable):
                    return read
                result = read
            results.append(result)
        return results[0] if len(results) == 1 else self._mean(results)

    def _turns(self, item: Item) -> Sequence[Item]:
        """The items to judge in order: the whole conversation, or the conversation up to each turn.

        A user's template with fields for two turns judges the whole conversation only.
        """
        whole = isinstance(self.text, str) and any(name.endswith("_2") for name in self.template(item).fields)
        if whole or not self.protocols[self.protocol].each_turn:
            return [item]
        return [item.until(turn) for turn in range(1, item.turns + 1)]

    def _request(self, item: Item) -> Request:
        protocol = self.protocols[self.protocol]
        sampling = {**protocol.sampling, "thinking_budget": self.thinking_budget, **self.sampling}
        return body(self.model, self.template(item), self._values(item), protocol.words, sampling)

    def _template(self, several: bool, referenced: bool) -> Template:
        prompt = self.protocols[self.protocol].prompt
        if isinstance(self.text, ByItem):
            needs = self.needs_of_turns if several else self.needs
            return template(self.text.of(several, referenced), needs, f"{prompt} template")
        needs = tuple(
            f"{name}|{name_of_turns}" for name, name_of_turns in zip(self.needs, self.needs_of_turns, strict=True)
        )
        return template(own(prompt) if self.text is None else self.text, needs, prompt)

    def _read(self, reply: Reply) -> Result | Unparsable:
        result: Result | Unparsable = self.protocols[self.protocol].read(reply)
        return result

    @abstractmethod
    def _values(self, item: Item) -> Mapping[str, str]:
        """The values of the template's fields."""

    @abstractmethod
    def _decided(self, item: Item) -> Result | None:
        """The result of an item that needs no call, else None."""

    @abstractmethod
    def _mean(self, results: Sequence[Result]) -> Result:
        """The result of a conversation from those of its turns."""


def by_turn(reasons: Sequence[str]) -> str:
    """The reasons of a conversation's turns as one text."""
    return "\n\n".join(f"(turn {number})\n{reason}" for number, reason in enumerate(reasons, 1) if reason)
