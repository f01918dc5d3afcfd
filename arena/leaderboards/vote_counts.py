"""Pair counts from single votes, without a database."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import ratings
from arena.leaderboards.query import DEFAULT_RULES, BoardRules
from arena.leaderboards.vote_clusters import ways
from arena.leaderboards.vote_filters import Filter
from arena.rules.judge_names import repeated_judges
from arena.rules.seals import DECIMALS, SealedVote
from arena.rules.set_aside import AsideVotes
from arena.rules.vote_clusters import prompt_code, voter_code
from arena.rules.votes import HUMAN, JUDGE, JUDGES, SCORES, WINNERS
from arena.store import Session
from arena.store.ledger import sealed_votes, votes_from
from arena.store.models import model_ids
from arena.store.packed_votes import Packed, packed_votes
from arena.store.query_filters import VoteSelection
from arena.store.set_aside import asides
from arena.store.votes import counted_sources

BOARD_VERSION = (
    2  # of what a sealed or exported board says; raise it when a rank or an interval changes its meaning
)
SOURCES = (HUMAN, JUDGES, "all")  # the sealed and published leaderboards; each judge has one more


def is_of_source(source: str, wanted: str) -> bool:
    """Whether votes of `source` count on the board of `wanted`: human, judges, judge:NAME or all."""
    return wanted in ("all", source) or (wanted == JUDGES and source.startswith(JUDGE))


class VoteCounts:
    """Votes counted by source, pair and winner, for the leaderboard of any source."""

    def __init__(self, pool_judges: bool = False) -> None:
        self.pool_judges = pool_judges  # whether every name of a judge counts where judges are added up
        self._counts: dict[str, Counter[tuple[str, str, str]]] = {}
        self._votes: dict[str, array[int]] = {}  # of those added with their clusters, five numbers each
        self._models: dict[str, int] = {}

    def add(self, votes: Iterable[SealedVote]) -> None:
        """Add votes, with their clusters."""
        place = self._models
        for vote in votes:
            counter = self._counts.setdefault(vote.source, Counter())
            counter[vote.model_a, vote.model_b, vote.winner] += 1
            ends = (place.setdefault(name, len(place)) for name in (vote.model_a, vote.model_b))
            codes = voter_code(vote.voter, vote.battle), prompt_code(vote.prompt, vote.battle)
            column = self._votes.setdefault(vote.source, array("I"))
            column.extend((*ends, WINNERS.index(vote.winner), *codes))

    def add_packed(self, source: str, votes: Packed, names: Mapping[int, str]) -> None:
        """Add votes of one source, with their clusters. `names` are those of the models by id."""
        met = np.unique(np.concatenate([votes["a"], votes["b"]])).tolist()
        place = np.zeros(max(met, default=0) + 1, dtype=np.uint32)
        for number in met:
            place[number] = self._models.setdefault(names[number], len(self._models))
        outcome, voter = votes["voter"] & 3, votes["voter"] >> 2
        columns = np.stack([place[votes["a"]], place[votes["b"]], outcome, voter, votes["prompt"]], axis=1)
        self._votes.setdefault(source, array("I")).frombytes(columns.astype(np.uint32).tobytes())
        cells, number_of = np.unique(columns[:, :3], axis=0, return_counts=True)
        models = list(self._models)
        rows = zip(cells.tolist(), number_of.tolist(), strict=True)
        self.add_counts((source, models[a], models[b], WINNERS[w], number) for (a, b, w), number in rows)

    def add_counts(self, rows: Iterable[tuple[str, str, str, str, int]]) -> None:
        """Add votes that are counted already: (source, model_a, model_b, winner, votes)."""
        for source, a, b, winner, number in rows:
            self._counts.setdefault(source, Counter())[a, b, winner] += number

    @classmethod
    def joined(cls, parts: Iterable[VoteCounts], without: Collection[str] = ()) -> VoteCounts:
        """The votes of several counts, but for those of the sources `without`."""
        made = cls()
        for part in parts:
            place = [made._models.setdefault(name, len(made._models)) for name in part._models]
            lookup = np.array(place or [0], dtype=np.uint32)
            for source in part._counts.keys() - set(without):
                made._counts.setdefault(source, Counter()).update(part._counts[source])
                votes = np.array(part._votes.get(source, ()), dtype=np.uint32).reshape(-1, 5)
                votes[:, :2] = lookup[votes[:, :2]]
                made._votes.setdefault(source, array("I")).frombytes(votes.tobytes())
        return made

    @property
    def sources(self) -> list[str]:
        """The sources with votes: human, judges, all, then each judge."""
        given = list(self._counts)
        merged = [
            name for name in SOURCES if name != "all" and any(is_of_source(source, name) for source in given)
        ]
        several = ["all"] if len(merged) > 1 else []
        return [*merged, *several, *sorted(source for source in given if source.startswith(JUDGE))]

    def _counted(self, wanted: str) -> set[str]:
        """The sources whose votes count on the board of `wanted`: of each judge one name, where judges are added up."""
        repeated = repeated_judges(self._counts) if wanted in (JUDGES, "all") and not self.pool_judges else {}
        return {source for source in self._counts if is_of_source(source, wanted)} - repeated.keys()

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
        counted = self._counted(source)
        for given, counter in self._counts.items():
            if given in counted:
                for (a, b, winner), number in counter.items():
                    if a in place and b in place:
                        cells[place[a], place[b], WINNERS.index(winner)] += number
        pairs = sorted({(a, b) for a, b, _ in cells})
        table = np.array([[cells[a, b, w] for w in range(len(WINNERS))] for a, b in pairs], dtype=np.int64)
        ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return ratings.PairCounts(tuple(models), ends[:, 0], ends[:, 1], *table.reshape(-1, len(WINNERS)).T)

    def clusters(self, source: str, models: Sequence[str]) -> ratings.ClusteredVotes:
        """The votes of a source between `models`, by cluster."""
        counted = self._counted(source)
        parts = [
            np.frombuffer(column, dtype=np.uint32).reshape(-1, 5)
            for given, column in self._votes.items()
            if given in counted
        ]
        votes = np.concatenate([np.empty((0, 5), dtype=np.uint32), *parts])
        place = {name: number for number, name in enumerate(models)}
        lookup = np.array([place.get(name, -1) for name in self._models] or [-1], dtype=np.int32)
        a, b = lookup[votes[:, 0]], lookup[votes[:, 1]]
        kept = (a >= 0) & (b >= 0)
        codes = ways(source, votes[kept, 3].astype(np.int32), votes[kept, 4])
        return ratings.ClusteredVotes(tuple(models), a[kept], b[kept], votes[kept, 2], codes)

    def leaderboard(
        self, source: str, models: Sequence[str], *, rules: BoardRules = DEFAULT_RULES
    ) -> ratings.Leaderboard:
        """The leaderboard of a source over `models`, with intervals that allow for clusters."""
        return ratings.leaderboard(
            self.pair_counts(source, models),
            minimum_battles=rules.minimum_votes,
            minimum_clusters=rules.minimum_voters,
            clusters=self.clusters(source, models),
        )


def counted_votes(session: Session, chosen: Filter, selection: VoteSelection) -> Iterator[SealedVote]:
    """The votes of a selection that a filter counts, without those that are set aside.

    The filter sees all of them, so that a cap of a day counts the same votes before and after.
    """
    aside = AsideVotes(asides(session))
    counted = chosen.counted(sealed_votes(session, selection=selection))
    return (vote for vote in counted if vote not in aside)


def add_stored(session: Session, counts: VoteCounts, selection: VoteSelection) -> None:
    """Add every stored vote of a selection, with its clusters, from the packed votes."""
    names = model_ids(session)
    late = np.array(votes_from(session, selection.before) if selection.before else [], dtype=np.uint32)
    for source in counted_sources(session):
        if is_of_source(source, selection.source or "all"):
            votes = packed_votes(session, source, selection.category)
            if selection.until is not None:
                votes = votes[votes["vote"] <= selection.until]
            if late.size:
                votes = votes[~np.isin(votes["vote"], late)]
            if votes.size:
                counts.add_packed(source, votes, names)


def board_in_seal(board: ratings.Leaderboard, source: str) -> dict[str, Any]:
    """A leaderboard as a seal stores it, rounded to the same digits on every machine.

    `clusters` says that intervals allow for these. Boards without `version` are of seals before 0.3, when ranks,
    intervals and the models of a board were defined otherwise.
    """
    rows = board.to_dict()["models"]
    kept = ("model", "rating", "lower", "upper", "rank", "battles")
    return {
        "version": BOARD_VERSION,
        "source": source,
        "votes": board.battles,
        "method": board.method,
        **{name: board.parameters[name] for name in ("clusters",) if name in board.parameters},
        "models": [{name: _rounded(row[name]) for name in kept} for row in rows],
    }


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value
