"""Owen values: Shapley values that respect a hierarchy, for example completion, sentences, words.

A group is split into two halves, and each half is measured with and without the other. Parts of one sentence are
never mixed with parts of another, so the masked texts lack whole stretches, which a model reads better than texts
with scattered gaps. The group with the largest effect is split first, so the calls go where the effects are.

Measuring both orders at each split doubles the contexts of a group at each level. Below the first levels only one
order is measured, in alternation: one call per split, which reaches twice the depth for the same number of calls.
The effect of an unsplit group is divided among its units, equally or by their leave-one-out effects.
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
BATCH = 16  # groups split in one batch of calls; larger batches follow the priorities less closely
LEVELS_IN_BOTH_ORDERS = 5  # a word is then measured in up to 32 contexts


@dataclass(frozen=True)
class Owen:
    """Owen values (units,) that sum to f(all) - f(none), and the share of each that was measured.

    `split` (units,) is the share of a unit's weight that was measured on the unit itself; the rest is its share of
    the effect of a group.
    """

    scores: Floats
    split: Floats
    calls: int


@dataclass(frozen=True)
class _Group:
    """A group of units in a context, with the values of f with and without the group."""

    members: NDArray[np.int64]
    halves: tuple[Nested, Nested] | None
    context: NDArray[np.bool_]  # the units that are present besides the group
    weight: float
    value_without: float
    value_with: float
    level: int


@dataclass
class _Game:
    """The value function with its known values: contexts of different groups often coincide."""

    value: Value
    levels_in_both_orders: int
    known: dict[bytes, float] = field(default_factory=dict)
    turns: dict[bytes, int] = field(default_factory=dict)

    def values(self, masks: Sequence[NDArray[np.bool_]]) -> list[float]:
        keys = [np.packbits(mask).tobytes() for mask in masks]
        new = {key: mask for key, mask in zip(keys, masks, strict=True) if key not in self.known}
        if new:
            computed = self.value(np.array(list(new.values())))
            self.known.update(zip(new, computed.tolist(), strict=True))
        return [self.known[key] for key in keys]


def owen(
    value: Value,
    tree: Nested,
    *,
    calls: int = 256,
    levels_in_both_orders: int = LEVELS_IN_BOTH_ORDERS,
    leave_one_out: bool = True,
) -> Owen:
    """Owen values over `tree`, nested sequences of unit numbers: [[0, 1, 2], [3, 4]] is two sentences.

    A group of more than two parts is halved by number of units. The group with the largest weighted effect is split
    next, until `calls` are used or no group is left.

    The effect of an unsplit group is divided among its units, so the values sum to f(all) - f(none) at any number of
    calls. With `leave_one_out`, each unit is first removed by itself, if that takes at most half of the calls; a unit
    then gets the mean of its group plus the deviation of its leave-one-out effect from the group's mean.

    Both orders are measured at the first `levels_in_both_orders` levels. The values are exact if these are all levels
    of the tree and the calls suffice. Raises BadOption for a tree that holds a unit twice.
    """
    units = _check(tree, calls, levels_in_both_orders)
    game = _Game(value, levels_in_both_orders)
    empty = np.zeros(units, dtype=bool)
    none, whole = game.values([empty, ~empty])
    leave_one_out_effects = np.zeros(units)
    if leave_one_out and 2 * units <= calls:
        leave_one_out_effects = whole - np.array(game.values(list(~np.eye(units, dtype=bool))))
    unsplit: list[tuple[float, int, _Group]] = []
    scores, split, pushed = np.zeros(units), np.zeros(units), 0

    def add(group: _Group) -> None:
        nonlocal pushed
        if group.halves is None:
            scores[group.members] += group.weight * (group.value_with - group.value_without)
            split[group.members] += group.weight
            return
        heapq.heappush(unsplit, (-abs(group.weight * (group.value_with - group.value_without)), pushed, group))
        pushed += 1

    add(_group(tree, empty, 1.0, none, whole))
    while unsplit and len(game.known) < calls:
        room = max(1, (calls - len(game.known)) // 2)
        batch = [heapq.heappop(unsplit)[2] for _ in range(min(BATCH, room, len(unsplit)))]
        for group in _split(game, batch):
            add(group)
    for _, _, group in unsplit:
        effects = leave_one_out_effects[group.members]
        equal_share = (group.value_with - group.value_without) / len(effects)
        scores[group.members] += group.weight * (equal_share + effects - effects.mean())
    return Owen(scores, split, len(game.known))


def flat(tree: Nested) -> list[int]:
    """The units of a tree, in order."""
    return [tree] if isinstance(tree, int) else [unit for part in tree for unit in flat(part)]


def _check(tree: Nested, calls: int, levels_in_both_orders: int) -> int:
    members = flat(tree)
    check_units(len(members))
    if sorted(members) != list(range(len(members))):
        raise BadOption(f"a tree of {len(members)} units must contain each of 0 to {len(members) - 1} once.")
    if calls < 2 or levels_in_both_orders < 0:
        raise BadOption(
            f"calls {calls}, levels_in_both_orders {levels_in_both_orders}. Give at least 2 calls (all units and "
            "none) and at least 0 levels."
        )
    return len(members)


def _split(game: _Game, groups: Sequence[_Group]) -> Iterator[_Group]:
    """The halves of each group, each in the context with and without the other, in both orders or in one."""
    firsts = [_first(game, group) for group in groups]
    masks = [_joined(group.context, half) for group, halves in zip(groups, firsts, strict=True) for half in halves]
    answers = iter(zip(game.values(masks), masks, strict=True))
    for group, halves in zip(groups, firsts, strict=True):
        assert group.halves is not None
        weight = group.weight / len(halves)
        for half in halves:
            value, mask = next(answers)
            other = group.halves[1] if half is group.halves[0] else group.halves[0]
            yield _group(half, group.context, weight, group.value_without, value, group.level + 1)
            yield _group(other, mask, weight, value, group.value_with, group.level + 1)


def _first(game: _Game, group: _Group) -> tuple[Nested, ...]:
    """The halves that are measured before the other."""
    assert group.halves is not None
    if group.level < game.levels_in_both_orders:
        return group.halves
    key = group.members.tobytes()
    turn = game.turns.get(key, group.members[0] % 2)
    game.turns[key] = 1 - turn
    return (group.halves[turn],)


def _group(
    part: Nested,
    context: NDArray[np.bool_],
    weight: float,
    value_without: float,
    value_with: float,
    level: int = 0,
) -> _Group:
    return _Group(np.array(flat(part)), _halves(part), context, weight, value_without, value_with, level)


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
