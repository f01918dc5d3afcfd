"""Contamination tests: four signs that a model was trained on a test set, none of them proof alone.

* **Exchangeability**: a test set has an order that means nothing. A model that finds the published order likelier
  than others has read the file (Oren et al. 2023, arXiv:2310.17623). Says nothing of a set that was shuffled
  before training, and cannot accuse falsely: under exchangeability the p-value is one.
* **Min-K % and Min-K %++**: a text that was trained on has few very unlikely tokens (Shi et al. 2023,
  arXiv:2310.16789; Zhang et al. 2024, arXiv:2404.02936). Only means something against a control.
* **Overlap** of word n-grams with a corpus that the user has.
* **Canary**: can the model go on with a string that is in no text but the test set's files?
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from benchmarks.errors import BadOption

WORDS = 13  # of an n-gram, as in GPT-3's appendix C (Brown et al. 2020, arXiv:2005.14165)
SHARE = 0.2  # of the tokens, the K of Min-K %


@dataclass(frozen=True)
class Test:
    """A one-sided test: a large statistic and a small p-value mean that the text was seen in training."""

    __test__ = False  # not one of pytest's

    method: str
    statistic: float
    p_value: float
    difference: float  # natural logarithms, a shard or a text
    n: int


def orders(samples: int, shards: int, permutations: int, seed: int = 0) -> list[list[NDArray[np.int64]]]:
    """The orders to compute log-probabilities of: for each of `shards` parts, its own order and `permutations` others.

    The log-probability of each shard's samples joined in each order goes to `exchangeability`; that is
    ``shards · (permutations + 1)`` passes over a shard's text.
    """
    if shards < 2 or permutations < 1 or samples < 2 * shards:
        raise BadOption(
            f"{samples} samples in {shards} shards with {permutations} permutations are too few. Give at least "
            "2 shards of 2 samples and 1 permutation."
        )
    rng = np.random.default_rng(seed)
    plan = []
    for shard in np.array_split(np.arange(samples), shards):
        plan.append([shard, *(rng.permutation(shard) for _ in range(permutations))])
    return plan


def exchangeability(canonical: ArrayLike, permuted: ArrayLike) -> Test:
    """The sharded test of Oren et al. on log-probabilities.

    `canonical` has shape (shards,) and `permuted` (shards, permutations). For each shard
    ``d = log p(canonical) - mean_k log p(permutation k)``; a one-sided t-test asks whether the mean of `d` is
    above 0.
    """
    own, others = np.asarray(canonical, dtype=float), np.asarray(permuted, dtype=float)
    if own.ndim != 1 or others.ndim != 2 or len(own) != len(others) or len(own) < 2:
        raise BadOption(
            f"shapes {own.shape} and {others.shape} do not match. Give (shards,) and (shards, permutations)."
        )
    return _above_zero(own - others.mean(axis=1), "sharded exchangeability")


def min_k(logprobs: ArrayLike, share: float = SHARE) -> float:
    """The mean of the lowest `share` of a text's token log-probabilities, at least one token."""
    values = np.sort(np.asarray(logprobs, dtype=float))
    if values.size == 0:
        raise BadOption("The text has no log-probabilities. Give a text of at least one token.")
    if not 0 < share <= 1:
        raise BadOption(f"share is {share}. Give a number above 0 and up to 1.")
    return float(values[: max(1, int(values.size * share))].mean())


def min_k_plus(logprobs: ArrayLike, means: ArrayLike, deviations: ArrayLike, share: float = SHARE) -> float:
    """Min-K %++: `min_k` of ``(log p(token) - μ) / σ`` with μ, σ of log p over the vocabulary at that place.

    ``μ = E_{z~p}[log p(z)]`` and σ its standard deviation, both under the model's own distribution; they need all
    logits, hence a local model. See `moments`.
    """
    x, mu, sigma = (np.asarray(values, dtype=float) for values in (logprobs, means, deviations))
    if not x.shape == mu.shape == sigma.shape:
        raise BadOption(
            f"shapes {x.shape}, {mu.shape}, {sigma.shape} differ. Give one mean and one deviation per token."
        )
    if (sigma <= 0).any():
        raise BadOption(
            f"deviation {sigma.min()} at token {int(sigma.argmin())} is not positive. Give deviations above 0."
        )
    return min_k((x - mu) / sigma, share)


