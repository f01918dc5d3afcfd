"""Owen values: Shapley values that respect a hierarchy, for example completion, sentences, words.

At each split of a group in two, either half comes first as often as the other. Parts of one sentence are never
mixed with parts of another, so that the model is asked about texts that lack whole stretches, which it reads
better than texts with holes everywhere, and groups that hardly matter need not be looked into: the calls go where
the effects are. Taking both orders at each split doubles the contexts of a group with every level, so below the
first levels the orders take turns: one call a split, and twice as deep for the same money. Groups that are not
looked into share what they make evenly, or by what each of their units does when it alone is left out.
Sources: Owen, "Values of games with a priori unions" (1977); halving: SHAP's partition explainer.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats, Value, check_units

Nested: TypeAlias = "int | Sequence[Nested]"
AT_ONCE = 16  # groups split in one batch of calls; larger batches follow the priorities less closely
BOTH = 5  # levels at which both orders are asked, so that a word is seen in up to 32 contexts


@dataclass(frozen=True)
class Owen:
    """Owen values (units,) that sum to f(all) - f(none), and how far the groups were split.

    `split` (units,) is the share of a unit's weight that was measured on the unit itself; the rest is its share of
    the effect of a group.
    """

    scores: Floats
    split: Floats
    calls: int


@dataclass(frozen=True)
class _Group:
    """A group of units in a context: f with and without the group."""

    members: NDArray[np.int64]
    halves: tuple[Nested, Nested] | None
    context: NDArray[np.bool_]  # what is there besides the group
    weight: float
    off: float
    on: float
    level: int


@dataclass
class _Game:
    """The value function with its known values: contexts of different groups often coincide."""

    value: Value
    both: int
    known: dict[bytes, float] = field(default_factory=dict)
    turns: dict[bytes, int] = field(default_factory=dict)

    def values(self, masks: Sequence[NDArray[np.bool_]]) -> list[float]:
        keys = [np.packbits(mask).tobytes() for mask in masks]
        new = {key: mask for key, mask in zip(keys, masks, strict=True) if key not in self.known}
        if new:
            computed = self.value(np.array(list(new.values())))
            self.known.update(zip(new, computed.tolist(), strict=True))
        return [self.known[key] for key in keys]


def owen(value: Value, tree: Nested, *, calls: int = 256, both: int = BOTH, singly: bool = True) -> Owen:
    """Owen values over `tree`, nested sequences of unit numbers: [[0, 1, 2], [3, 4]] is two sentences.

    Groups of more than two parts are halved by number of units. The group with the largest weighted effect is
    split next, until `calls` are used or nothing is left to split. What is not split is shared within its group so
    that the sum holds at any number of calls: `singly` first leaves out each unit alone, where at most half of the
    calls go there, and units get the mean of the group and how they differ from the group's mean in that. At the
    first `both` levels either half is asked first; with as many levels as the tree has, and calls enough, the values
    are exact. Raises BadOption for a tree that holds a unit twice.
    """
    units = _check(tree, calls, both)
    game = _Game(value, both)
    empty = np.zeros(units, dtype=bool)
    none, whole = game.values([empty, ~empty])
    alone = np.zeros(units)
    if singly and 2 * units <= calls:
        alone = whole - np.array(game.values(list(~np.eye(units, dtype=bool))))
    waiting: list[tuple[float, int, _Group]] = []
    scores, split, pushed = np.zeros(units), np.zeros(units), 0

    def add(group: _Group) -> None:
        nonlocal pushed
        if group.halves is None:
            scores[group.members] += group.weight * (group.on - group.off)
            split[group.members] += group.weight
            return
        heapq.heappush(waiting, (-abs(group.weight * (group.on - group.off)), pushed, group))
        pushed += 1

    add(_group(tree, empty, 1.0, none, whole))
    while waiting and len(game.known) < calls:
        room = max(1, (calls - len(game.known)) // 2)
        chosen = [heapq.heappop(waiting)[2] for _ in range(min(AT_ONCE, room, len(waiting)))]
        for group in _split(game, chosen):
            add(group)
    for _, _, group in waiting:
        own = alone[group.members]
        scores[group.members] += group.weight * ((group.on - group.off) / len(own) + own - own.mean())
    return Owen(scores, split, len(game.known))


def flat(tree: Nested) -> list[int]:
    """The units of a tree, in order."""
    return [tree] if isinstance(tree, int) else [unit for part in tree for unit in flat(part)]


def _check(tree: Nested, calls: int, both: int) -> int:
    members = flat(tree)
    check_units(len(members))
    if sorted(members) != list(range(len(members))):
        raise BadOption(f"a tree of {len(members)} units must contain each of 0 to {len(members) - 1} once.")
    if calls < 2 or both < 0:
        raise BadOption(
            f"calls {calls}, both {both}. Expected two or more (all units and none), and zero or more."
        )
    return len(members)


def _split(game: _Game, groups: Sequence[_Group]) -> Iterator[_Group]:
    """The halves of each group: each in the context with and without the other, or as their turn is."""
    firsts = [_first(game, group) for group in groups]
    masks = [_joined(group.context, half) for group, halves in zip(groups, firsts, strict=True) for half in halves]
    answers = iter(zip(game.values(masks), masks, strict=True))
    for group, halves in zip(groups, firsts, strict=True):
        assert group.halves is not None
        weight = group.weight / len(halves)
        for half in halves:
            value, mask = next(answers)
            other = group.halves[1] if half is group.halves[0] else group.halves[0]
            yield _group(half, group.context, weight, group.off, value, group.level + 1)
            yield _group(other, mask, weight, value, group.on, group.level + 1)


def _first(game: _Game, group: _Group) -> tuple[Nested, ...]:
    """The halves that are measured before the other."""
    assert group.halves is not None
    if group.level < game.both:
        return group.halves
    key = group.members.tobytes()
    turn = game.turns.get(key, group.members[0] % 2)
    game.turns[key] = 1 - turn
    return (group.halves[turn],)


def _group(
    part: Nested, context: NDArray[np.bool_], weight: float, off: float, on: float, level: int = 0
) -> _Group:
    return _Group(np.array(flat(part)), _halves(part), context, weight, off, on, level)


def _halves(part: Nested) -> tuple[Nested, Nested] | None:
    """A group as two of about the same number of units, or None for a single unit."""
    while not isinstance(part, int) and len(part) == 1:
        part = part[0]
    if isinstance(part, int):
        return None
    reached = np.cumsum([len(flat(child)) for child in part])
    cut = 1 + int(np.argmin(np.abs(reached[:-1] - reached[-1] / 2)))
    return part[:cut], part[cut:]


def _joined(context: NDArray[np.bool_], part: Nested) -> NDArray[np.bool_]:
    mask = context.copy()
    mask[flat(part)] = True
    return mask
