"""What a seal is: votes hashed into a Merkle tree, its root chained to the seal before.

    leaf  = SHA-256(0x00 || canonical JSON of the vote)
    node  = SHA-256(0x01 || left || right);  a node without a neighbour moves up as it is
    seal  = SHA-256(canonical JSON of {number, previous, first_vote, last_vote, votes, root, filter, boards,
            sealed_at})

Canonical JSON has sorted keys, no spaces, UTF-8 and no escapes but those that JSON asks for; times are UTC with
microseconds. The two prefixes keep a leaf from being taken for a node (RFC 6962, section 2.1). Everything here
works on plain values, so that whoever holds an export can follow it without a database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

GENESIS = "0" * 64  # what the first seal has as the one before
DECIMALS = 4  # of a rating in a seal: what is left of rounding differs between machines far below


@dataclass(frozen=True, slots=True)
class SealedVote:
    """A vote as it is sealed and published: no text, and a pseudonym for the voter."""

    vote: int
    battle: str  # its public id
    model_a: str
    model_b: str
    winner: str
    source: str
    voter: str
    stopped_early: bool
    leaked: bool  # a completion named its model, and the name was masked
    created_at: str

    def leaf(self) -> bytes:
        return hashlib.sha256(b"\x00" + canonical({name: getattr(self, name) for name in self.__slots__})).digest()


@dataclass(frozen=True)
class Seal:
    """A batch of votes, from `first_vote` to `last_vote`, and the boards that all votes up to then give."""

    number: int  # from 1
    previous: str
    first_vote: int
    last_vote: int
    votes: int
    root: str
    filter: str
    sealed_at: str
    boards: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(canonical(asdict(self))).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "sha256": self.sha256}


class Tree:
    """A Merkle root from leaves that come one by one; memory grows with the logarithm of their number."""

    def __init__(self) -> None:
        self.leaves = 0
        self._peaks: list[tuple[int, bytes]] = []  # (height, hash) of whole subtrees, the widest first

    def add(self, leaf: bytes) -> None:
        self.leaves += 1
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            _, left = self._peaks.pop()
            leaf, height = _node(left, leaf), height + 1
        self._peaks.append((height, leaf))

    def root(self) -> str:
        """The root in hex; that of no leaves is the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").hexdigest()
        _, found = self._peaks[-1]
        for _, left in reversed(self._peaks[:-1]):
            found = _node(left, found)
        return found.hex()


def merkle_root(votes: Iterable[SealedVote]) -> tuple[str, int]:
    """The root over the votes in the order given, and how many there were."""
    tree = Tree()
    for vote in votes:
        tree.add(vote.leaf())
    return tree.root(), tree.leaves


def pseudonym(key: bytes, voter: str) -> str:
    """A voter's name in what is published: a keyed hash, so that only the arena can tell who it is."""
    return hmac.new(key, voter.encode(), hashlib.sha256).hexdigest()[:20]


def canonical(value: Any) -> bytes:
    """JSON of which there is one form only."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
