"""The smallest edit found that turns the verdict round: what would have had to be left unsaid, or said otherwise.

Units are deleted in the order in which an attribution says they support the verdict until the sign changes
(greedy), then each one that the change does not need is put back (pruned). What is left is minimal:
putting back any single unit restores the verdict. A smaller set elsewhere is not ruled out; that search is
exponential.
Sources: Martens & Provost, MIS Quarterly 38 (2014); Mothilal et al., arXiv 1905.07697.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats, Value, check_units

AT_ONCE = 8  # deletions asked in one batch
WORDS = 4  # words that are replaced at most, one after the other
OTHERS = 5  # words of the text that are tried in place of each, besides `NEGATION`
NEGATION = "not"

Edited = Callable[[Sequence[Mapping[int, str]]], Floats]  # f of texts with some units replaced by other words


@dataclass(frozen=True)
class Counterfactual:
    """`removed` units turn f from `before` to `after`; where nothing flipped, they came nearest to it."""

    removed: tuple[int, ...]
    before: float
    after: float
    flipped: bool
    calls: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def smallest_deletion(value: Value, scores: Floats, *, most: int | None = None) -> Counterfactual:
    """Delete by support for the verdict until f changes sign, then put back what was not needed.

    `scores` (units,) order the deletions; `most` bounds how many (default: half of the units, beyond which
    little text is left to speak of an edit). Only units with support are deleted, so a wrong attribution finds
    no counterfactual instead of a large one. A value of exactly zero is no verdict: there is nothing to flip.
    """
    scores = np.asarray(scores, dtype=float)
    units = len(scores)
    check_units(units)
    limit = max(1, units // 2) if most is None else most
    if limit < 1:
        raise BadOption(f"most {limit}; expected one or more")
    asked = _Asked(value, units)
    before = asked.without([[]])[0]
    if before == 0:
        return Counterfactual((), before, before, False, asked.calls)
    support = np.sign(before) * scores
    order = [int(unit) for unit in np.argsort(-support, kind="stable") if support[unit] > 0][:limit]
    removed, after = _greedy(asked, order, before)
    flipped = after * before < 0
    if flipped:
        removed, after = _pruned(asked, removed, after, before)
    return Counterfactual(tuple(sorted(removed)), before, after, flipped, asked.calls)


@dataclass(frozen=True)
class Replacement:
    """`replaced` (unit, word before, word instead) turn f from `before` to `after`; where nothing flipped, they
    came nearest to it."""

    replaced: tuple[tuple[int, str, str], ...]
    before: float
    after: float
    flipped: bool
    calls: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def smallest_replacement(
    edited: Edited, words: Sequence[str], scores: Floats, *, most: int = WORDS, others: int = OTHERS
) -> Replacement:
    """Replace words one after the other, strongest support first, each by the word that moves f most.

    Tried in place of a word are the `others` words of the same text that speak most for the other side, and
    "not". When the sign changes, replacements that the change does not need are taken back. As with deletions,
    what is found is small and not proved smallest. Calls: at most 1 + most * (others + 1) + most².
    """
    scores = np.asarray(scores, dtype=float)
    check_units(len(scores))
    if most < 1 or others < 0:
        raise BadOption(f"most {most}, others {others}; expected one or more, and zero or more")
    asked = _Edits(edited)
    before = asked.values([{}])[0]
    chosen, after = dict[int, str](), before
    support = np.sign(before) * scores
    against = [words[int(unit)] for unit in np.argsort(support, kind="stable") if support[unit] < 0]
    tried = [*[word for word in dict.fromkeys(against) if any(map(str.isalnum, word))][:others], NEGATION]
    for unit in [int(unit) for unit in np.argsort(-support, kind="stable") if support[unit] > 0][:most]:
        edits = [{**chosen, unit: word} for word in tried if word != words[unit]]
        if not edits:
            continue
        best, value = asked.best(edits, before)
        if np.sign(before) * value < np.sign(before) * after:
            chosen, after = best, value
        if after * before < 0:
            break
    flipped = after * before < 0
    while flipped and len(chosen) > 1:
        edits = [{unit: word for unit, word in chosen.items() if unit != left} for left in chosen]
        best, value = asked.best(edits, before)
        if value * before >= 0:
            break
        chosen, after = best, value
    told = tuple((unit, words[unit], word) for unit, word in sorted(chosen.items()))
    return Replacement(told, before, after, flipped, asked.calls)


class _Edits:
    """f of edited texts, counting calls."""

    def __init__(self, edited: Edited) -> None:
        self._edited, self.calls = edited, 0

    def values(self, edits: Sequence[Mapping[int, str]]) -> list[float]:
        self.calls += len(edits)
        return [float(one) for one in self._edited(edits)]

    def best(self, edits: Sequence[dict[int, str]], before: float) -> tuple[dict[int, str], float]:
        """The edit that moves f furthest away from the sign of `before`, and f there."""
        values = self.values(edits)
        place = int(np.argmin(np.sign(before) * np.asarray(values)))
        return edits[place], values[place]


class _Asked:
    """The value without some units, counting calls."""

    def __init__(self, value: Value, units: int) -> None:
        self._value, self._units, self.calls = value, units, 0

    def without(self, sets: list[list[int]]) -> list[float]:
        masks: NDArray[np.bool_] = np.ones((len(sets), self._units), dtype=bool)
        for row, removed in enumerate(sets):
            masks[row, removed] = False
        self.calls += len(sets)
        return [float(one) for one in self._value(masks)]


def _greedy(asked: _Asked, order: list[int], before: float) -> tuple[list[int], float]:
    """The first prefix of the order that flips the sign, or the prefix that comes nearest."""
    nearest: tuple[list[int], float] = ([], before)
    for start in range(0, len(order), AT_ONCE):
        prefixes = [order[: size + 1] for size in range(start, min(start + AT_ONCE, len(order)))]
        for prefix, after in zip(prefixes, asked.without(prefixes), strict=True):
            if after * before < 0:
                return prefix, after
            if abs(after) < abs(nearest[1]):
                nearest = (prefix, after)
    return nearest


def _pruned(asked: _Asked, removed: list[int], after: float, before: float) -> tuple[list[int], float]:
    """Put back units, least support first, while the sign stays flipped; until no single one can go back."""
    while len(removed) > 1:
        candidates = [[other for other in removed if other != unit] for unit in reversed(removed)]
        values = asked.without(candidates)
        still = [(kept, value) for kept, value in zip(candidates, values, strict=True) if value * before < 0]
        if not still:
            break
        # the one that stays furthest on the other side leaves most room to put back more
        removed, after = max(still, key=lambda found: abs(found[1]))
    return removed, after
