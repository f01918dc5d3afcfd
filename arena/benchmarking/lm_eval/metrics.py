"""Metrics of a task file, by its output type."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, sqrt
from typing import Any

import numpy as np

from benchmarks.classification import f1
from benchmarks.task import Corpus, Metrics, Sample

DEFAULT_METRICS: Mapping[str, Sequence[str]] = {
    "multiple_choice": ("acc", "acc_norm"),
    "generate_until": ("exact_match",),
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
}
KNOWN: Mapping[str, Mapping[str, str]] = {  # by output type: the metrics, and how samples become one number
    "multiple_choice": {
        "acc": "mean", "acc_norm": "mean", "acc_bytes": "mean", "acc_mutual_info": "mean", "exact_match": "mean",
        "brier_score": "brier_score", "f1": "f1", "mcc": "matthews_corrcoef",
    },
    "generate_until": {"exact_match": "mean"},
    "loglikelihood": {"perplexity": "perplexity", "acc": "mean"},
    "loglikelihood_rolling": {
        "word_perplexity": "weighted_perplexity", "byte_perplexity": "weighted_perplexity",
        "bits_per_byte": "bits_per_byte",
    },
}  # fmt: skip
LOWER_IS_BETTER = ("perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "brier_score")
OPTIONS = ("regexes_to_ignore", "ignore_case", "ignore_punctuation", "ignore_numbers")  # of exact_match of texts
GOLD, CHOSEN = "_gold", "_chosen"  # indices of choices, for metrics of all samples together


@dataclass(frozen=True)
class Metric:
    """A metric and its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def higher_is_better(self) -> bool:
        return self.name not in LOWER_IS_BETTER


def read_metric(kind: str, entry: Mapping[str, Any]) -> Metric:
    """An entry of `metric_list`. Raises `ValueError` for what would not be computed as it says."""
    name = str(entry.get("metric"))
    if name not in KNOWN[kind]:
        raise ValueError(f"{name} of {kind} is not supported. Use: {', '.join(KNOWN[kind])}")
    metric = Metric(name, {key: entry[key] for key in entry if key in OPTIONS})
    rest = set(entry) - {"metric", "aggregation", "higher_is_better", "hf_evaluate", *OPTIONS}
    if rest or (metric.options and kind != "generate_until"):
        unknown = sorted(rest or metric.options)[0]
        raise ValueError(f"{name} has no option {unknown!r}. Remove it")
    if (way := entry.get("aggregation", KNOWN[kind][name])) != KNOWN[kind][name]:
        raise ValueError(f"{name} by {way} is not supported. Use aggregation: {KNOWN[kind][name]}")
    if entry.get("higher_is_better", metric.higher_is_better) is not metric.higher_is_better:
        raise ValueError(f"{name}: higher_is_better must be {str(metric.higher_is_better).lower()}. Remove it")
    return metric


def exact_match(text: Any, accepted: Sequence[str], options: Mapping[str, Any]) -> float:
    """1 if `text` is one of the accepted texts once the options have removed what they ignore.

    Of several texts, such as those of `repeats`, the share that is.
    """
    texts = text if isinstance(text, list) else [text]
    golds = {_plain(gold, options) for gold in accepted}
    return sum(_plain(str(each), options) in golds for each in texts) / len(texts)


def _plain(text: str, options: Mapping[str, Any]) -> str:
    for ignored in options.get("regexes_to_ignore") or ():
        text = re.sub(ignored, "", text)
    if options.get("ignore_case"):
        text = text.lower()
    for option, characters in (("ignore_punctuation", string.punctuation), ("ignore_numbers", string.digits)):
        if options.get(option):
            text = text.translate(str.maketrans("", "", characters))
    return text


def choice_values(
    choices: Sequence[str],
    golds: Sequence[int],
    logprobs: Sequence[float],
    greedy: Sequence[bool],
    alone: Sequence[float],
) -> dict[str, float]:
    """Every metric of the choices' log-probabilities; `alone` are those without the context, if there are any.

    `acc_norm` divides by characters, `acc_bytes` by UTF-8 bytes. A tie goes to the first choice.
    """
    sums = np.asarray(logprobs, dtype=float)
    lengths = np.array([max(1, len(choice)) for choice in choices], dtype=float)
    sizes = np.array([max(1, len(choice.encode())) for choice in choices], dtype=float)
    odds = np.exp(sums - sums.max())
    shares = odds / odds.sum()
    values = {
        "acc": float(int(sums.argmax()) in golds),
        "acc_norm": float(int((sums / lengths).argmax()) in golds),
        "acc_bytes": float(int((sums / sizes).argmax()) in golds),
        "exact_match": float(any(greedy[gold] for gold in golds)),
        "brier_score": float(((shares - np.eye(len(choices))[golds[0]]) ** 2).sum()),
    }
    if alone:
        values["acc_mutual_info"] = float(int((sums - np.asarray(alone)).argmax()) in golds)
    return values | {GOLD: float(golds[0]), CHOSEN: float(sums.argmax())}


Pairs = Sequence[tuple[Sample, Metrics]]


def _labels(pairs: Pairs) -> tuple[list[int], list[int]]:
    return [int(values[CHOSEN]) for _, values in pairs], [int(values[GOLD]) for _, values in pairs]


def _f1(pairs: Pairs) -> float:
    """F1 of the choice with index 1."""
    return f1(*_labels(pairs)).by_label.get(1, 0.0)


def _mcc(pairs: Pairs) -> float:
    """Matthews' correlation of several classes (Gorodkin 2004), 0 where it is not defined."""
    chosen, gold = _labels(pairs)
    count, right = len(gold), sum(map(int.__eq__, chosen, gold))
    classes = set(chosen) | set(gold)
    both = sum(chosen.count(label) * gold.count(label) for label in classes)
    spread = [count**2 - sum(side.count(label) ** 2 for label in classes) for side in (chosen, gold)]
    return (right * count - both) / sqrt(spread[0] * spread[1]) if spread[0] and spread[1] else 0.0


def _perplexity(pairs: Pairs) -> float:
    return exp(-sum(values["logprob"] for _, values in pairs) / len(pairs))


TOGETHER: Mapping[str, Callable[[Pairs], float]] = {"f1": _f1, "mcc": _mcc, "perplexity": _perplexity}


def corpus(metrics: Sequence[Metric], others: Mapping[str, Corpus]) -> dict[str, Corpus]:
    """The metrics of all samples together."""
    every = {**TOGETHER, **others}
    return {metric.name: every[metric.name] for metric in metrics if metric.name in every}
