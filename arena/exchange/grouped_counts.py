"""Votes counted by the seals that leave them out, for the boards of every seal in one pass over the votes."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import xor
from typing import Any

from arena.leaderboards.vote_counts import VoteCounts
from arena.rules.seals import SealedVote
from arena.rules.set_aside import AsideVotes, on_private_model

Rows = Sequence[Mapping[str, Any]]


class Statements:
    """What the seals of a chain leave out: for each vote the statements that have its number, as bits."""

    def __init__(self, statements: Iterable[Rows]) -> None:
        self._places: dict[str, int] = {}
        changes: defaultdict[int, int] = defaultdict(int)
        for rows in statements:
            if (key := _key(rows)) not in self._places:
                self._places[key] = len(self._places)
                for first, last in AsideVotes(rows).spans:
                    changes[first] ^= 1 << self._places[key]
                    changes[last + 1] ^= 1 << self._places[key]
        self._starts = sorted(changes)
        self._bits = list(accumulate((changes[start] for start in self._starts), xor))

    def leaving_out(self, number: int) -> int:
        """The bits of the statements that have this vote."""
        place = bisect_right(self._starts, number) - 1
        return self._bits[place] if place >= 0 else 0

    def bit(self, rows: Rows) -> int:
        """The bit of a statement."""
        return 1 << self._places[_key(rows)]


def _key(rows: Rows) -> str:
    return json.dumps([dict(row) for row in rows], sort_keys=True, default=str)


class GroupedCounts:
    """Counts of votes by the statements that leave them out."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._groups: dict[int, VoteCounts] = {0: VoteCounts()}

    def add(self, vote: SealedVote) -> None:
        if on_private_model(vote):
            return
        self._groups.setdefault(self._statements.leaving_out(vote.vote), VoteCounts()).add((vote,))

    def without(self, rows: Rows) -> VoteCounts:
        """The counts of the votes that a statement does not leave out."""
        if not rows and len(self._groups) == 1:
            return self._groups[0]
        bit = self._statements.bit(rows)
        kept = [counts for bits, counts in self._groups.items() if not bits & bit]
        return VoteCounts.joined(kept, without=AsideVotes(rows).judges)
