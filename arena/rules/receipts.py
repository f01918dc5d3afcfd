"""Receipts: the path from the leaf of one vote to the root of its seal (RFC 6962, section 2.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from arena.rules.seals import Seal, SealedVote, node_hash
from arena.rules.signed_heads import Signer, head_of

RECEIPT = "arena-receipt-1"
LEFT, RIGHT = "left", "right"  # the side on which a hash of the path stands
Path = Sequence[Sequence[str]]  # pairs of side and hash, from the leaf up
_SHA256 = re.compile("[0-9a-f]{64}")


def inclusion_path(leaves: Sequence[bytes], place: int) -> list[list[str]]:
    """The hashes that lead from the leaf at `place` to the root, each with its side."""
    path, level = [], list(leaves)
    while len(level) > 1:
        other = place ^ 1
        if other < len(level):
            path.append([LEFT if other < place else RIGHT, level[other].hex()])
        pairs = range(0, len(level) - 1, 2)
        level = [node_hash(level[i], level[i + 1]) for i in pairs] + level[len(level) - len(level) % 2 :]
        place //= 2
    return path


def root_of(leaf: str, path: Path) -> str:
    """The root that a leaf and its path give. Raises ValueError for what is no path."""
    made = _hash(leaf)
    for side, digits in path:
        if side not in (LEFT, RIGHT):
            raise ValueError(f"{side!r} is no side")
        other = _hash(digits)
        made = node_hash(other, made) if side == LEFT else node_hash(made, other)
    return made.hex()


def _hash(digits: str) -> bytes:
    """A hash in the one spelling that it has. Raises ValueError."""
    if not _SHA256.fullmatch(digits):
        raise ValueError(f"{digits[:80]!r} is no SHA-256 in lower case")
    return bytes.fromhex(digits)


def place_of(path: Path, leaves: int) -> int | None:
    """The place of the leaf whose path this is in a tree of so many leaves, from 0; None for a path of no leaf.

    A node above the leaves has a path to the root as well, and is no vote.
    """
    first = 0
    for side, _ in reversed(path):
        if leaves <= 1:
            return None
        left = 1 << (leaves - 1).bit_length() - 1  # leaves of the left half: the largest power of 2 below
        first, leaves = (first, left) if side == RIGHT else (first + left, leaves - left)
    return first if leaves == 1 else None


def voters_receipt(vote: SealedVote) -> dict[str, Any]:
    """What a voter gets with a vote that counts: its leaf, what the leaf is the hash of, and where its proof will be."""
    leaf = vote.leaf().hex()
    return {
        "format": RECEIPT,
        "vote": vote.vote,
        "leaf": leaf,
        "content": vote.to_dict(),
        "proof": f"/api/v1/receipts/{vote.vote}/{leaf}",
    }


def receipt(
    number: int,
    leaf: str,
    state: Mapping[str, str],
    seal: Seal | None = None,
    path: Path | None = None,
    signer: Signer | None = None,
) -> dict[str, Any]:
    """A receipt for anybody, without the content of the vote. Before the vote is sealed it has no proof.

    `state` is that of the vote now: `state` and, where one is given, `reason`. It is not part of the proof.
    """
    about = {"format": RECEIPT, "vote": number, "leaf": leaf, **state, "sealed": seal is not None}
    if seal is None:
        return {**about, "path": None, "seal": None, "head": None}
    return {**about, "path": path, "seal": seal.to_dict(), "head": head_of(seal, signer)}
