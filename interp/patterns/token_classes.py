"""The classes of words that attributions fall on, over many battles: numbers, list markers, names, hedges.

    over-weight of a class = (its share of all |scores|) / (its share of all words)

1 is what a class would have if words of all classes weighed the same. Intervals resample battles, since the words
of one battle are no independent sample.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from interp.errors import BadOption
from interp.masks import Floats

RESAMPLES = 1000
FUNCTION = re.compile(
    r"an?|the|and|or|but|if|of|to|in|on|at|by|for|with|from|as|is|are|was|were|been?|its?|th(?:is|at|ese|ose)|"
    r"s?he|they|we|you|i|not?|do|does|did|has|have|had|will|would|can|should|which|who|what"
)
HEDGE = re.compile(r"perhaps|maybe|may|might|could|possibly|probably|likely|seems?|appears?|think|believe")
CLASSES = ("list marker", "number", "hedge", "function word", "name", "code or symbol", "content word")


def class_of(word: str, begins: bool = False) -> str:
    """The class of a word; `begins` says that it starts a sentence, where a capital letter names nothing."""
    bare = word.strip()
    if re.fullmatch(r"[-*+•#]+|\d+[.)]", bare):
        return "list marker"
    core = bare.strip("\"'()[]{}.,;:!?…*_`").casefold()
    if re.search(r"\d", core):
        return "number"
    if not re.search(r"\w", core) or re.search(r"[`=<>{}\\/|_]", bare):
        return "code or symbol"
    if HEDGE.fullmatch(core):
        return "hedge"
    if FUNCTION.fullmatch(core):
        return "function word"
    return "name" if bare[:1].isupper() and not begins else "content word"


@dataclass(frozen=True)
class ClassWeight:
    """`share` of the words, `weight` of the scores, `over_weight` their ratio with a 95 % interval."""

    name: str
    share: float
    weight: float
    over_weight: float
    lower: float
    upper: float


def class_weights(battles: Sequence[tuple[Sequence[str], Sequence[float]]], *, seed: int = 0) -> list[ClassWeight]:
    """The table from (words, scores) of each battle, the largest over-weight first.

    A battle counts as a whole: its |scores| are taken as shares of their sum. Raises BadOption for fewer than two
    battles, or lengths that differ.
    """
    if len(battles) < 2:
        raise BadOption(f"{len(battles)} battles. An interval needs at least two.")
    counts, weights = (np.array(part) for part in zip(*(_shares(*battle) for battle in battles), strict=True))
    present = np.flatnonzero(counts.any(axis=0))
    counts, weights = counts[:, present], weights[:, present]
    random = np.random.default_rng(seed)
    drawn = random.integers(len(battles), size=(RESAMPLES, len(battles)))
    ratio = _ratio(counts.mean(axis=0), weights.mean(axis=0))
    sampled = _ratio(counts[drawn].mean(axis=1), weights[drawn].mean(axis=1))
    lower, upper = np.nanquantile(np.where(np.isfinite(sampled), sampled, np.nan), [0.025, 0.975], axis=0)
    means = zip(counts.mean(axis=0), weights.mean(axis=0), ratio, lower, upper, strict=True)
    rows = [
        ClassWeight(CLASSES[place], *(float(figure) for figure in figures))
        for place, figures in zip(present, means, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.over_weight)


def _shares(words: Sequence[str], scores: Sequence[float]) -> tuple[Floats, Floats]:
    """The shares of a battle's words and of its |scores| by class."""
    if len(words) != len(scores) or not words:
        raise BadOption(f"{len(words)} words with {len(scores)} scores. Expected one score for each word.")
    ends = [True, *(word.rstrip().endswith((".", "!", "?", ":")) or word.endswith("\n") for word in words[:-1])]
    place = [CLASSES.index(class_of(word, begins)) for word, begins in zip(words, ends, strict=True)]
    size = np.abs(np.asarray(scores, dtype=float))
    total = size.sum() or 1.0
    counted = np.bincount(place, minlength=len(CLASSES)) / len(words)
    return counted, np.bincount(place, weights=size, minlength=len(CLASSES)) / total


def _ratio(counts: Floats, weights: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(weights / counts)
