"""The leaderboards of a battles file, computed for an export and again for its verification."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

import ratings
from arena.leaderboards.vote_clusters import ways
from arena.leaderboards.vote_counts import BOARD_VERSION, VoteCounts
from arena.leaderboards.vote_filters import Filter
from arena.rules.seals import SealedVote
from arena.rules.set_aside import AsideVotes
from arena.rules.vote_clusters import prompt_code, voter_code
from arena.rules.votes import HUMAN, OVERALL

Row = Mapping[str, Any]
STYLE = tuple(f"{name}_{side}" for name in ratings.STYLE_FEATURES for side in "ab")
ESCAPED = {"both_bad": "tie (bothbad)"}  # the name in the public data sets
READ = {theirs: ours for ours, theirs in ESCAPED.items()}


def vote_of(row: Row) -> SealedVote:
    """The sealed part of a row. Raises KeyError for a missing field."""
    winner = str(row["winner"])
    return SealedVote(
        vote=int(row["vote"]),
        battle=row["question_id"],
        model_a=row["model_a"],
        model_b=row["model_b"],
        winner=READ.get(winner, winner),
        source=row["source"],
        voter=row["voter"],
        stopped_early=row["stopped_early"],
        leaked=row["leaked"],
        created_at=row["timestamp"],
        suggested=bool(row.get("suggested")),
        prompt=row.get("prompt_cluster"),
        control=row.get("control"),
    )


class ExportBoards:
    """Every published leaderboard, from rows that are added one by one. Votes of `aside` are excluded."""

    def __init__(self, chosen: Filter, aside: AsideVotes | None = None) -> None:
        self.filter, self.aside = chosen, aside or AsideVotes(())
        self._is_counted = chosen.start()
        self._counts: dict[str, VoteCounts] = {}
        self._models: dict[str, int] = {}
        self._styled = array(
            "q"
        )  # per vote of a person: both models, winner, voter, prompt, then the counts of STYLE
        self.until = ""

    def add(self, vote: SealedVote, row: Row) -> None:
        if not self._is_counted(vote) or vote in self.aside:
            return
        self.until = max(self.until, vote.created_at)
        for category in dict.fromkeys((OVERALL, *(row["categories"] or ()))):
            self._counts.setdefault(category, VoteCounts()).add((vote,))
        if vote.source == HUMAN and row.get("length_a") is not None:
            ends = (self._models.setdefault(name, len(self._models)) for name in (vote.model_a, vote.model_b))
            codes = voter_code(vote.voter, vote.battle), prompt_code(vote.prompt, vote.battle)
            self._styled.extend((*ends, _CODE[vote.winner], *codes, *(int(row[name]) for name in STYLE)))

    def published(self, models: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Bradley–Terry and Davidson leaderboards by category and source, and one of people's votes with style control.

        A method whose parameters the votes do not define has no leaderboard.
        """
        for category in sorted(self._counts, key=lambda name: (name != OVERALL, name)):
            counts = self._counts[category]
            for source in counts.sources:
                pairs = counts.pair_counts(source, models)
                clusters = counts.clusters(source, models)
                yield self._board(source, category, "bt", ratings.leaderboard(pairs, clusters=clusters))
                with _where_defined():
                    fit = ratings.davidson(pairs, prior=ratings.PRIOR, clusters=clusters)
                    board = ratings.leaderboard(pairs, fit=fit, clusters=clusters)
                    yield self._board(source, category, "davidson", board)
        yield from self._with_style()

    def _with_style(self) -> Iterator[dict[str, Any]]:
        width = 5 + len(STYLE)
        if not self._styled:
            return
        names = list(self._models)
        a, b, winner, voters, prompts, *counts = (self._styled[place::width].tolist() for place in range(width))
        columns = [names[code] for code in a], [names[code] for code in b], [_NAME[code] for code in winner]
        features = dict(zip(STYLE, counts, strict=True))
        sides = ({name: features[f"{name}_{side}"] for name in ratings.STYLE_FEATURES} for side in "ab")
        with _where_defined():
            battles = ratings.read_battles(*columns)
            codes = ways(HUMAN, np.array(voters, dtype=np.int32), np.array(prompts, dtype=np.uint32))
            ends = battles.model_a, battles.model_b
            clusters = ratings.ClusteredVotes(battles.models, *ends, battles.outcome, codes)
            z = ratings.style_differences(*sides)
            fit = ratings.contextual(*columns, z, prior=ratings.PRIOR, clusters=clusters)
            board = ratings.leaderboard(ratings.count_pairs(*columns), fit=fit)
            yield self._board(HUMAN, OVERALL, "style", board)

    def _board(self, source: str, category: str, method: str, board: ratings.Leaderboard) -> dict[str, Any]:
        plain = board.to_dict()
        return {
            "version": BOARD_VERSION,
            "source": source,
            "category": category,
            "board": method,
            "filter": self.filter.version,
            "as_of": self.until,
            "votes": plain.pop("battles"),
            **plain,
        }


@contextmanager
def _where_defined() -> Iterator[None]:
    """Skip a fit whose parameters have no finite value, as with very few votes."""
    with suppress(ratings.BadOption, ratings.NotConverged):
        yield


_CODE = {outcome.name: code for code, outcome in enumerate(ratings.OUTCOMES)}
_NAME = [outcome.name for outcome in ratings.OUTCOMES]
