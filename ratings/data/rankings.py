"""Rankings of several models as the choices that they are made of.

A ranking is a list of models, the best first; models of one place are a group: `["x", ["y", "z"], "w"]`. It is a row of
choices: the first among all, the second among the others, and so on. Equals stand in every order with the same weight,
so that a tie of two is half a win for each, as in `bradley_terry`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.data.columns import is_missing
from ratings.data.counts import Floats
from ratings.errors import BadOption, MissingValue, NoBattles, SelfBattle, UnknownModel

EQUALS = 10  # models of one place: they stand for the choices from all of their subsets, here 1,023

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rankings:
    """Rankings as choices, with one row for each model that could be chosen.

    `model` (rows,) is the model's index, `share` (rows,) its share of the choice: 1 and 0, or 1/k among k equals.
    `start` (choices,) is the first row of each choice, `ranking` (choices,) where it comes from, and `weight`
    (choices,) is below one where equals stand in several orders.
    """

    models: tuple[str, ...]
    model: Ints
    share: Floats
    start: Ints
    ranking: Ints
    weight: Floats
    count: int

    @property
    def choice(self) -> Ints:
        """The choice (rows,) that each row is part of."""
        return np.repeat(np.arange(len(self.start)), np.diff(self.start, append=len(self.model)))

    def scores(self, row_weight: Floats) -> Floats:
        """(models, models): how often row i was chosen where column j could be, weighted; ties are shared.

        Rows that weigh nothing (`row_weight` (rows,)) give no points.
        """
        size, choice = len(self.models), self.choice
        points: Floats = np.zeros((size, size))
        chosen = np.flatnonzero((self.share > 0) & (row_weight > 0))
        length = np.diff(self.start, append=len(self.model))[choice[chosen]]
        rival = np.repeat(self.start[choice[chosen]], length) + counted(length)
        winner = np.repeat(chosen, length)
        other = self.model[winner] != self.model[rival]
        np.add.at(
            points, (self.model[winner[other]], self.model[rival[other]]), (self.share * row_weight)[winner[other]]
        )
        return points


def read_rankings(rankings: Iterable[Sequence[Any]], models: Sequence[str] | None = None) -> Rankings:
    """The choices of rankings. `models` fixes the models and their order; by default those that appear, sorted.

    Raises NoBattles without rankings, MissingValue for a place without a model, UnknownModel, SelfBattle for a model
    that a ranking has twice, BadOption for what is no list of models, one model alone, or more than 10 equals.
    """
    groups = [_groups(ranking, row) for row, ranking in enumerate(rankings)]
    if not groups:
        raise NoBattles("no rankings: there is nothing to rate. Give at least one.")
    lengths = np.fromiter(map(len, (order for order, _ in groups)), np.int64, len(groups))
    order, flat = _coded([name for order, _ in groups for name in order], lengths, models)
    first = np.cumsum(lengths) - lengths
    with_equals = np.array([sizes is not None for _, sizes in groups])
    parts = [_strict_choices(flat, first, lengths, np.flatnonzero(~with_equals))]
    for row in np.flatnonzero(with_equals).tolist():
        parts.append(
            _shared_choices(flat[first[row] : first[row] + lengths[row]].tolist(), groups[row][1] or [], row)
        )
    model, share, length, ranking, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Rankings(order, model, share, np.cumsum(length) - length, ranking, weight, len(groups))


def _groups(ranking: Any, row: int) -> tuple[list[Any], list[int] | None]:
    """The models of a ranking in order, and how many share each place where any do."""
    if isinstance(ranking, str | bytes | dict | set) or not isinstance(ranking, Iterable):
        raise BadOption(f"row {row}: {ranking!r} is no ranking. Give a list of models, the best first.")
    places = list(ranking)
    if not any(isinstance(place, list | tuple) for place in places):
        return places, None
    split = [list(place) if isinstance(place, list | tuple) else [place] for place in places]
    for group in split:
        if not group:
            raise MissingValue(f"row {row}: a place of the ranking has no model. Leave the place out.")
        if len(group) > EQUALS:
            raise BadOption(f"row {row}: {len(group)} models share a place. At most {EQUALS} can.")
    return [name for group in split for name in group], [len(group) for group in split]


def _coded(names: list[Any], lengths: Ints, models: Sequence[str] | None) -> tuple[tuple[str, ...], Ints]:
    """The models, and the index (names,) of each name. Checks what `read_rankings` says of rankings."""

    def row_of(place: int) -> int:
        return int(np.searchsorted(np.cumsum(lengths), place, side="right"))

    distinct = dict.fromkeys(names)
    for name in distinct:
        if is_missing(name):
            row = row_of(names.index(name))
            raise MissingValue(f"row {row}: a place of the ranking has no model. Leave the place out.")
    order = tuple(sorted({str(name) for name in distinct})) if models is None else tuple(str(m) for m in models)
    index = {name: number for number, name in enumerate(order)}
    for name in distinct:
        if str(name) not in index:
            row = row_of(names.index(name))
            raise UnknownModel(
                f"row {row}: {str(name)!r} is not among the {len(index)} models. Add it to `models`."
            )
    codes = {name: index[str(name)] for name in distinct}
    flat = np.fromiter(map(codes.__getitem__, names), np.int64, len(names))
    if (lengths < 2).any():
        row = int(np.argmax(lengths < 2))
        raise BadOption(f"row {row}: a ranking of one model says nothing. Give at least two, or leave it out.")
    keys = np.repeat(np.arange(len(lengths)), lengths) * len(order) + flat
    if len(np.unique(keys)) < len(keys):
        _, where = np.unique(keys, return_index=True)
        place = int(np.setdiff1d(np.arange(len(keys)), where)[0])
        raise SelfBattle(
            f"row {row_of(place)}: the ranking has {order[flat[place]]!r} twice. Leave one of them out."
        )
    return order, flat


Parts = tuple[Ints, Floats, Ints, Ints, Floats]  # model and share (rows,); length, ranking and weight (choices,)


def _strict_choices(flat: Ints, first: Ints, lengths: Ints, rows: Ints) -> Parts:
    """The choices of rankings without equals: each model among itself and those behind it, but not the last."""
    many = lengths[rows] - 1
    place = counted(many)
    ranking = np.repeat(rows, many)
    length = lengths[ranking] - place
    model = flat[np.repeat(first[ranking] + place, length) + counted(length)]
    share = np.zeros(len(model))
    share[np.cumsum(length) - length] = 1.0
    return model, share, length, ranking, np.ones(len(length))


def _shared_choices(order: list[int], sizes: list[int], row: int) -> Parts:
    """The choices of one ranking with equals; a choice from one model alone is none."""
    model: list[int] = []
    share: list[float] = []
    length: list[int] = []
    weight: list[float] = []
    for chosen, later, likely in _splits(order, sizes):
        model += [*chosen, *later]
        share += [1 / len(chosen)] * len(chosen) + [0.0] * len(later)
        length.append(len(chosen) + len(later))
        weight.append(likely)
    return (
        np.array(model, np.int64), np.array(share), np.array(length, np.int64),
        np.full(len(length), row, np.int64), np.array(weight),
    )  # fmt: skip


def _splits(order: list[int], sizes: list[int]) -> Iterator[tuple[tuple[int, ...], list[int], float]]:
    """Who is chosen, who is behind, and the share of the orders of equals in which this choice is made."""
    for start, end in pairwise([0, *accumulate(sizes)]):
        later = order[end:]
        for left in range(end - start, 0, -1):
            if left + len(later) > 1:
                for chosen in combinations(order[start:end], left):
                    yield chosen, later, 1 / comb(end - start, left)


def counted(lengths: Ints) -> Ints:
    """0 to n - 1 for each n of `lengths`, one after another."""
    total = int(lengths.sum())
    return np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
