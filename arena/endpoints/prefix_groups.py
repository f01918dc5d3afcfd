"""How texts that share their beginning are read together: each shared piece once.

A multiple-choice question is asked once for every choice, and all questions of a subject begin with the same
solved examples. Here the examples are read once into a key-value cache, and questions with their choices as
branches are packed into one row, without padding: a mask lets every token see its own path alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEAST_SHARED = 16  # tokens; below it a pass of its own costs more than reading them again
KEPT = 0.7  # of a shared beginning that another text must have to join its group
ROW = 512  # tokens in a row, unless one question has more


@dataclass(eq=False)
class Question:
    """One context and the continuations that are weighed after it, all as tokens; the context is not empty."""

    context: tuple[int, ...]
    continuations: list[tuple[int, ...]] = field(default_factory=list)

    def size(self, shared: int) -> int:
        """Tokens in a row: what follows the shared beginning; a continuation's last token is never read."""
        return len(self.context) - shared + sum(max(0, len(one) - 1) for one in self.continuations)


@dataclass(frozen=True)
class Group:
    """Questions whose contexts begin with the same `shared` tokens, in packs that fit a row."""

    shared: int
    packs: Sequence[Sequence[Question]]

    @property
    def beginning(self) -> tuple[int, ...]:
        return self.packs[0][0].context[: self.shared]


@dataclass(frozen=True)
class Row:
    """A pack as the network reads it. `sees`, shape (tokens, shared + tokens), says which token sees which.

    `reads[q]` has for each continuation of question q the places of the logits that predict its tokens.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    sees: NDArray[np.bool_]
    reads: Sequence[Sequence[Sequence[int]]]


def groups(questions: Sequence[Question], most: int = ROW) -> Iterator[Group]:
    """All questions, in groups by their beginning, the longest texts first."""
    ordered = sorted(questions, key=lambda question: question.context)
    found: list[tuple[int, list[Question]]] = []
    for question in ordered:
        if found and (shared := _joins(found[-1], question)):
            found[-1][1].append(question)
            found[-1] = (shared, found[-1][1])
        else:
            found.append((0, [question]))
    alone = [members[0] for _, members in found if len(members) == 1]
    shared_groups = [Group(shared, _packs(members, shared, most)) for shared, members in found if len(members) > 1]
    if alone:
        shared_groups.append(Group(0, _packs(alone, 0, most)))
    return iter(sorted(shared_groups, key=lambda group: -max(len(one.context) for one in group.packs[0])))


def row(pack: Sequence[Question], shared: int) -> Row:
    """The pack laid out after `shared` tokens that are in the cache."""
    size = sum(question.size(shared) for question in pack)
    tokens, positions = np.zeros(size, np.int64), np.zeros(size, np.int64)
    sees = np.zeros((size, shared + size), bool)
    sees[:, :shared] = True
    reads = []
    place = 0
    for question in pack:
        start, tail = place, question.context[shared:]
        place = _lay(tokens, positions, sees, start, tail, shared, shared)
        end = place - 1
        paths = []
        for continuation in question.continuations:
            branch = place
            place = _lay(tokens, positions, sees, branch, continuation[:-1], len(question.context), shared)
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


def _joins(group: tuple[int, list[Question]], question: Question) -> int:
    """The tokens that the group would share with `question` in it; 0 where it had better not join."""
    shared, members = group
    first = members[0].context
    same = common(first[:shared] if len(members) > 1 else first, question.context)
    same = min(same, len(question.context) - 1, len(first) - 1)  # every question has a token of its own
    if same < LEAST_SHARED or (len(members) > 1 and same < KEPT * shared):
        return 0
    return same


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts share at their beginning."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    low, high = 0, most  # one[:low] is shared, one[:high] is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle)
    return low


def _packs(questions: Sequence[Question], shared: int, most: int) -> list[list[Question]]:
    """Rows of at most `most` tokens, filled with the longest questions first."""
    packs: list[list[Question]] = []
    room = 0
    for question in sorted(questions, key=lambda one: -one.size(shared)):
        size = question.size(shared)
        if not packs or size > room:
            packs.append([])
            room = most
        packs[-1].append(question)
        room -= size
    return packs
