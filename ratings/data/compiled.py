"""The loops over single battles in C: `LOOPS`, or None where the installation had no compiler.

Each loop has the same loop in Python next to its caller, which defines the result, is tested against it and runs
without a compiler. `LOOPS` is read at each call, so that None turns the loops off.
Measured in docs/decisions/ratings-compiled-loops.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 15  # battles a call: their codes stay in the second-level cache, and a call costs little beside them

Codes = NDArray[Any]  # integers of any width
Ints = NDArray[np.int32]
Outcomes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


class Loops(Protocol):
    """The functions of `_loops.c`.

    Codes are int32 (for `tally` any integers), outcomes uint8, the rest float64; all arrays are contiguous.
    """

    def elo(self, a: Ints, b: Ints, outcome: Outcomes, xi: Doubles, step: float, /) -> None: ...
    def gradient(self, passage: tuple[Any, ...], total: Doubles, /) -> None: ...
    def outer(self, passage: tuple[Any, ...], squared: bool, /, *sums: Doubles) -> None: ...
    def tally(self, a: Codes, b: Codes, outcome: Outcomes, models: int, table: Ints, /) -> bool: ...
    def packed(
        self,
        records: bytes,
        models: Ints,
        size: int,
        unknown: int,
        values: Doubles,
        ways: tuple[tuple[Any, ...], ...],
        shared: Doubles | None,
        /,
    ) -> tuple[tuple[int, int], ...] | None: ...
    def codes(self, values: list[Any], indices: Mapping[Any, int], out: Ints, /) -> bool: ...


def _built() -> Loops | None:
    try:
        return cast(Loops, import_module("ratings._loops"))
    except ModuleNotFoundError:  # installed without a compiler
        return None


LOOPS = _built()


def chunks(a: Codes, b: Codes, outcome: Outcomes) -> Iterator[tuple[Ints, Ints, Outcomes]]:
    """The three columns in blocks of `CHUNK` battles, in the types that the loops take."""
    for start in range(0, len(a), CHUNK):
        rows = slice(start, start + CHUNK)
        yield as_int32(a[rows]), as_int32(b[rows]), np.ascontiguousarray(outcome[rows])


def as_int32(codes: Codes) -> Ints:
    """The codes as contiguous int32: the same array where it is already that."""
    return np.ascontiguousarray(codes, dtype=np.int32)
