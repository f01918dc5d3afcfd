"""Pair counts from single votes: what a board is made of when there is no database to count for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import ratings
from arena.rules.seals import DECIMALS, SealedVote
from arena.rules.votes import HUMAN, JUDGE, JUDGES, SCORES, WINNERS

SOURCES = (HUMAN, JUDGES, "all")  # the boards that are sealed and published; single judges come on top


def of_source(source: str, wanted: str) -> bool:
    """Whether votes of `source` count on the board of `wanted`: human, judges, judge:NAME or all."""
    return wanted in ("all", source) or (wanted == JUDGES and source.startswith(JUDGE))


class Tally:
    """Votes counted by source, pair and winner as they come; a board of any source can be made at any time."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[tuple[str, str, str]]] = {}

    def add(self, votes: Iterable[SealedVote]) -> None:
        for vote in votes:
            of_one = self._counts.setdefault(vote.source, Counter())
            of_one[vote.model_a, vote.model_b, vote.winner] += 1

    def add_counts(self, rows: Iterable[tuple[str, str, str, str, int]]) -> None:
        """Votes that somebody has counted: (source, model_a, model_b, winner, votes)."""
        for source, a, b, winner, number in rows:
            self._counts.setdefault(source, Counter())[a, b, winner] += number

    @property
    def sources(self) -> list[str]:
        """Boards that have votes: human, judges, all, then each judge."""
        given = list(self._counts)
        merged = [one for one in SOURCES if one != "all" and any(of_source(source, one) for source in given)]
        several = ["all"] if len(merged) > 1 else []
        return [*merged, *several, *sorted(source for source in given if source.startswith(JUDGE))]

    def models(self) -> set[str]:
        """Models with a vote."""
        return {model for of_one in self._counts.values() for a, b, _ in of_one for model in (a, b)}

    def against(self, model: str) -> dict[str, tuple[int, float]]:
        """By opponent the votes of all sources on both, and how many points the model has of them."""
        found: dict[str, tuple[int, float]] = {}
        for of_one in self._counts.values():
            for (a, b, winner), number in of_one.items():
                if model in (a, b):
                    won = SCORES[winner] if a == model else 1 - SCORES[winner]
                    votes, score = found.get(other := b if a == model else a, (0, 0.0))
                    found[other] = (votes + number, score + won * number)
        return found

    def counts(self, source: str, models: Sequence[str]) -> ratings.PairCounts:
        """Pair counts of a source between `models`."""
        place = {name: number for number, name in enumerate(models)}
        cells: Counter[tuple[int, int, int]] = Counter()
        for given, of_one in self._counts.items():
            if of_source(given, source):
                for (a, b, winner), number in of_one.items():
                    if a in place and b in place:
                        cells[place[a], place[b], WINNERS.index(winner)] += number
        pairs = sorted({(a, b) for a, b, _ in cells})
        table = np.array([[cells[a, b, w] for w in range(len(WINNERS))] for a, b in pairs], dtype=np.int64)
        ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return ratings.PairCounts(tuple(models), ends[:, 0], ends[:, 1], *table.reshape(-1, len(WINNERS)).T)


def board_in_seal(board: ratings.Leaderboard, source: str) -> dict[str, Any]:
    """A board as a seal keeps it: who stands where, with how many votes; rounded alike on every machine."""
    rows = board.to_dict()["models"]
    kept = ("model", "rating", "lower", "upper", "rank", "battles")
    return {
        "source": source,
        "votes": board.battles,
        "method": board.method,
        "models": [{name: _rounded(row[name]) for name in kept} for row in rows],
    }


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value
