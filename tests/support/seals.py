"""Merkle roots of whole lists of votes, as a check of the sealed ones."""

from __future__ import annotations

from collections.abc import Iterable

from arena.rules.seals import SealedVote, Tree


def merkle_root(votes: Iterable[SealedVote]) -> tuple[str, int]:
    """The root over the votes in the given order, and their number."""
    tree = Tree()
    for vote in votes:
        tree.add(vote.leaf())
    return tree.root(), tree.leaves
