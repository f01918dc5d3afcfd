"""Scores of votes added up by group: of packed votes by a loop in C where it was built, whose result the numpy defines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ratings.data import compiled
from ratings.data.clusters import ClusteredVotes, Ints, PackedCode, PackedVotes
from ratings.data.counts import Floats
from ratings.data.outcomes import OUTCOMES
from ratings.inference.score_sums import Scorer, add_at

MOST_MODELS = 512  # whose scores of every possible vote are worth a table: 17 MB


class Grouped(Protocol):
    """A way to cluster with the sums of its groups."""

    present: NDArray[np.bool_]
    groups: int
    placed: int
    place: Ints | None
    sums: Floats
    met: Floats


@dataclass(frozen=True, eq=False)
class VoteScores:
    """The score of a vote, for the loop in C: `table` (models, models, outcomes, values) has it for every possible vote,
    or has the strengths (models,) that Bradley–Terry scores follow from; None is for numpy alone.
    """

    score: Scorer
    models: int
    parameters: int
    table: Floats | None

    def of(self, a: Ints, b: Ints, outcome: Ints) -> tuple[Floats, ...]:
        """The scores of votes: (votes,) for model A, for model B, then for each extra parameter."""
        return self.score(a, b, outcome, slice(None))

    def add(self, votes: ClusteredVotes, rows: Ints | None, group: Ints, sums: Floats, met: Floats | None) -> None:
        """Add the scores of votes, those at `rows` or all, to the `sums` (groups, parameters) of their groups.

        `met` (groups, models), where it is given, counts their models.
        """
        columns = votes.model_a, votes.model_b, votes.outcome
        a, b, outcome = columns if rows is None else (column[rows] for column in columns)
        ends: Sequence[Any] = (a, b, *range(self.models, self.parameters))
        for end, value in zip(ends, self.of(a, b, outcome), strict=True):
            add_at(sums, group, end, value)
        if met is not None:
            for end in (a, b):
                add_at(met, group, end, None)

    def add_packed(
        self, votes: PackedVotes, used: Mapping[str, Grouped], shared: Floats | None
    ) -> list[int] | None:
        """Add the scores of packed votes to the sums of the ways and of what they share, and give clusters their places.

        Returns how many votes are not alone in their cluster, by way; None, with nothing added, where only numpy does it:
        a vote is alone in the main way, or there is no loop.
        """
        if self.table is None or compiled.LOOPS is None or not used.keys() <= votes.ways.keys():
            return None
        ways = tuple(_given(votes.ways[name], way) for name, way in used.items())
        found = compiled.LOOPS.packed(
            votes.records, votes.places, self.models, votes.unknown, self.table, ways, shared
        )
        if found is None:
            return None
        for way, (_, placed) in zip(used.values(), found, strict=False):
            way.placed = placed
        return [together for together, _ in found[: len(used)]]


def _given(code: PackedCode, way: Grouped) -> tuple[Any, ...]:
    """A way as the loop takes it."""
    return (
        int(code != "first"),
        code == "shared second",
        way.groups,
        way.placed,
        way.present,
        way.place,
        way.sums,
        way.met,
    )


def vote_scores(score: Scorer, models: int, parameters: int) -> VoteScores:
    """The scores of votes on so many models, in a table where a loop in C can read it."""
    has_loop = hasattr(compiled.LOOPS, "packed")  # a build of an older version has others
    if not has_loop or sys.byteorder != "little":
        return VoteScores(score, models, parameters, None)
    strengths: Floats | None = getattr(score, "strengths", None)
    if strengths is not None or models > MOST_MODELS:
        return VoteScores(score, models, parameters, strengths)
    codes = np.indices((models, models, len(OUTCOMES)), dtype=np.int32).reshape(3, -1)
    table = np.stack(score(codes[0], codes[1], codes[2], slice(None)), axis=-1)
    return VoteScores(score, models, parameters, np.ascontiguousarray(table, dtype=np.float64))