def moments(logprobs: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """μ and σ of log p under p for `min_k_plus`, from log-probabilities of shape (tokens, vocabulary)."""
    x = np.asarray(logprobs, dtype=float)
    p = np.exp(x)
    finite = np.where(p > 0, x, 0.0)
    mean = (p * finite).sum(axis=-1)
    return mean, np.sqrt((p * (finite - mean[..., None]) ** 2).sum(axis=-1))


def against_control(scores: ArrayLike, control: ArrayLike) -> Test:
    """The paired one-sided t-test of `scores` (for example of `min_k`) against those of the texts' paraphrases.

    Without a control, a score depends more on the text than on the model.
    """
    x, y = np.asarray(scores, dtype=float), np.asarray(control, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or x.size < 2:
        raise BadOption(
            f"shapes {x.shape} and {y.shape} do not match. Give at least two pairs of text and paraphrase."
        )
    return _above_zero(x - y, "paired against paraphrases")


def ngrams(text: str, words: int = WORDS) -> set[tuple[str, ...]]:
    """All n-grams of `words` words in lower case without punctuation; a shorter text is one n-gram."""
    tokens = re.findall(r"\w+", text.lower())
    if len(tokens) < words:
        return {tuple(tokens)} if tokens else set()
    return {tuple(tokens[start : start + words]) for start in range(len(tokens) - words + 1)}


def overlap(samples: Sequence[str], corpus: Iterable[str], words: int = WORDS) -> NDArray[np.float64]:
    """The share of each sample's n-grams that some text of `corpus` has, shape (samples,).

    The corpus is read once and may be larger than memory; a sample of fewer words than an n-gram is found as a
    whole. Samples without a word get 0.
    """
    own = [ngrams(sample, words) for sample in samples]
    wanted = set().union(*own) if own else set()
    lengths = {len(gram) for gram in wanted}
    seen: set[tuple[str, ...]] = set()
    for text in corpus:
        for length in lengths:
            seen |= ngrams(text, length) & wanted
    return np.array([len(grams & seen) / len(grams) if grams else 0.0 for grams in own])


def canary_request(canary: str, shown: float = 0.5, max_tokens: int = 64) -> dict[str, object]:
    """A request that shows the first part of a test set's canary string and asks for the rest."""
    prompt = f"Go on with this string exactly where it stops, with nothing else:\n\n{_first(canary, shown)}"
    return {"messages": [{"role": "user", "content": prompt}], "max_tokens": max_tokens, "temperature": 0}


def canary_known(completion: str, canary: str, shown: float = 0.5) -> bool:
    """Whether a completion of `canary_request` contains the rest of the canary string."""
    rest = canary[len(_first(canary, shown)) :]
    return _bare(rest) in _bare(completion)


def _first(canary: str, shown: float) -> str:
    cut = int(len(canary) * shown)
    if not 0 < cut <= len(canary) - 8:
        raise BadOption(
            f"{shown} of canary {canary!r} cannot be shown. Show some of it and hide at least 8 characters."
        )
    return canary[:cut]


def _bare(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())


def _above_zero(differences: NDArray[np.float64], method: str) -> Test:
    if np.ptp(differences) == 0:  # the t statistic is 0/0, or says "certain" of two shards alike
        return Test(method, 0.0, 1.0, float(differences.mean()), differences.size)
    test = stats.ttest_1samp(differences, 0.0, alternative="greater")
    return Test(method, float(test.statistic), float(test.pvalue), float(differences.mean()), differences.size)
