"""Receipts of the store: which seal holds a vote, and the path to its root."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from threading import Lock
from typing import Any

from arena.rules.receipts import inclusion_path, receipt
from arena.rules.seals import Seal
from arena.rules.signed_heads import Signer
from arena.rules.vote_states import VoteState
from arena.store import Database, Session
from arena.store.held_votes import VoteStatus, vote_states
from arena.store.ledger import seal_of_vote, sealed_vote, sealed_votes
from arena.store.query_filters import VoteSelection

KEPT = 32  # seals whose leaves stay in memory: 0.8 MB each at most, and a second to read and hash again
LEAF = 32  # bytes


def state_words(status: VoteStatus) -> dict[str, str]:
    """The state of a vote as it is published: the reason of an accepted one is no longer of interest."""
    if status.state == VoteState.ACCEPTED:
        return {"state": status.state}
    return {"state": status.state, "reason": status.reason}


class Receipts:
    """Receipts of a server. Sealed leaves never change, so those of the last seals that were requested are kept."""

    def __init__(self, database: Database, signer: Signer | None = None) -> None:
        self._database, self._signer = database, signer
        self._kept: OrderedDict[int, tuple[array[int], bytes]] = OrderedDict()
        self._lock = Lock()  # many requests for one seal hash it once

    def find(self, number: int, leaf: str) -> dict[str, Any] | None:
        """The receipt of a vote, or None if no vote has this number and this leaf."""
        with self._database.read() as session:
            vote = sealed_vote(session, number)
            if vote is None or vote.leaf().hex() != leaf:
                return None
            state = state_words(vote_states(session, [number])[number])
            seal = seal_of_vote(session, number)
            if seal is None:
                return receipt(number, leaf, state)
            with self._lock:
                numbers, joined = self._leaves(session, seal)
        leaves = [joined[start : start + LEAF] for start in range(0, len(joined), LEAF)]
        return receipt(number, leaf, state, seal, inclusion_path(leaves, numbers.index(number)), self._signer)

    def _leaves(self, session: Session, seal: Seal) -> tuple[array[int], bytes]:
        """The numbers of the votes of a seal, and their leaves, joined."""
        if seal.number not in self._kept:
            numbers, leaves = array("q"), []
            for vote in sealed_votes(session, seal.first_vote - 1, VoteSelection(until=seal.last_vote)):
                numbers.append(vote.vote)
                leaves.append(vote.leaf())
            self._kept[seal.number] = numbers, b"".join(leaves)
        self._kept.move_to_end(seal.number)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[seal.number]
