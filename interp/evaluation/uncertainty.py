"""The uncertainty of a verdict: from its logits, its two orders, its samples and their meanings.

These numbers show what can be explained: a verdict without a margin, or one that the order decides, has no reasons in
the answers.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from interp.errors import BadOption
from interp.masks import Floats

Similarity = Callable[[str, str], float]
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Margin:
    """Measures of a contrast f = logit(A) - logit(B): |f|, the probability of A against B, its entropy in bits."""

    margin: float
    probability: float
    entropy: float


def margin(contrast: float) -> Margin:
    """The margin of a contrast f: p = 1 / (1 + exp(-f)), and the entropy of (p, 1 - p), which is 1 bit at f = 0."""
    p = 1 / (1 + math.exp(-contrast)) if contrast >= 0 else math.exp(contrast) / (1 + math.exp(contrast))
    return Margin(abs(contrast), p, entropy([p, 1 - p]))


def entropy(probabilities: ArrayLike) -> float:
    """The entropy in bits of a distribution, which is normalized first. Raises BadOption for a negative or empty one."""
    p: Floats = np.asarray(probabilities, dtype=float).ravel()
    if p.size == 0 or (p < 0).any() or not p.sum() > 0:
        raise BadOption(f"{p.tolist()[:8]} is not a distribution. Expected numbers of zero or more, not all zero.")
    p = p[p > 0] / p.sum()
    return float(-(p * np.log2(p)).sum()) + 0.0


@dataclass(frozen=True)
class ContentAndBias:
    """A contrast over both orders. `consistent`: both orders prefer the same answer."""

    content: float
    bias: float
    consistent: bool


def content_and_bias(shown_first: float, shown_second: float) -> ContentAndBias:
    """Content (f1 - f2) / 2 and position bias (f1 + f2) / 2 of the contrasts of both orders.

    f1 has answer A shown first, f2 second; each is logit(first) - logit(second).
    """
    return ContentAndBias(
        (shown_first - shown_second) / 2, (shown_first + shown_second) / 2, shown_first * shown_second < 0
    )


def word_overlap(first: str, second: str) -> float:
    """Shared words over all words (Jaccard), case aside; 1 for two texts without words."""
    a, b = ({word.casefold() for word in WORD.findall(text)} for text in (first, second))
    return len(a & b) / len(a | b) if a | b else 1.0


@dataclass(frozen=True)
class Meanings:
    """Samples grouped by meaning. `consistency` is the mean similarity of two samples, `entropy` in bits is
    that of the groups (semantic entropy), `groups` the group of each sample, from 0 in order of appearance."""

    consistency: float
    entropy: float
    groups: tuple[int, ...]


def semantic_consistency(
    samples: Sequence[str], similarity: Similarity = word_overlap, *, same: float = 0.5
) -> Meanings:
    """The similarity of samples of one prompt, and the entropy of their meanings.

    Two samples are of one meaning when their similarity, the smaller of both directions, is `same` or more; a
    sample joins the first group whose first member it means the same as. `similarity` may be an embedding's
    cosine or an entailment model's probability: words alone, the default, miss paraphrases.
    Source: Kuhn, Gal & Farquhar, arXiv 2302.09664. Raises BadOption for fewer than two samples.
    """
    if len(samples) < 2:
        raise BadOption(f"{len(samples)} samples. Give at least two.")

    def alike(first: str, second: str) -> float:
        return min(similarity(first, second), similarity(second, first))

    heads: list[str] = []
    groups = []
    for sample in samples:
        group = next((number for number, head in enumerate(heads) if alike(head, sample) >= same), len(heads))
        if group == len(heads):
            heads.append(sample)
        groups.append(group)
    likeness = [alike(a, b) for number, a in enumerate(samples) for b in samples[number + 1 :]]
    return Meanings(float(np.mean(likeness)), entropy(list(Counter(groups).values())), tuple(groups))
