"""Votes as records of 16 bytes, as a store keeps them: boards of many add them up without making columns.

number (4) | code of the first cluster, outcome in its two lowest bits (4) | code of the second, with `SHARED` (4)
| left model (2) | right model (2)        little-endian
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ratings.data.clusters import ClusteredVotes, model_lookup

RECORD = 16  # bytes
Code = Literal["first", "second", "shared second"]  # the last is the second where it has `SHARED`


@dataclass(frozen=True, eq=False)
class PackedVotes:
    """Records of votes, and what they mean. `columns` gives the same votes as columns.

    `places` (numbers of models,) has the index of each model in `models`, -1 for none; `ways` the code of each way to
    cluster, the most important first. Votes with the first code `unknown` are alone in their cluster, -1 stands for none.
    """

    records: bytes
    models: tuple[str, ...]
    places: NDArray[np.int32]
    ways: Mapping[str, Code]
    unknown: int
    columns: Callable[[], ClusteredVotes]

    def __len__(self) -> int:
        return len(self.records) // RECORD

    @property
    def way_names(self) -> Sequence[str]:
        """The names of the ways to cluster."""
        return tuple(self.ways)

    def over(self, models: Sequence[str]) -> PackedVotes:
        """The same votes with indices into other `models`."""
        lookup = model_lookup(self.models, models)
        places = np.where(self.places < 0, np.int32(-1), lookup[self.places])
        return replace(self, models=tuple(models), places=places, columns=lambda: self.columns().over(models))
