"""Votes by cluster: the voter of a person's vote, the prompt of a judge's verdict, as columns beside the pair counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ratings.data.columns import Column, column_codes, is_missing
from ratings.data.counts import PairCounts
from ratings.data.outcomes import OUTCOMES, outcome_codes
from ratings.errors import BadOption, LengthMismatch, UnknownModel

Ints = NDArray[np.integer[Any]]
ENOUGH = 1_000  # clusters: no rule asks for more
MANY = 1 << 16  # votes; of more, clusters are counted part by part
COUNTED = 1 << 14  # groups of clusters; a model with ten voters needs few
RECORD = 16  # bytes of a packed vote
PackedCode = Literal["first", "second", "shared second"]  # the last is the second where others can share it
ALONE = -1  # the code of a vote that shares its cluster with no other


@dataclass(frozen=True, eq=False)
class ClusteredVotes:
    """Votes, or counts of equal votes, with the clusters that they belong to.

    `model_a`, `model_b` (rows,) are indices into `models`, `outcome` (rows,) into `OUTCOMES`. `clusters` has by name
    the code (rows,) of each vote's cluster, the most important first; `ALONE` stands for a cluster of one vote. Codes
    are arbitrary integers of zero and more. `votes` (rows,) is how many votes a row stands for, by default one.

    Raises LengthMismatch, and BadOption for an index or a code that is out of range, or without clusters.
    """

    models: tuple[str, ...]
    model_a: Ints
    model_b: Ints
    outcome: Ints
    clusters: Mapping[str, Ints]
    votes: Ints | None = None

    def __post_init__(self) -> None:
        columns = [self.model_a, self.model_b, self.outcome, *self.clusters.values()]
        columns += [] if self.votes is None else [self.votes]
        if len({len(column) for column in columns}) > 1:
            raise LengthMismatch("the columns of ClusteredVotes differ in length. Give one value per row in each.")
        if not self.clusters:
            raise BadOption("votes without clusters. Name at least one column of clusters.")
        limits = {"model_a": len(self.models), "model_b": len(self.models), "outcome": len(OUTCOMES)}
        for name, limit in limits.items():
            column = getattr(self, name)
            if len(column) and not 0 <= column.min() <= column.max() < limit:
                raise BadOption(f"{name} is out of range. Give indices from 0 to {limit - 1}.")
        for name, codes in self.clusters.items():
            if len(codes) and codes.min() < ALONE:
                raise BadOption(f"a code of {name!r} is below -1. Give zero or more, or -1 for a cluster of one.")

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def way_names(self) -> Sequence[str]:
        """The names of the ways to cluster."""
        return tuple(self.clusters)

    def clusters_of_models(self) -> NDArray[np.int64]:
        """(models,): how many clusters, of the first way, have votes on each model; of many as `StreamedVotes` does."""
        if self.votes is None and len(self) > MANY:
            return StreamedVotes(self.models, len(self), self._parts).clusters_of_models()
        codes = next(iter(self.clusters.values()))
        size = len(self.models)
        codes = codes.astype(np.int64)
        together = codes != ALONE
        seen = np.concatenate(
            [side[together] * (codes.max(initial=0) + 1) + codes[together] for side in self._sides()]
        )
        of_model = np.unique(seen) // (codes.max(initial=0) + 1)
        alone = np.concatenate([side[~together] for side in self._sides()])
        votes = None if self.votes is None else np.tile(self.votes[~together], 2)
        return np.bincount(of_model, minlength=size) + np.rint(np.bincount(alone, votes, size)).astype(np.int64)

    def _parts(self) -> Iterator[ClusteredVotes]:
        for start in range(0, len(self), MANY):
            rows = slice(start, start + MANY)
            codes = {name: column[rows] for name, column in self.clusters.items()}
            yield ClusteredVotes(self.models, self.model_a[rows], self.model_b[rows], self.outcome[rows], codes)

    def _sides(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.model_a.astype(np.int64), self.model_b.astype(np.int64)

    def counts(self) -> PairCounts:
        """The pair counts of these votes."""
        size = len(self.models)
        key = (self.model_a.astype(np.int64) * size + self.model_b) * len(OUTCOMES) + self.outcome
        table = np.bincount(key, self.votes, size * size * len(OUTCOMES)).reshape(-1, len(OUTCOMES))
        met = np.flatnonzero(table.any(axis=1))
        return PairCounts(self.models, met // size, met % size, *table[met].astype(np.int64).T)

    def over(self, models: Sequence[str]) -> ClusteredVotes:
        """The same votes with indices into other `models`. Raises UnknownModel for a model that is not among them."""
        if tuple(models) == self.models:
            return self
        lookup = model_lookup(self.models, models)
        a, b = lookup[self.model_a], lookup[self.model_b]
        if len(self) and min(a.min(), b.min()) < 0:
            met = np.unique(np.concatenate([self.model_a, self.model_b]))
            missing = next(self.models[code] for code in met if lookup[code] < 0)
            raise UnknownModel(f"{missing!r} has votes and is not among the models. Add it to `models`.")
        return ClusteredVotes(tuple(models), a, b, self.outcome, self.clusters, self.votes)


def model_lookup(models: Sequence[str], others: Sequence[str]) -> NDArray[np.int32]:
    """(models,): the index of each among `others`, -1 for one that is not there."""
    place = {name: number for number, name in enumerate(others)}
    return np.array([place.get(name, -1) for name in models], dtype=np.int32)


@dataclass(frozen=True, eq=False)
class PackedVotes:
    """Votes as records of 16 bytes, as a store keeps them: boards of many add them up without making columns.

        number (4) | code of the first cluster, outcome in its two lowest bits (4) | code of the second, with the highest bit
        set where others can share it (4) | left model (2) | right model (2)        little-endian

    `columns` gives the same votes as columns.

    `places` (numbers of models,) has the index of each model in `models`, -1 for none; `ways` the code of each way to
    cluster, the most important first. Votes with the first code `unknown` are alone in their cluster, -1 stands for none.
    """

    records: bytes
    models: tuple[str, ...]
    places: NDArray[np.int32]
    ways: Mapping[str, PackedCode]
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


@dataclass(frozen=True)
class StreamedVotes:
    """The clustered votes of a large board, part by part, so that memory does not grow with them.

    `parts` gives the votes again with each call, over the same `models`; `number` is how many they are. `codes` gives the
    clusters of the parts alone, where they can be had for less, and `packed` the parts as they are stored.
    """

    models: tuple[str, ...]
    number: int
    parts: Callable[[], Iterator[ClusteredVotes]]
    codes: Callable[[], Iterator[Mapping[str, Ints]]] | None = None
    packed: Callable[[], Iterator[PackedVotes]] | None = None

    def __len__(self) -> int:
        return self.number

    def over(self, models: Sequence[str]) -> StreamedVotes:
        """The same votes with indices into other `models`. Raises UnknownModel where a part has another model."""
        if tuple(models) == self.models:
            return self
        packed = self.packed
        return replace(
            self,
            models=tuple(models),
            parts=lambda: (part.over(models) for part in self.parts()),
            packed=None if packed is None else lambda: (part.over(models) for part in packed()),
        )

    def cluster_codes(self) -> Iterator[Mapping[str, Ints]]:
        """The clusters of each part, by name."""
        return (part.clusters for part in self.parts()) if self.codes is None else self.codes()

    def clusters_of_models(self) -> NDArray[np.int64]:
        """(models,): how many clusters, of the first way, have votes on each model.

        Clusters whose codes leave the same remainder by `COUNTED` count as one, and counting ends when all have `ENOUGH`.
        """
        present = np.zeros((COUNTED, len(self.models)), dtype=np.bool_)
        start = 0
        for part in self.parts():
            codes = next(iter(part.clusters.values()))
            group = np.where(codes == ALONE, start + np.arange(len(codes)), codes) % COUNTED
            for side in (part.model_a, part.model_b):
                present[group, side] = True
            start += len(part)
            if np.count_nonzero(present[:, 0]) >= ENOUGH and np.count_nonzero(present, axis=0).min() >= ENOUGH:
                break
        return np.asarray(np.count_nonzero(present, axis=0), dtype=np.int64)


def cluster_votes(
    model_a: Column, model_b: Column, winner: Column, clusters: Mapping[str, Column], *, models: Sequence[str]
) -> ClusteredVotes:
    """The clustered votes of columns (votes,); a missing cluster is a cluster of one. `models` lists every model.

    Raises UnknownModel for a model that is not among `models`, and what `ClusteredVotes` and `outcome_codes` raise.
    """
    place = {name: number for number, name in enumerate(models)}
    return ClusteredVotes(
        tuple(models),
        _places(model_a, place),
        _places(model_b, place),
        outcome_codes(winner),
        {name: _codes(column, name) for name, column in clusters.items()},
    )


def _places(column: Column, place: Mapping[str, int]) -> Ints:
    codes, labels = column_codes(column, "model")
    missing = next((label for label in labels if label not in place), None)
    if missing is not None:
        raise UnknownModel(f"{missing!r} is not among the {len(place)} models. Add it to `models`.")
    return np.array([place[str(label)] for label in labels], dtype=np.int32)[codes]


def _codes(column: Column, name: str) -> Ints:
    codes, labels = column_codes(column, name)
    lookup = np.array([ALONE if is_missing(label) else code for code, label in enumerate(labels)] + [ALONE])
    return np.asarray(lookup[codes], dtype=np.int64)  # a missing value may be code -1: the last entry
