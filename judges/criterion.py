"""A judge that is told in one sentence what to judge by, in addition to the prompt of its protocol.

Source: Lail, Criteria Injection and Ensembling on RewardBench 2, arXiv 2604.13717.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.errors import BadOption
from judges.judge import Judge, Reply, Request
from judges.replies import Unparsable

LONGEST = 1000  # characters of a criterion
SENTENCE = "Judge above all by this criterion: {}"


@dataclass(frozen=True)
class WithCriterion:
    """`judge` with a sentence at the end of the system message of each request, or as one where there is none."""

    judge: Judge[Any, Any]
    criterion: str

    @property
    def name(self) -> str:
        return self.judge.name

    def requests(self, item: Any) -> Sequence[Request]:
        return [self._told(request) for request in self.judge.requests(item)]

    def unreadable(self, item: Any, number: int, reply: Reply) -> Unparsable | None:
        return self.judge.unreadable(item, number, reply)

    def verdict(self, item: Any, replies: Sequence[Reply | None]) -> Any:
        return self.judge.verdict(item, replies)

    def _told(self, request: Request) -> Request:
        sentence = SENTENCE.format(self.criterion)
        messages: Sequence[Mapping[str, str]] = request["messages"]
        if messages and messages[0]["role"] == "system":
            first = {"role": "system", "content": f"{messages[0]['content']}\n\n{sentence}"}
            return {**request, "messages": [first, *messages[1:]]}
        return {**request, "messages": [{"role": "system", "content": sentence}, *messages]}


def with_criterion(judge: Judge[Any, Any], criterion: str) -> Judge[Any, Any]:
    """`judge` with the criterion in its requests. Raises BadOption for a text that is empty or too long."""
    text = criterion.strip()
    if not 0 < len(text) <= LONGEST:
        raise BadOption(f"The criterion has {len(text):,} characters. Give one sentence of up to {LONGEST:,}.")
    return WithCriterion(judge, text)
