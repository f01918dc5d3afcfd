"""One judge, one completion, a score from 1 to 10."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judges.errors import BadOption
from judges.judge import Reply, Request, Score, Single
from judges.places import body, of_single
from judges.replies import Reason, Unparsable, reply_text
from judges.schemes import mt_bench, wildbench
from judges.template import Template, own, template

NEEDS = ("question|question_2", "answer|answer_2")
EMPTY_SCORE = 1.0  # what WildBench gives an empty completion without asking


@dataclass(frozen=True)
class Scheme:
    """How a judge of single completions is asked and read."""

    prompt: str
    read: Callable[[str], float | Unparsable]
    sampling: Mapping[str, Any]
    words: int | None = None


SCHEMES = {
    "wildbench": Scheme(
        "wildbench_single",
        wildbench.verdict_score,
        {"max_tokens": 1024, "temperature": 0, "response_format": {"type": "json_object"}},
        words=1000,
    ),
    "mt_bench": Scheme("mt_bench_single", mt_bench.rating, {"max_tokens": 2048, "temperature": 0}),
}


@dataclass(frozen=True)
class SingleJudge:
    """The model `model` as a judge that scores. Options as of `PairwiseJudge`."""

    model: str
    scheme: str = "wildbench"
    text: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    thinking_budget: int = 0

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise BadOption(f"scheme {self.scheme!r}; expected one of: {', '.join(SCHEMES)}")
        self.template()

    @property
    def name(self) -> str:
        return self.model

    def template(self) -> Template:
        prompt = SCHEMES[self.scheme].prompt
        return template(own(prompt) if self.text is None else self.text, NEEDS, prompt)

    def requests(self, item: Single) -> Sequence[Request]:
        if not item.completion.strip():
            return []
        scheme = SCHEMES[self.scheme]
        sampling = {**scheme.sampling, "thinking_budget": self.thinking_budget, **self.sampling}
        return [body(self.model, self.template(), of_single(item), scheme.words, sampling)]

    def unreadable(self, item: Single, number: int, reply: Reply) -> Unparsable | None:
        found = self._read(reply)
        return found if isinstance(found, Unparsable) else None

    def verdict(self, item: Single, replies: Sequence[Reply | None]) -> Score | Unparsable:
        if not item.completion.strip():
            return Score(EMPTY_SCORE, "The completion is empty.")
        reply = replies[0]
        return Unparsable(Reason.MISSING) if reply is None else self._read(reply)

    def _read(self, reply: Reply) -> Score | Unparsable:
        words = reply_text(reply)
        if isinstance(words, Unparsable):
            return words
        score = SCHEMES[self.scheme].read(words)
        return score if isinstance(score, Unparsable) else Score(float(score), words)
