"""Metrics of one completion or one set of log-probabilities."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from math import exp

import numpy as np

ARTICLES = re.compile(r"\b(a|an|the)\b")
IGNORED_IN_NUMBERS = (re.compile(","), re.compile(r"\$"), re.compile(r"(?s).*#### "), re.compile(r"\.$"))


def number(text: str) -> str:
    """A number as GSM8K compares it: no commas, no dollar signs, nothing before `#### `, no last full stop."""
    for ignored in IGNORED_IN_NUMBERS:
        text = ignored.sub("", text)
    return text.strip().lower()


def plain(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces (SQuAD; Rajpurkar et al. 2016, arXiv:1606.05250)."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(ARTICLES.sub(" ", bare).split())


def exact_match(text: str, accepted: Sequence[str]) -> float:
    """1 when `text` is one of the accepted answers, both `plain`."""
    words = plain(text)
    return float(any(words == plain(answer) for answer in accepted))


def word_f1(text: str, accepted: Sequence[str]) -> float:
    """The best F1 of shared words, over the accepted answers, all `plain`."""
    return max((_f1(plain(text).split(), plain(answer).split()) for answer in accepted), default=0.0)


def choice_metrics(logprobs: Sequence[float], choices: Sequence[str], target: int) -> dict[str, float]:
    """What log-probabilities of the choices, each the sum over its tokens, are worth.

    `acc`: the likeliest is right; `acc_norm`: after dividing by its characters, `acc_bytes`: by its UTF-8 bytes.
    A tie goes to the first choice, as in numpy. `confidence` is the probability of the likeliest among the
    choices, `brier` the squared error of all (Brier 1950).
    """
    sums = np.asarray(logprobs, dtype=float)
    characters = np.array([max(1, len(choice)) for choice in choices])
    size = np.array([max(1, len(choice.encode("utf-8", "surrogatepass"))) for choice in choices])
    odds = np.exp(sums - sums.max())
    shares = odds / odds.sum()
    return {
        "acc": float(int(sums.argmax()) == target),
        "acc_norm": float(int((sums / characters).argmax()) == target),
        "acc_bytes": float(int((sums / size).argmax()) == target),
        "confidence": float(shares.max()),
        "brier": float(((shares - np.eye(len(choices))[target]) ** 2).sum()),
    }


def true_share(logprobs: Sequence[float], true: Sequence[bool]) -> float:
    """TruthfulQA's MC2: the probability of the true answers among all (Lin et al. 2021, arXiv:2109.07958)."""
    top = max(logprobs)
    odds = [exp(value - top) for value in logprobs]
    return sum(odd for odd, right in zip(odds, true, strict=True) if right) / sum(odds)


def normalised(value: float, low: float, high: float) -> float:
    """BIG-bench's score on a scale where chance (`low`) is 0 and the best (`high`) is 100."""
    return 100.0 * (value - low) / (high - low)


def majority(answers: Sequence[str]) -> str | None:
    """The most frequent answer, in a tie the first one; None without answers."""
    counted = Counter(answers)
    return max(counted, key=counted.__getitem__) if counted else None


def _f1(words: Sequence[str], target: Sequence[str]) -> float:
    if not words or not target:
        return float(words == target)
    shared = sum((Counter(words) & Counter(target)).values())
    return 2 * shared / (len(words) + len(target))
