"""Judges with a rubric: one request an item, and a value for each criterion or no verdict at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from judges.json_replies import value_of
from judges.judge import Judge, OnScale, Pair, Reply, Request, Score, Single, Verdict
from judges.pairwise import winner_of, without_call
from judges.replies import Reason, Unparsable, reply_text
from judges.rubric import LOW, Rubric
from judges.rubric_prompt import example_messages, item_text, response_format, system_text

SAMPLING = {"max_tokens": 2048, "temperature": 0}
Item = TypeVar("Item", Pair, Single)


@dataclass(frozen=True)
class _RubricJudge:
    """The model `model` with a rubric. `thinking_budget` tokens are added to the limit of its reply."""

    model: str
    rubric: Rubric
    thinking_budget: int = 0

    @property
    def name(self) -> str:
        return self.model

    def _request(self, item: Pair | Single) -> Request:
        pairs = isinstance(item, Pair)
        own = self.rubric.reference(item.prompt)
        shown = item if own is None else replace(item, reference=own, references=())
        return {
            "model": self.model,
            "messages": [
                {"role": "system", "content": system_text(self.rubric, pairs)},
                *example_messages(self.rubric, pairs),
                {"role": "user", "content": item_text(shown)},
            ],
            **SAMPLING,
            "max_tokens": SAMPLING["max_tokens"] + self.thinking_budget,
            "response_format": response_format(self.rubric, pairs),
        }


@dataclass(frozen=True)
class RubricSingleJudge(_RubricJudge):
    """A judge of single completions: a value by each criterion, and their weighted total from 1 to 10."""

    def requests(self, item: Single) -> Sequence[Request]:
        return [self._request(item)] if item.completion.strip() else []

    def unreadable(self, item: Single, number: int, reply: Reply) -> Unparsable | None:
        values = values_of(self.rubric, reply, pairs=False)
        return values if isinstance(values, Unparsable) else None

    def verdict(self, item: Single, replies: Sequence[Reply | None]) -> Score | Unparsable:
        if not item.completion.strip():
            lowest = tuple(c.on_scale(c.scale.low) for c in self.rubric.criteria)
            return Score(LOW, "The completion is empty.", criteria=lowest)
        if replies[0] is None:
            return Unparsable(Reason.MISSING)
        values = values_of(self.rubric, replies[0], pairs=False)
        if isinstance(values, Unparsable):
            return values
        criteria = tuple(c.on_scale(values[c.name]) for c in self.rubric.criteria)
        return Score(self.rubric.score(values), str(reply_text(replies[0])), criteria=criteria)


@dataclass(frozen=True)
class RubricPairJudge(_RubricJudge):
    """A judge of pairs in their own order: a preference by each criterion, and their weighted total."""

    def requests(self, item: Pair) -> Sequence[Request]:
        return [self._request(item)] if without_call(item) is None else []

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        values = values_of(self.rubric, reply, pairs=True)
        return values if isinstance(values, Unparsable) else None

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        decided = without_call(item)
        if decided is not None:
            every = tuple(OnScale(c.name, decided.preference, 0.0, 1.0) for c in self.rubric.criteria)
            return replace(decided, criteria=every)
        if replies[0] is None:
            return Unparsable(Reason.MISSING)
        values = values_of(self.rubric, replies[0], pairs=True)
        if isinstance(values, Unparsable):
            return values
        criteria = self.rubric.preferences(values)
        preference = self.rubric.preference(criteria)
        winner = winner_of(preference)
        reason = str(reply_text(replies[0]))
        return Verdict(winner, preference, reason, strength=int(winner != "tie"), criteria=criteria)


def values_of(rubric: Rubric, reply: Reply, *, pairs: bool) -> dict[str, float] | Unparsable:
    """The number of each key of the reply with a value, or why one of them has none."""
    text = reply_text(reply)
    if isinstance(text, Unparsable):
        return text
    values: dict[str, float] = {}
    for key in rubric.keys(pairs):
        given = value_of(text, key)
        value = given if isinstance(given, Unparsable) else rubric.of_key(key, pairs).scale.value(given)
        if isinstance(value, Unparsable):
            return value
        values[key] = value
    return values


def rubric_judge(model: str, rubric: Rubric, *, pairs: bool, thinking_budget: int = 0) -> Judge[Any, Any]:
    """The model as a judge of pairs or of single completions. Raises `BadRubric` if the rubric fits no such judge."""
    rubric.check(pairs)
    kind = RubricPairJudge if pairs else RubricSingleJudge
    return kind(model, rubric, thinking_budget)
