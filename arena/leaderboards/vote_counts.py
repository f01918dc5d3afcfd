"""Pair counts from single votes, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import ratings
from arena.rules.seals import DECIMALS, SealedVote
from arena.rules.votes import HUMAN, JUDGE, JUDGES, SCORES, WINNERS

SOURCES = (HUMAN, JUDGES, "all")  # the sealed and published leaderboards; each judge has one more


def is_of_source(source: str, wanted: str) -> bool:
    """Whether votes of `source` count on the board of `wanted`: human, judges, judge:NAME or all."""
    return wanted in ("all", source) or (wanted == JUDGES and source.startswith(JUDGE))


class VoteCounts:
    """Votes counted by source, pair and winner, for the leaderboard of any source."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[tuple[str, str, str]]] = {}

    def add(self, votes: Iterable[SealedVote]) -> None:
        for vote in votes:
            counter = self._counts.setdefault(vote.source, Counter())
            counter[vote.model_a, vote.model_b, vote.winner] += 1

    def add_counts(self, rows: Iterable[tuple[str, str, str, str, int]]) -> None:
        """Add votes that are counted already: (source, model_a, model_b, winner, votes)."""
        for source, a, b, winner, number in rows:
            self._counts.setdefault(source, Counter())[a, b, winner] += number

    @property
    def sources(self) -> list[str]:
        """The sources with votes: human, judges, all, then each judge."""
        given = list(self._counts)
        merged = [
            name for name in SOURCES if name != "all" and any(is_of_source(source, name) for source in given)
        ]
        several = ["all"] if len(merged) > 1 else []
        return [*merged, *several, *sorted(source for source in given if source.startswith(JUDGE))]

    def models(self) -> set[str]:
        """The models with votes."""
        return {model for counter in self._counts.values() for a, b, _ in counter for model in (a, b)}

    def against(self, model: str) -> dict[str, tuple[int, float]]:
        """By opponent the votes of all sources on both models, and the score of the model in them."""
        scores: dict[str, tuple[int, float]] = {}
        for counter in self._counts.values():
            for (a, b, winner), number in counter.items():
                if model in (a, b):
                    won = SCORES[winner] if a == model else 1 - SCORES[winner]
                    votes, score = scores.get(other := b if a == model else a, (0, 0.0))
                    scores[other] = (votes + number, score + won * number)
        return scores

    def pair_counts(self, source: str, models: Sequence[str]) -> ratings.PairCounts:
        """Pair counts of a source between `models`."""
        place = {name: number for number, name in enumerate(models)}
        cells: Counter[tuple[int, int, int]] = Counter()
        for given, counter in self._counts.items():
            if is_of_source(given, source):
                for (a, b, winner), number in counter.items():
                    if a in place and b in place:
                        cells[place[a], place[b], WINNERS.index(winner)] += number
        pairs = sorted({(a, b) for a, b, _ in cells})
        table = np.array([[cells[a, b, w] for w in range(len(WINNERS))] for a, b in pairs], dtype=np.int64)
        ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return ratings.PairCounts(tuple(models), ends[:, 0], ends[:, 1], *table.reshape(-1, len(WINNERS)).T)


def board_in_seal(board: ratings.Leaderboard, source: str) -> dict[str, Any]:
    """A leaderboard as a seal stores it, rounded to the same digits on every machine."""
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
