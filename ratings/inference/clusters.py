"""The middle of a sandwich covariance when votes of a cluster belong together, in one or several ways.

    B = sum over clusters g of  s_g s_g',    s_g = sum over the votes of g of their score,    times C / (C - 1)

With several ways to cluster (voter, prompt), votes that share any of them may depend on each other:

    B = B_voter + B_prompt - B_both,    where the clusters of B_both share voter and prompt

with eigenvalues below zero set to zero. Scores follow from a fit, the votes of a cluster do not: they are kept as they
are, and a board sums them up at its own fit. Up to `MOST_GROUPS` clusters B is exact. More clusters are put together at
random into so many groups, which leaves B without bias and adds 1.1 % (sqrt(2 / 16,384)) to the error of a variance.
Sources: Liang & Zeger, Biometrika 73 (1986); several ways: Cameron, Gelbach & Miller, JBES 29 (2011); random groups:
Wolter, Introduction to Variance Estimation (2007), chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ratings.data.clusters import ALONE, ClusteredVotes, Ints, StreamedVotes
from ratings.data.counts import Floats
from ratings.inference.score_sums import (
    FEWEST,
    Meat,
    Scorer,
    add_at,
    most_groups,
    positive_part,
)
from ratings.inference.streamed_clusters import streamed_meat

CHUNK = 1 << 18
LEAST_DEGREES, MOST_DEGREES = 2.0, 1e6  # of freedom: see docs/decisions/clustered-boards.md


@dataclass(frozen=True, eq=False)
class _Groups:
    """The group of each of some votes: `rows` are their places, None for all votes; every other vote is alone."""

    of_row: Ints
    rows: Ints | None
    number: int
    clusters: int  # in these groups


def clustered_meat(votes: ClusteredVotes | StreamedVotes, score: Scorer, parameters: int) -> Meat | None:
    """B of the votes, clustered in each way that has two clusters, one of them of two votes; None where no way has.

    The first such way is the main one. Another one counts if it has `FEWEST` clusters and any of them holds two votes.
    """
    most = most_groups(parameters)
    if isinstance(votes, StreamedVotes):
        return streamed_meat(votes, score, parameters, most)
    used = _used(votes, most)
    if not used:
        return None
    total = np.zeros((parameters, parameters))
    effective = np.full(len(votes.models), np.inf)
    played = _played(votes)
    for size in range(1, len(used) + 1):
        for ways in combinations(used.values(), size):
            groups = ways[0]
            for way in ways[1:]:
                groups = _shared(groups, way, most)
            sums, met = _sums(votes, groups, score, parameters, counted=size == 1)
            number = groups.number + len(votes) - len(groups.of_row)
            total += (-1) ** (size + 1) * number / max(number - 1, 1) * (sums.T @ sums)
            if size == 1:
                squares = np.square(met).sum(axis=0) + played - met.sum(axis=0)
                effective = np.fmin(
                    effective, np.divide(played**2, squares, out=effective.copy(), where=played > 0)
                )
    if len(used) > 1:
        total = positive_part(total)
    return Meat(total, effective, {name: groups.clusters for name, groups in used.items()})


def widened(covariance: Floats, independent: Floats, meat: Meat) -> tuple[Floats, Floats, Floats]:
    """The covariance (models, models) that few clusters support, degrees of freedom and design effects (models,).

    Where few clusters hold a model's votes their sums vary too little, as they add up to zero at the fit. So a
    variance gets the factor g / (g - 1) of the g effective clusters of its model, and is never below that of
    independent votes; quantiles are those of Student's t with g - 1 degrees of freedom. The design effect is the
    variance over that of independent votes.
    """
    wider, degrees = for_few(covariance, meat.effective, min(meat.clusters.values()))
    own, apart = np.diag(wider), np.diag(independent)
    wide = np.fmax(own, apart)
    effect = np.divide(wide, apart, out=np.ones_like(wide), where=apart > 0)
    return wider + np.diag(wide - own), degrees, effect


def for_few(covariance: Floats, effective: Floats, fewest: int) -> tuple[Floats, Floats]:
    """The covariance (models, models) and degrees of freedom (models,) of `widened`, without that of independent votes."""
    factor = np.maximum(1.0, (1 - 1 / fewest) / (1 - 1 / np.maximum(effective, 2.0)))
    own = np.diag(covariance)
    return covariance + np.diag(own * factor - own), np.clip(effective - 1, LEAST_DEGREES, MOST_DEGREES)


def _used(votes: ClusteredVotes, most: int) -> dict[str, _Groups]:
    """The ways to cluster that count, the main one first."""
    used: dict[str, _Groups] = {}
    for name, codes in votes.clusters.items():
        groups = _repeating(codes, most) if used else _grouped(_each_alone(codes), most)
        if groups is not None and (FEWEST if used else 2) <= groups.clusters < len(codes):
            used[name] = groups
    return used


def _each_alone(codes: Ints) -> Ints:
    """The codes with one of its own for every vote that is alone in its cluster."""
    alone = np.flatnonzero(codes == ALONE)
    if not alone.size:
        return codes
    codes = codes.astype(np.int64)
    codes[alone] = int(codes.max()) + 1 + np.arange(len(alone))
    return codes


def _repeating(codes: Ints, most: int) -> _Groups | None:
    """The groups of the votes that are not alone; None where no cluster has two votes."""
    rows = np.flatnonzero(codes != ALONE)
    groups = _grouped(codes[rows], most)
    return None if groups.clusters == len(rows) else replace(groups, rows=rows)


def _grouped(codes: Ints, most: int) -> _Groups:
    """Each cluster as a group, or with more than `most` clusters each in one of so many groups."""
    distinct, group = np.unique(codes, return_inverse=True)
    clusters = len(distinct)
    if clusters <= most:
        return _Groups(group, None, max(clusters, 1), clusters)
    return _Groups((codes % most).astype(np.int32), None, most, clusters)


def _shared(first: _Groups, second: _Groups, most: int) -> _Groups:
    """The groups of the votes that share both ways."""
    assert second.rows is not None  # only the main way has a group for every vote
    if first.rows is None:
        rows, ours, theirs = second.rows, first.of_row[second.rows], second.of_row
    else:
        rows, at, there = np.intersect1d(first.rows, second.rows, assume_unique=True, return_indices=True)
        ours, theirs = first.of_row[at], second.of_row[there]
    code = ours.astype(np.int64) * second.number + theirs
    return replace(_grouped(code, most), rows=rows)


def _played(votes: ClusteredVotes) -> Floats:
    """The number of votes (models,) on each model."""
    size = len(votes.models)
    both = (np.bincount(end, votes.votes, size) for end in (votes.model_a, votes.model_b))
    return np.asarray(sum(both), dtype=np.float64)


def _sums(
    votes: ClusteredVotes, groups: _Groups, score: Scorer, parameters: int, *, counted: bool
) -> tuple[Floats, Floats]:
    """The score sums (groups, parameters), and if `counted` the numbers of votes (groups, models)."""
    size = len(votes.models)
    sums = np.zeros((groups.number, parameters))
    met = np.zeros((groups.number if counted else 0, size))
    for start in range(0, len(groups.of_row), CHUNK):
        chunk = slice(start, start + CHUNK)
        rows = chunk if groups.rows is None else groups.rows[chunk]
        group, a, b = groups.of_row[chunk], votes.model_a[rows], votes.model_b[rows]
        number = None if votes.votes is None else votes.votes[rows].astype(np.float64)
        values = score(a, b, votes.outcome[rows], rows)
        for end, value in zip((a, b, *range(size, parameters)), values, strict=True):
            add_at(sums, group, end, value if number is None else value * number)
        for end in (a, b) if counted else ():
            add_at(met, group, end, number)
    return sums, met
