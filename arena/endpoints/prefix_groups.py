"""Groups of texts with a shared prefix, packed into rows so that each shared prefix is read once.

A multiple-choice question is scored once for every choice, and all questions of a subject begin with the same
solved examples. The examples are read once into a key-value cache, and questions with their choices as branches
are packed into one row, without padding: a mask lets every token see its own path alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEAST_SHARED = 16  # tokens; a shorter prefix costs more as a pass of its own than when read again
KEPT = 0.7  # the share of a group's prefix that another text must have to join it
ROW = 512  # tokens in a row, unless one query has more
ROW_ON_GPU = (
    2048  # starting a GPU's kernels takes as long as running a shorter row; a longer one has more masked pairs
)

SPREAD = 4  # of the tokens of a padded pass at most one in so many keeps its logits, which are large


@dataclass(eq=False)
class Query:
    """One context and the continuations scored after it, as tokens; the context is not empty."""

    context: tuple[int, ...]
    continuations: list[tuple[int, ...]] = field(default_factory=list)

    def size(self, shared: int) -> int:
        """The number of tokens in a row after the shared prefix; a continuation's last token is never read."""
        return len(self.context) - shared + sum(max(0, len(tokens) - 1) for tokens in self.continuations)


@dataclass(frozen=True)
class Group:
    """Questions whose contexts begin with the same `shared` tokens, in packs that fit a row."""

    shared: int
    packs: Sequence[Sequence[Query]]

    @property
    def beginning(self) -> tuple[int, ...]:
        return self.packs[0][0].context[: self.shared]


@dataclass(frozen=True)
class Row:
    """A pack as the network reads it. `sees`, shape (tokens, shared + tokens), says which token sees which.

    `reads[q]` has for each continuation of query q the places of the logits that predict its tokens.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    sees: NDArray[np.bool_]
    reads: Sequence[Sequence[Sequence[int]]]


def groups(queries: Sequence[Query], most: int = ROW) -> Iterator[Group]:
    """All queries, in groups by their beginning, the longest texts first."""
    ordered = sorted(queries, key=lambda query: query.context)
    prefixes: list[tuple[int, list[Query]]] = []
    for query in ordered:
        if prefixes and (shared := _joins(prefixes[-1], query)):
            prefixes[-1][1].append(query)
            prefixes[-1] = (shared, prefixes[-1][1])
        else:
            prefixes.append((0, [query]))
    alone = [members[0] for _, members in prefixes if len(members) == 1]
    shared_groups = [
        Group(shared, packs(members, shared, most)) for shared, members in prefixes if len(members) > 1
    ]
    if alone:
        shared_groups.append(Group(0, packs(alone, 0, most)))
    return iter(sorted(shared_groups, key=lambda group: -max(len(query.context) for query in group.packs[0])))


def row(pack: Sequence[Query], shared: int) -> Row:
    """The pack laid out after `shared` tokens that are in the cache."""
    size = sum(query.size(shared) for query in pack)
    tokens, positions = np.zeros(size, np.int64), np.zeros(size, np.int64)
    sees = np.zeros((size, shared + size), bool)
    sees[:, :shared] = True
    reads = []
    place = 0
    for query in pack:
        start, tail = place, query.context[shared:]
        place = _lay(tokens, positions, sees, start, tail, shared, shared)
        end = place - 1
        paths = []
        for continuation in query.continuations:
            branch = place
            place = _lay(tokens, positions, sees, branch, continuation[:-1], len(query.context), shared)
            sees[branch:place, shared + start : shared + end + 1] = True
            paths.append([end, *range(branch, place)][: len(continuation)])
        reads.append(paths)
    return Row(tokens, positions, sees, reads)


def _lay(
    tokens: NDArray[np.int64],
    positions: NDArray[np.int64],
    sees: NDArray[np.bool_],
    start: int,
    piece: Sequence[int],
    position: int,
    shared: int,
) -> int:
    """Put `piece` at `start`, each token seeing those before it in the piece; returns where it ends."""
    end = start + len(piece)
    tokens[start:end] = piece
    positions[start:end] = np.arange(position, position + len(piece))
    sees[start:end, shared + start : shared + end] = np.tri(len(piece), dtype=bool)
    return end


def _joins(group: tuple[int, list[Query]], query: Query) -> int:
    """The length of the prefix that the group would share with `query` in it; 0 if it should not join."""
    shared, members = group
    first = members[0].context
    same = common_prefix(first[:shared] if len(members) > 1 else first, query.context)
    same = min(same, len(query.context) - 1, len(first) - 1)  # every query has a token of its own
    if same < LEAST_SHARED or (len(members) > 1 and same < KEPT * shared):
        return 0
    return same


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """The number of tokens that two texts share at their beginning."""
    most = min(len(first), len(second))
    if first[:most] == second[:most]:
        return most
    low, high = 0, most  # first[:low] is shared, first[:high] is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if first[:middle] == second[:middle] else (low, middle)
    return low


def padded(queries: Sequence[Query], most: int) -> Iterator[list[Query]]:
    """Batches of queries of like length; each has at most `most` tokens with its padding, or one query."""
    batch: list[Query] = []
    for query in sorted(queries, key=lambda query: -query.size(0)):
        longest = (batch or [query])[0].size(0)
        spread = longest - len(query.context) + 1  # places whose logits are kept
        if batch and (len(batch) + 1) * max(longest, SPREAD * spread) > most:
            yield batch
            batch = []
        batch.append(query)
    if batch:
        yield batch


def packs(queries: Sequence[Query], shared: int, most: int) -> list[list[Query]]:
    """Rows of at most `most` tokens, filled with the longest queries first."""
    packs: list[list[Query]] = []
    room = 0
    for query in sorted(queries, key=lambda query: -query.size(shared)):
        size = query.size(shared)
        if not packs or size > room:
            packs.append([])
            room = most
        packs[-1].append(query)
        room -= size
    return packs
