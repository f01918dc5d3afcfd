"""Counterfactuals: a small deletion or replacement of words that flips the verdict.

Units are deleted in the order of their support for the verdict until its sign changes (greedy), then every unit that
is not needed is put back (pruned). The result is minimal: putting back any single unit restores the verdict. It is not
proved to be the smallest, since that search is exponential.
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

AT_ONCE = 8  # deletions in one batch
WORDS = 4  # at most this many words are replaced, one after the other
OTHERS = 5  # words of the text that are tried in place of each, besides `NEGATION`
NEGATION = "not"
SINGLES = 40  # deletions of one unit that are tested at most: the share is known to .08

Edited = Callable[[Sequence[Mapping[int, str]]], Floats]  # f of texts with some units replaced by other words


@dataclass(frozen=True)
class OrderChange:
    """f of one order before and after an edit. The judge writes A where f is positive."""

    before: float
    after: float

    @property
    def letter_changes(self) -> bool:
        return self.before * self.after < 0


@dataclass(frozen=True)
class SingleDeletions:
    """How many of the `tested` deletions of one unit change the sign of f: the chance of a flip by any word."""

    tested: int
    flipped: int


@dataclass(frozen=True)
class Counterfactual:
    """`removed` units change f from `before` to `after`. Unless `flipped`, they came nearest to a flip.

    Of a battle in both orders f is the content; `orders` then are those of the verdict, whose letter may stay. `singles`
    are deletions of one unit, for comparison.
    """

    removed: tuple[int, ...]
    before: float
    after: float
    flipped: bool
    calls: int
    orders: tuple[OrderChange, OrderChange] | None = None
    singles: SingleDeletions | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def smallest_deletion(
    value: Value, scores: Floats, *, signed: bool = True, most: int | None = None
) -> Counterfactual:
    """A deletion of units that flips the sign of f, without units that are not needed for it.

    `scores` (units,) order the deletions; `most` bounds their number (default: half of the units, since beyond that
    little text is left). Only units with support are deleted, so a wrong attribution yields no counterfactual instead
    of a large one. Scores that are not `signed` name no side: the largest come first, whichever side is preferred.
    A value of exactly zero is no verdict: there is nothing to flip.
    """
    scores = np.asarray(scores, dtype=float)
    units = len(scores)
    check_units(units)
    limit = max(1, units // 2) if most is None else most
    if limit < 1:
        raise BadOption(f"most {limit}. Expected one or more.")
    counted = _CountedValue(value, units)
    before = counted.without([[]])[0]
    if before == 0:
        return Counterfactual((), before, before, False, counted.calls)
    support = _support(scores, before, signed)
    order = [int(unit) for unit in np.argsort(-support, kind="stable") if support[unit] > 0][:limit]
    removed, after = _greedy(counted, order, before)
    flipped = after * before < 0
    if flipped:
        removed, after = _pruned(counted, removed, after, before)
    return Counterfactual(tuple(sorted(removed)), before, after, flipped, counted.calls)


@dataclass(frozen=True)
class Replacement:
    """`replaced` (unit, old word, new word) change f from `before` to `after`. Unless `flipped`, they came nearest to
    a flip. `orders` as in `Counterfactual`."""

    replaced: tuple[tuple[int, str, str], ...]
    before: float
    after: float
    flipped: bool
    calls: int
    orders: tuple[OrderChange, OrderChange] | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def smallest_replacement(
    edited: Edited,
    words: Sequence[str],
    scores: Floats,
    *,
    signed: bool = True,
    most: int = WORDS,
    others: int = OTHERS,
) -> Replacement:
    """A replacement of words that flips the sign of f, without replacements that are not needed for it.

    Words are replaced one after the other, strongest support first, each by the candidate that moves f most: the
    `others` words of the same text with the strongest support for the other side (without a sign: with the smallest
    scores), and "not". As with deletions, the
    result is small but not proved to be the smallest. Calls: at most 1 + most * (others + 1) + most².
    """
    scores = np.asarray(scores, dtype=float)
    check_units(len(scores))
    if most < 1 or others < 0:
        raise BadOption(f"most {most}, others {others}. Expected one or more, and zero or more.")
    counted = _CountedEdits(edited)
    before = counted.values([{}])[0]
    chosen, after = dict[int, str](), before
    support = _support(scores, before, signed)
    against = [words[int(unit)] for unit in np.argsort(support, kind="stable") if support[unit] < 0 or not signed]
    tried = [*[word for word in dict.fromkeys(against) if any(map(str.isalnum, word))][:others], NEGATION]
    for unit in [int(unit) for unit in np.argsort(-support, kind="stable") if support[unit] > 0][:most]:
        edits = [{**chosen, unit: word} for word in tried if word != words[unit]]
        if not edits:
            continue
        best, value = counted.best(edits, before)
        if np.sign(before) * value < np.sign(before) * after:
            chosen, after = best, value
        if after * before < 0:
            break
    flipped = after * before < 0
    while flipped and len(chosen) > 1:
        edits = [{unit: word for unit, word in chosen.items() if unit != left} for left in chosen]
        best, value = counted.best(edits, before)
        if value * before >= 0:
            break
        chosen, after = best, value
    replaced = tuple((unit, words[unit], word) for unit, word in sorted(chosen.items()))
    return Replacement(replaced, before, after, flipped, counted.calls)


def single_deletions(value: Value, units: int, *, most: int = SINGLES, seed: int = 0) -> SingleDeletions:
    """Deletions of each unit alone, or of `most` random ones. Calls: 1 + the number tested."""
    check_units(units)
    tested = np.sort(np.random.default_rng(seed).permutation(units)[:most])
    counted = _CountedValue(value, units)
    before, *after = counted.without([[], *([int(unit)] for unit in tested)])
    return SingleDeletions(len(after), sum(changed * before < 0 for changed in after))


def _support(scores: Floats, before: float, signed: bool) -> Floats:
    """How much each unit speaks for the side that f has; of scores without a sign, how much it matters."""
    return np.asarray(np.sign(before) * scores if signed else scores)


class _CountedEdits:
    """f of edited texts, with a count of calls."""

    def __init__(self, edited: Edited) -> None:
        self._edited, self.calls = edited, 0

    def values(self, edits: Sequence[Mapping[int, str]]) -> list[float]:
        self.calls += len(edits)
        return list(map(float, self._edited(edits)))

    def best(self, edits: Sequence[dict[int, str]], before: float) -> tuple[dict[int, str], float]:
        """The edit that moves f furthest away from the sign of `before`, and f there."""
        values = self.values(edits)
        place = int(np.argmin(np.sign(before) * np.asarray(values)))
        return edits[place], values[place]


class _CountedValue:
    """f without some units, with a count of calls."""

    def __init__(self, value: Value, units: int) -> None:
        self._value, self._units, self.calls = value, units, 0

    def without(self, sets: list[list[int]]) -> list[float]:
        masks: NDArray[np.bool_] = np.ones((len(sets), self._units), dtype=bool)
        for row, removed in enumerate(sets):
            masks[row, removed] = False
        self.calls += len(sets)
        return list(map(float, self._value(masks)))


def _greedy(counted: _CountedValue, order: list[int], before: float) -> tuple[list[int], float]:
    """The first prefix of the order that flips the sign, or the prefix that comes nearest."""
    nearest: tuple[list[int], float] = ([], before)
    for start in range(0, len(order), AT_ONCE):
        prefixes = [order[: size + 1] for size in range(start, min(start + AT_ONCE, len(order)))]
        for prefix, after in zip(prefixes, counted.without(prefixes), strict=True):
            if after * before < 0:
                return prefix, after
            if abs(after) < abs(nearest[1]):
                nearest = (prefix, after)
    return nearest


def _pruned(counted: _CountedValue, removed: list[int], after: float, before: float) -> tuple[list[int], float]:
    """Put back units, least support first, while the sign stays flipped; until no single one can go back."""
    while len(removed) > 1:
        candidates = [[other for other in removed if other != unit] for unit in reversed(removed)]
        values = counted.without(candidates)
        still = [(kept, value) for kept, value in zip(candidates, values, strict=True) if value * before < 0]
        if not still:
            break
        # the one that stays furthest on the other side leaves most room to put back more
        removed, after = max(still, key=lambda candidate: abs(candidate[1]))
    return removed, after
