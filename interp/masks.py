"""A model as a function of a mask: the seam between what is explained and how.

A *value* is given masks (batch, units), true where a unit is kept, and returns one number for each mask: for a
judge the contrast logit(A) - logit(B). Methods that take a value know nothing of text, tokens or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
Value = Callable[[Masks], Floats]
Groups = Sequence[Sequence[int]]


def group_masks(units: int, groups: Groups) -> Masks:
    """(groups, units): true for the units of each group. Raises BadOption."""
    check_units(units)
    if not groups:
        raise BadOption("no groups. Give at least one group to remove.")
    masks = np.zeros((len(groups), units), dtype=bool)
    for number, group in enumerate(groups):
        members = np.asarray(list(group), dtype=int)
        if members.size == 0:
            raise BadOption(f"group {number} is empty. Give each group at least one unit.")
        if members.min() < 0 or members.max() >= units:
            raise BadOption(f"group {number} has unit {members.max()}. The units are 0 to {units - 1}.")
        masks[number, members] = True
    return masks


def check_units(units: int) -> None:
    """Raise BadOption unless there is something to attribute to."""
    if units < 1:
        raise BadOption(f"{units} units. Give at least one unit to attribute to.")
