"""LAMBADA (Paperno et al. 2016, arXiv:1606.06031), OpenAI's version: the last word of a passage.

`acc` counts words that greedy decoding would have written; `perplexity` is over words, ``exp(-mean log p)``. An endpoint
without log-probabilities of prompts gets a chat request for the word (`generate`), which has no perplexity.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from benchmarks.known_files import known
from benchmarks.replies import chat, words
from benchmarks.task import (
    Metrics,
    Outcome,
    Reply,
    Request,
    RequestType,
    Row,
    Sample,
    Task,
    failed,
    scored,
    unparsed,
)  # fmt: skip

INSTRUCTION = "Below is a passage without its last word. Reply with that word alone."
MAX_TOKENS = 16
WORD = re.compile(r"\w+(?:['’-]\w+)*")


def perplexity(pairs: Sequence[tuple[Sample, Metrics]]) -> float:
    """NaN where a reply has no log-probability."""
    logprobs = [metrics["logprob"] for _, metrics in pairs if "logprob" in metrics]
    return exp(-sum(logprobs) / len(logprobs)) if logprobs else float("nan")


def written(sample: Sample, reply: Reply) -> Outcome:
    """Whether the first word of a chat reply is the last word of the passage, in any case."""
    text = words(reply, truncated=True)
    if isinstance(text, Outcome):
        return text
    found = WORD.search(text)
    if found is None:
        return unparsed("no word", text)
    return scored({"acc": float(found.group().casefold() == str(sample.target).casefold())}, found.group())


@dataclass(frozen=True, kw_only=True)
class LastWord(Task):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [
            Sample(id=str(row["id"]), fields={"context": row["query"]}, target=row["answers_text"][0])
            for row in rows
        ]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        if request_type is RequestType.GENERATE:
            return [chat(f"{INSTRUCTION}\n\n{sample.fields['context']}", MAX_TOKENS)]
        return [{"context": sample.fields["context"], "continuation": f" {sample.target}"}]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        reply = replies[0]
        if reply is None:
            return failed()
        if request_type is RequestType.GENERATE:
            return written(sample, reply)
        metrics = {"acc": float(bool(reply["greedy"])), "logprob": float(reply["logprob"])}
        return scored(metrics, sample.target if reply["greedy"] else "another word")


TASKS = (
    LastWord(
        name="lambada",
        dimension="language modelling",
        metric="acc",
        description="prediction of the last word of a passage",
        licence="MIT",
        request_types=(RequestType.LOGLIKELIHOOD, RequestType.GENERATE),
        sources={"test": [known("lambada/lambada_openai_test.jsonl", "id", "query", "answers_text")]},
        corpus={"perplexity": perplexity},
    ),
)
