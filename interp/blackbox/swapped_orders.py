"""Both orders of a battle as one game over the same words: its content and its position bias.

    content c(z) = (f_AB(z) - f_BA(z)) / 2,      bias b(z) = (f_AB(z) + f_BA(z)) / 2

f = logit(first) - logit(second) with answer A shown first (AB) or second (BA), z the words that are kept. A small
judge's bias is several times its content, so a map of f_AB alone explains the order and not the answers. Every
method that takes a value takes `content`, and its laws (sum, symmetry, dummy) hold for the content itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats, Masks, Value
from interp.prompt import Unit


@dataclass(frozen=True)
class SwappedOrders:
    """Values of the two orders. `places` (units,): where each unit of the first order stands in the second."""

    first: Value
    second: Value
    places: NDArray[np.intp]

    def both(self, masks: Masks) -> tuple[Floats, Floats]:
        """f of either order (masks,), for masks over the units of the first."""
        swapped = np.empty_like(masks)
        swapped[:, self.places] = masks
        return self.first(masks), self.second(swapped)

    def content(self, masks: Masks) -> Floats:
        """(masks,): positive where the answers speak for A."""
        first, second = self.both(masks)
        return np.asarray((first - second) / 2)

    def bias(self, masks: Masks) -> Floats:
        """(masks,): positive where the first place is preferred."""
        first, second = self.both(masks)
        return np.asarray((first + second) / 2)


def matching_units(first: Sequence[Unit], second: Sequence[Unit]) -> NDArray[np.intp]:
    """(units,): the place in `second` of each unit of `first`, by segment and number within it.

    Raises BadOption where the two do not have the same segments with the same number of units: the orders then
    show different texts.
    """
    by_segment: dict[str | None, list[int]] = defaultdict(list)
    for place, unit in enumerate(second):
        by_segment[unit.segment].append(place)
    counted: dict[str | None, int] = defaultdict(int)
    places = []
    for unit in first:
        number = counted[unit.segment]
        if (
            number >= len(by_segment[unit.segment])
            or second[by_segment[unit.segment][number]].text.strip() != unit.text.strip()
        ):
            raise BadOption(
                f"{unit.text.strip()!r}, unit {number} of {unit.segment}, differs from the other order. "
                "Give both orders the same texts under the same segment names."
            )
        places.append(by_segment[unit.segment][number])
        counted[unit.segment] += 1
    if len(places) != len(second):
        raise BadOption(f"{len(first)} units in one order, {len(second)} in the other. Expected the same.")
    return np.array(places, dtype=np.intp)
