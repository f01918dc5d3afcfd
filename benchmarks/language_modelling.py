"""Perplexities, and the task that computes log-likelihoods of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log

from benchmarks.task import (
    Corpus,
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
)

Pairs = Sequence[tuple[Sample, Metrics]]


def perplexity(unit: str) -> Corpus:
    """``exp(-Σ log p / Σ units)`` over all texts; `unit` names how many of them a text has."""

    def of(pairs: Pairs) -> float:
        return exp(-_sum(pairs, "logprob") / _sum(pairs, unit))

    return of


def bits_per_byte(pairs: Pairs) -> float:
    """``-Σ log2 p / Σ bytes``."""
    return -_sum(pairs, "logprob") / _sum(pairs, "bytes") / log(2)


def _sum(pairs: Pairs, name: str) -> float:
    return sum(metrics[name] for _, metrics in pairs)


PERPLEXITIES: dict[str, Corpus] = {
    "word_perplexity": perplexity("words"),
    "byte_perplexity": perplexity("bytes"),
    "token_perplexity": perplexity("tokens"),
    "bits_per_byte": bits_per_byte,
}


@dataclass(frozen=True, kw_only=True)
class LanguageModelling(Task):
    """A perplexity task. `texts` makes the samples: the log-likelihood is of `fields["text"]`, in windows of the
    endpoint's context or of `window` tokens, and is divided by `fields["words"]` and `fields["bytes"]`."""

    texts: Callable[[Sequence[Row]], list[Sample]]
    window: int | None = None
    request_types: Sequence[RequestType] = (RequestType.LOGLIKELIHOOD,)
    dimension: str = "language modelling"
    metric: str = "word_perplexity"
    higher_is_better: bool = False
    bounds: tuple[float, float] | None = None

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return self.texts(rows)

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        text = {"text": sample.fields["text"]}
        return [text if self.window is None else {**text, "window": self.window}]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        reply = replies[0]
        if reply is None:
            return failed()
        counts = {name: float(sample.fields[name]) for name in ("words", "bytes")}
        logprob, tokens = float(reply["logprob"]), float(reply["tokens"])
        return scored({"logprob": logprob, "tokens": tokens, **counts}, f"{exp(-logprob / tokens):.2f} a token")
