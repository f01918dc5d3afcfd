"""How sure a judge is of one battle: from its logits, its two orders, its samples, and what these mean.

These numbers choose what to explain: a verdict without a margin, or one that the order decides, has no reasons in
the answers to look for.
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
    """Of a contrast f = logit(A) - logit(B): `margin` |f|, `probability` of A against B, `entropy` in bits."""

    margin: float
    probability: float
    entropy: float


def margin(contrast: float) -> Margin:
    """p = 1 / (1 + exp(-f)); the entropy of (p, 1 - p) is 1 bit where f = 0."""
    p = 1 / (1 + math.exp(-contrast)) if contrast >= 0 else math.exp(contrast) / (1 + math.exp(contrast))
    return Margin(abs(contrast), p, entropy([p, 1 - p]))


def entropy(probabilities: ArrayLike) -> float:
    """In bits, of a distribution that is normalised first. Raises BadOption for a negative or empty one."""
    p: Floats = np.asarray(probabilities, dtype=float).ravel()
    if p.size == 0 or (p < 0).any() or not p.sum() > 0:
        raise BadOption(f"{p.tolist()[:8]} is no distribution: expected numbers of zero or more, not all zero")
    p = p[p > 0] / p.sum()
    return float(-(p * np.log2(p)).sum()) + 0.0


@dataclass(frozen=True)
class ContentAndBias:
    """A contrast taken over both orders. `consistent`: both name the same answer."""

    content: float
    bias: float
    consistent: bool


def content_and_bias(shown_first: float, shown_second: float) -> ContentAndBias:
    """From f with answer A shown first, and f with it shown second, each as logit(first) - logit(second).

    content = (f1 - f2) / 2 is what the answers say, bias = (f1 + f2) / 2 what the place says.
    """
    return ContentAndBias(
        (shown_first - shown_second) / 2, (shown_first + shown_second) / 2, shown_first * shown_second < 0
    )


def word_overlap(one: str, other: str) -> float:
    """Shared words over all words (Jaccard), case aside; 1 for two texts without words."""
    first, second = ({word.casefold() for word in WORD.findall(text)} for text in (one, other))
    return len(first & second) / len(first | second) if first | second else 1.0


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
    """Do samples of one prompt mean the same?

    Two samples are of one meaning when their similarity, the smaller of both directions, is `same` or more; a
    sample joins the first group whose first member it means the same as. `similarity` may be an embedding's
    cosine or an entailment model's probability: words alone, the default, miss paraphrases.
    Source: Kuhn, Gal & Farquhar, arXiv 2302.09664. Raises BadOption for fewer than two samples.
    """
    if len(samples) < 2:
        raise BadOption(f"{len(samples)} samples; two or more can agree")

    def alike(one: str, other: str) -> float:
        return min(similarity(one, other), similarity(other, one))

    heads: list[str] = []
    groups = []
    for sample in samples:
        found = next((number for number, head in enumerate(heads) if alike(head, sample) >= same), len(heads))
        if found == len(heads):
            heads.append(sample)
        groups.append(found)
    likeness = [alike(a, b) for number, a in enumerate(samples) for b in samples[number + 1 :]]
    return Meanings(float(np.mean(likeness)), entropy(list(Counter(groups).values())), tuple(groups))
