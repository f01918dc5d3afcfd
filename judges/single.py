"""A judge of single completions, with scores from 1 to 10."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from judges.judge import Reply, Score, Single
from judges.protocols import mt_bench, prometheus, wildbench
from judges.replies import Unparsable, reply_text
from judges.request_builder import Protocol, RequestBuilder, by_turn
from judges.template_fields import single_values

EMPTY_SCORE = 1.0  # WildBench's score of an empty completion, without a call


def _words(read: Callable[[str], float | Unparsable]) -> Callable[[Reply], Score | Unparsable]:
    """A reader of the reply's text."""

    def reader(reply: Reply) -> Score | Unparsable:
        words = reply_text(reply)
        if isinstance(words, Unparsable):
            return words
        score = read(words)
        return score if isinstance(score, Unparsable) else Score(float(score), words)

    return reader


PROTOCOLS = {
    "wildbench": Protocol(
        "wildbench_single",
        _words(wildbench.verdict_score),
        {"max_tokens": 1024, "temperature": 0, "response_format": {"type": "json_object"}},
        words=1000,
    ),
    "mt_bench": Protocol(
        "mt_bench_single", _words(mt_bench.rating), {"max_tokens": 2048, "temperature": 0}, each_turn=True
    ),
    "prometheus": Protocol(
        "prometheus_single", _words(prometheus.verdict_score), {"max_tokens": 1024, "temperature": 0}
    ),
}


@dataclass(frozen=True)
class SingleJudge(RequestBuilder[Single, Score]):
    """The model `model` as a judge that scores. Options as in `RequestBuilder`."""

    protocol: str = "wildbench"

    protocols: ClassVar[Mapping[str, Protocol[Score]]] = PROTOCOLS
    needs: ClassVar[tuple[str, ...]] = ("question", "answer")
    needs_of_turns: ClassVar[tuple[str, ...]] = ("question_2", "answer_2")

    def _values(self, item: Single) -> Mapping[str, str]:
        return single_values(item)

    def _decided(self, item: Single) -> Score | None:
        return None if item.completion.strip() else Score(EMPTY_SCORE, "The completion is empty.")

    def _mean(self, results: Sequence[Score]) -> Score:
        turns = tuple(score.score for score in results)
        return Score(sum(turns) / len(turns), by_turn([score.reason for score in results]), turns)
