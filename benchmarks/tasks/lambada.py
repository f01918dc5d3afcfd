"""LAMBADA (Paperno et al. 2016, arXiv:1606.06031), OpenAI's version: the last word of a passage.

`acc` counts words that greedy decoding would have written; `perplexity` is over words, ``exp(-mean log p)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from benchmarks.known_files import known
from benchmarks.task import Metrics, Outcome, Reply, Request, RequestType, Row, Sample, Task, failed, scored


def perplexity(pairs: Sequence[tuple[Sample, Metrics]]) -> float:
    return exp(-sum(metrics["logprob"] for _, metrics in pairs) / len(pairs))


@dataclass(frozen=True, kw_only=True)
class LastWord(Task):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [
            Sample(id=str(row["id"]), fields={"context": row["query"]}, target=row["answers_text"][0])
            for row in rows
        ]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        return [{"context": sample.fields["context"], "continuation": f" {sample.target}"}]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        reply = replies[0]
        if reply is None:
            return failed()
        metrics = {"acc": float(bool(reply["greedy"])), "logprob": float(reply["logprob"])}
        return scored(metrics, sample.target if reply["greedy"] else "another word")


TASKS = (
    LastWord(
        name="lambada",
        dimension="language modelling",
        metric="acc",
        description="prediction of the last word of a passage",
        licence="MIT",
        request_types=(RequestType.LOGLIKELIHOOD,),
        sources={"test": [known("lambada/lambada_openai_test.jsonl", "id", "query", "answers_text")]},
        corpus={"perplexity": perplexity},
    ),
)
