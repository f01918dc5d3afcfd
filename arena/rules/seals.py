"""Seals: votes hashed into a Merkle tree, whose root is chained to the previous seal.

    leaf  = SHA-256(0x00 || canonical JSON of the vote)
    node  = SHA-256(0x01 || left || right);  a node without a neighbour moves up as it is
    seal  = SHA-256(canonical JSON of {number, previous, first_vote, last_vote, votes, root, filter, boards,
            sealed_at, columns, set_aside};  seals before 0.3 have no columns, and most have nothing set aside)

Canonical JSON has sorted keys, no spaces, UTF-8 and only the escapes that JSON requires; times are UTC with
microseconds. The two prefixes distinguish leaves from nodes (RFC 6962, section 2.1). All functions work on plain
values, so that an export can be verified without a database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

GENESIS = "0" * 64  # `previous` of the first seal
FORMER = "former:"  # begins the stored voter of votes whose voter was deleted; the pseudonym follows
DECIMALS = 4  # of a rating in a seal: rounding differs between machines only far below


@dataclass(frozen=True, slots=True)
class SealedVote:
    """A vote as sealed and published: without texts, and with a pseudonym for the voter."""

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
    suggested: bool = False  # the battle began with a prompt that the page suggests
    prompt: str | None = None  # the name of a prompt that other battles can have; not part of the leaf
    control: str | None = None  # the kind of a control battle, whose votes count on no board

    def to_dict(self) -> dict[str, Any]:
        """The vote as hashed; `suggested` and `control` only if it is, so that the leaves of older votes stay."""
        left_out = {"prompt", *(name for name in ("suggested", "control") if not getattr(self, name))}
        return {name: getattr(self, name) for name in self.__slots__ if name not in left_out}

    def leaf(self) -> bytes:
        return hashlib.sha256(b"\x00" + canonical(self.to_dict())).digest()


@dataclass(frozen=True)
class Seal:
    """A batch of votes, from `first_vote` to `last_vote`, and the boards of all votes up to then."""

    number: int  # from 1
    previous: str
    first_vote: int
    last_vote: int
    votes: int
    root: str
    filter: str
    sealed_at: str
    boards: list[Mapping[str, Any]] = field(default_factory=list)
    columns: Mapping[str, str] | None = None  # SHA-256 of published columns that no leaf has, by name
    set_aside: list[Mapping[str, Any]] | None = None  # votes that its boards leave out

    @property
    def sha256(self) -> str:
        return hashlib.sha256(canonical(self.content())).hexdigest()

    def content(self) -> dict[str, Any]:
        """What is hashed; the last two only where there are some, so that the hashes of older seals stay."""
        plain = asdict(self)
        for name in ("columns", "set_aside"):
            if plain[name] is None:
                del plain[name]
        return plain

    def to_dict(self) -> dict[str, Any]:
        return {**self.content(), "sha256": self.sha256}


class Tree:
    """A Merkle root from leaves added one by one, in memory logarithmic in their number."""

    def __init__(self) -> None:
        self.leaves = 0
        self._peaks: list[tuple[int, bytes]] = []  # (height, hash) of whole subtrees, the widest first

    def add(self, leaf: bytes) -> None:
        self.leaves += 1
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            _, left = self._peaks.pop()
            leaf, height = node_hash(left, leaf), height + 1
        self._peaks.append((height, leaf))

    def root(self) -> str:
        """The root in hex; without leaves it is the hash of an empty string."""
        if not self._peaks:
            return hashlib.sha256(b"").hexdigest()
        _, right = self._peaks[-1]
        for _, left in reversed(self._peaks[:-1]):
            right = node_hash(left, right)
        return right.hex()


def pseudonym(key: bytes, voter: str) -> str:
    """A name in publications: a keyed hash, which only the arena can link to the text behind it."""
    return hmac.new(key, voter.encode(), hashlib.sha256).hexdigest()[:20]


def published_voter(key: bytes, voter: str) -> str:
    """The pseudonym of a stored voter. That of a deleted voter is what is stored, so that seals still verify."""
    return voter.removeprefix(FORMER) if voter.startswith(FORMER) else pseudonym(key, voter)


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value, as bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node of the tree."""
    return hashlib.sha256(b"\x01" + left + right).digest()
