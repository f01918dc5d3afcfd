"""The sums of `ratings.inference.clusters` for votes that come part by part, in memory that does not grow.

One pass where there are more clusters than groups, else one to see the clusters and one to add up.
Clusters are told apart by the last 22 bits of their codes. What two ways share is summed up in random groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ratings.data.clusters import ALONE, ClusteredVotes, Ints, PackedVotes, StreamedVotes
from ratings.data.counts import Floats
from ratings.inference.packed_scores import VoteScores, vote_scores
from ratings.inference.score_sums import FEWEST, Meat, Scorer, effective_clusters, positive_part

FOLDED = 1 << 22
WAYS = 2  # boards have no more
SHARED = 1 << 12  # groups of the votes that share two ways


@dataclass(eq=False)
class _Way:
    """One way to cluster: the clusters seen so far, and then the sums of their groups."""

    present: NDArray[np.bool_]
    together: int = 0  # votes that are not alone in their cluster
    alone: int = 0
    clusters: int = 0
    groups: int = 0
    placed: int = 0  # clusters that have a place since `guess`
    place: Ints | None = None  # of a cluster among the groups, where there are few
    sums: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    met: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def see(self, codes: Ints) -> None:
        rows = codes if codes.min() >= 0 else codes[codes != ALONE] if codes.max() >= 0 else codes[:0]
        self.present[rows & (FOLDED - 1)] = True
        self.together += len(rows)
        self.alone += len(codes) - len(rows)

    def group(self, codes: Ints) -> Ints:
        """The group of each code."""
        if self.place is None:
            return codes % self.groups
        places = self.place[codes & (FOLDED - 1)]
        return self._numbered(codes, places) if places.size and places.min() < 0 else places

    def _numbered(self, codes: Ints, places: Ints) -> Ints:
        """Give the clusters that have no place yet the next ones. Those that find none get place 0: see `fits`."""
        assert self.place is not None
        new = np.unique(codes[places < 0] & (FOLDED - 1))
        number = np.arange(self.placed, self.placed + len(new))
        self.place[new] = np.where(number < self.groups, number, 0)
        self.placed += len(new)
        again: Ints = self.place[codes & (FOLDED - 1)]
        return again

    @property
    def fits(self) -> bool:
        """Whether the groups that were guessed before the votes were seen are the right ones."""
        return self.clusters > self.groups if self.place is None else self.placed <= self.groups

    def cut(self) -> None:
        """Keep the groups that have a cluster."""
        if self.place is not None:
            self.groups = self.placed
            self.sums, self.met = self.sums[: self.placed], self.met[: self.placed]

    def begin(self, most: int, scores: VoteScores) -> None:
        """Make room for the sums of the clusters, all of which were seen."""
        place = np.cumsum(self.present, dtype=np.int32) - 1 if self.clusters <= most else None
        self._begin(min(self.clusters, most), place, scores)

    def guess(self, most: int, scores: VoteScores, *, many: bool) -> None:
        """Make room for the sums before the clusters are seen: more of them than groups (`many`), or at most as many."""
        self._begin(most, None if many else np.full(FOLDED, -1, dtype=np.int32), scores)

    def _begin(self, groups: int, place: Ints | None, scores: VoteScores) -> None:
        self.groups, self.place = groups, place
        self.sums, self.met = np.zeros((groups, scores.parameters)), np.zeros((groups, scores.models))


@dataclass(eq=False)
class _Sums:
    """What one pass over the votes adds up, over the ways in use."""

    used: dict[str, _Way]
    pairs: dict[tuple[str, str], Floats]
    loose: Floats
    played: Floats  # votes that are alone in their cluster of the main way, by model


def streamed_meat(votes: StreamedVotes, score: Scorer, parameters: int, most: int) -> Meat | None:
    """B of the votes, as `clustered_meat` gives it."""
    scores = vote_scores(score, len(votes.models), parameters)
    sums = _in_one_pass(votes, scores, most) if _promises_many(votes, 2 * most) else None
    sums = sums or _in_two_passes(votes, scores, most)
    return _meat(sums) if sums.used else None


def _promises_many(votes: StreamedVotes, clusters: int) -> bool:
    """Whether the first part, as a share of all votes, promises more than so many clusters of the first way."""
    codes = next((next(iter(part.values())) for part in votes.cluster_codes()), np.zeros(0, dtype=np.int32))
    return len(codes) > 0 and len(np.unique(codes[codes != ALONE])) * len(votes) > clusters * len(codes)


def _in_one_pass(votes: StreamedVotes, scores: VoteScores, most: int) -> _Sums | None:
    """The sums with more clusters than groups in the first way, and at most as many in the second; None where this
    turns out wrong.
    """
    ways: dict[str, _Way] = {}
    sums = _no_sums({}, scores, most)
    for part in _parts(votes):
        if not sums.used:
            ways = {name: _Way(np.zeros(FOLDED, dtype=np.bool_)) for name in part.way_names}
            for number, (name, way) in enumerate(list(ways.items())[:WAYS]):
                way.guess(most, scores, many=number == 0)
                sums.used[name] = way
            sums = _no_sums(sums.used, scores, most)
        if (columns := _add_packed(part, sums, scores, seen=True)) is not None:
            _see(ways, columns.clusters)
            _add_part(columns, sums, scores)
    _count(ways)
    used = _used(ways)
    if not (
        used.keys() <= sums.used.keys() and next(iter(sums.used)) in used and all(w.fits for w in used.values())
    ):
        return None
    for way in used.values():
        way.cut()
    pairs = {pair: shared for pair, shared in sums.pairs.items() if used.keys() >= set(pair)}
    return _Sums(used, pairs, sums.loose, sums.played)


def _in_two_passes(votes: StreamedVotes, scores: VoteScores, most: int) -> _Sums:
    """The sums of the ways that count, after a pass that sees the clusters."""
    used = _used(_seen(votes))
    for way in used.values():
        way.begin(most, scores)
    sums = _no_sums(used, scores, most)
    for part in _parts(votes) if used else ():
        if (columns := _add_packed(part, sums, scores, seen=False)) is not None:
            _add_part(columns, sums, scores)
    return sums


def _no_sums(used: dict[str, _Way], scores: VoteScores, most: int) -> _Sums:
    pairs = {pair: np.zeros((min(SHARED, most), scores.parameters)) for pair in combinations(used, 2)}
    return _Sums(used, pairs, np.zeros((scores.parameters, scores.parameters)), np.zeros(scores.models))


def _used(ways: dict[str, _Way]) -> dict[str, _Way]:
    """The ways that count, the main one first."""
    used: dict[str, _Way] = {}
    for name, way in ways.items():
        is_many = way.clusters >= FEWEST and way.clusters < way.together
        is_main = way.clusters + way.alone >= 2 and way.clusters < way.together
        if len(used) < WAYS and (is_many if used else is_main):
            used[name] = way
    return used


def _seen(votes: StreamedVotes) -> dict[str, _Way]:
    """The clusters of each way."""
    ways: dict[str, _Way] = {}
    for clusters in votes.cluster_codes():
        _see(ways, clusters)
    _count(ways)
    return ways


def _see(ways: dict[str, _Way], clusters: Mapping[str, Ints]) -> None:
    for name, codes in clusters.items():
        if name not in ways:
            ways[name] = _Way(np.zeros(FOLDED, dtype=np.bool_))
        ways[name].see(codes)


def _count(ways: dict[str, _Way]) -> None:
    for way in ways.values():
        way.clusters = int(np.count_nonzero(way.present))


def _parts(votes: StreamedVotes) -> Iterator[PackedVotes | ClusteredVotes]:
    """The parts of the votes, packed where they are stored so."""
    return votes.parts() if votes.packed is None else votes.packed()


def _add_packed(
    part: PackedVotes | ClusteredVotes, sums: _Sums, scores: VoteScores, *, seen: bool
) -> ClusteredVotes | None:
    """Add a packed part to the sums, and with `seen` to the votes of the ways; returns one that is left to `_add_part`."""
    if isinstance(part, ClusteredVotes):
        return part
    together = scores.add_packed(part, sums.used, next(iter(sums.pairs.values()), None))
    if together is None:
        return part.columns()
    for way, number in zip(sums.used.values(), together if seen else (), strict=False):
        way.together += number
        way.alone += len(part) - number
    return None


def _add_part(part: ClusteredVotes, sums: _Sums, scores: VoteScores) -> None:
    """Add one part of the votes to the sums of each way, and of what two ways share."""
    together: dict[str, Ints | None] = {}  # the places of votes that are not alone; None for all
    for number, (name, way) in enumerate(sums.used.items()):
        codes = part.clusters[name]
        rows: Ints | None = None if codes.min() >= 0 else np.flatnonzero(codes != ALONE)
        together[name] = rows
        if number == 0 and rows is not None:
            _add_alone(part, np.flatnonzero(codes == ALONE), scores, sums)
        if rows is None or rows.size:
            scores.add(part, rows, way.group(codes if rows is None else codes[rows]), way.sums, way.met)
    for (first, second), shared in sums.pairs.items():
        rows = _both(together[first], together[second])
        one, two = (part.clusters[name] if rows is None else part.clusters[name][rows] for name in (first, second))
        if len(one):
            joint = ((one.astype(np.int64) * 0x9E3779B1 ^ two.astype(np.int64) * 0x85EBCA77) >> 7) % len(shared)
            scores.add(part, rows, joint, shared, None)


def _both(one: Ints | None, other: Ints | None) -> Ints | None:
    """The places that are among both."""
    if one is None or other is None:
        return other if one is None else one
    return np.intersect1d(one, other, assume_unique=True)


def _add_alone(part: ClusteredVotes, alone: Ints, scores: VoteScores, sums: _Sums) -> None:
    """Add s s' of votes that are alone in their cluster, and count their models."""
    a, b = part.model_a[alone], part.model_b[alone]
    values = scores.of(a, b, part.outcome[alone])
    places = (a, b, *(np.full(len(alone), extra) for extra in range(scores.models, scores.parameters)))
    for end, value in zip(places, values, strict=True):
        for other, also in zip(places, values, strict=True):
            np.add.at(sums.loose, (end, other), value * also)
    for end in (a, b):
        sums.played += np.bincount(end, minlength=scores.models)


def _meat(sums: _Sums) -> Meat:
    total, effective = np.zeros_like(sums.loose), np.full(len(sums.played), np.inf)
    main = next(iter(sums.used))
    played = sums.played + sums.used[main].met.sum(axis=0)
    for place, way in enumerate(sums.used.values()):
        number = way.groups + way.alone
        summed = way.sums.T @ way.sums
        total += number / (number - 1) * (summed if place else summed + sums.loose)
        squares = np.einsum("gm,gm->m", way.met, way.met) + played - way.met.sum(axis=0)
        effective = np.fmin(effective, effective_clusters(played, squares))
    for shared in sums.pairs.values():
        total -= len(shared) / (len(shared) - 1) * (shared.T @ shared)
    if sums.pairs:
        total = positive_part(total)
    clusters = {name: way.clusters + (way.alone if name == main else 0) for name, way in sums.used.items()}
    return Meat(total, effective, clusters)
