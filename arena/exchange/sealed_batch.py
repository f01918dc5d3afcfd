"""The votes of one seal as an export has them, against what the seal says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from arena.exchange.sealed_columns import GROUPS, ColumnHashes
from arena.rules.seals import SealedVote, Tree

Row = Mapping[str, Any]


class SealedBatch:
    """The votes of one seal: their tree, and the hashes of their fixed columns."""

    def __init__(self) -> None:
        self.tree, self.hashes = Tree(), ColumnHashes()
        self.first = self.last = 0

    def add(self, vote: SealedVote, row: Row) -> None:
        self.tree.add(vote.leaf())
        self.hashes.add(row)
        self.first, self.last = self.first or vote.vote, vote.vote

    def problems(self, seal: Row) -> Iterator[str]:
        """What a seal says otherwise than its votes, in words."""
        span = f"votes {seal['first_vote']} to {seal['last_vote']}"
        if self.tree.leaves != seal["votes"]:
            yield f"holds {seal['votes']} votes ({span}), and the export has {self.tree.leaves} of them"
        elif self.tree.root() != seal["root"]:
            yield f"{span} do not give its root; one of them was changed or exchanged"
        elif self.tree.leaves and (self.first, self.last) != (seal["first_vote"], seal["last_vote"]):
            yield f"holds {span}, and the export has votes {self.first} to {self.last} in its place"
        if (columns := seal.get("columns")) is not None:
            made = self.hashes.to_dict()
            for name in dict.fromkeys((*made, *columns)):
                if columns.get(name) != made.get(name):
                    yield f"{', '.join(GROUPS.get(name, (name,)))} of {span} do not give its hash"
