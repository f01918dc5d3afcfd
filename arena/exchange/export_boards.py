"""The leaderboards of a battles file, computed for an export and again for its verification."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ratings
from arena.leaderboards.vote_counts import VoteCounts
from arena.leaderboards.vote_filters import Filter
from arena.rules.seals import SealedVote
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
    )


class ExportBoards:
    """Every published leaderboard, from rows that are added one by one."""

    def __init__(self, chosen: Filter) -> None:
        self.filter = chosen
        self._is_counted = chosen.start()
        self._counts: dict[str, VoteCounts] = {}
        self._models: dict[str, int] = {}
        self._styled = array("q")  # per vote of a person: both models, winner, then the counts of STYLE
        self.until = ""

    def add(self, vote: SealedVote, row: Row) -> None:
        if not self._is_counted(vote):
            return
        self.until = max(self.until, vote.created_at)
        for category in dict.fromkeys((OVERALL, *(row["categories"] or ()))):
            self._counts.setdefault(category, VoteCounts()).add((vote,))
        if vote.source == HUMAN and row.get("length_a") is not None:
            ends = (self._models.setdefault(name, len(self._models)) for name in (vote.model_a, vote.model_b))
            self._styled.extend((*ends, _CODE[vote.winner], *(int(row[name]) for name in STYLE)))

    def published(self, models: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Bradley–Terry and Davidson leaderboards by category and source, and one of people's votes with style control.

        A method whose parameters the votes do not define has no leaderboard.
        """
        for category in sorted(self._counts, key=lambda name: (name != OVERALL, name)):
            counts = self._counts[category]
            for source in counts.sources:
                pairs = counts.pair_counts(source, models)
                yield self._board(source, category, "bt", ratings.leaderboard(pairs))
                with _where_defined():
                    fit = ratings.davidson(pairs, prior=ratings.PRIOR)
                    yield self._board(source, category, "davidson", ratings.leaderboard(pairs, fit=fit))
        yield from self._with_style()

    def _with_style(self) -> Iterator[dict[str, Any]]:
        width = 3 + len(STYLE)
        if not self._styled:
            return
        names = list(self._models)
        a, b, winner, *counts = (self._styled[place::width].tolist() for place in range(width))
        columns = [names[code] for code in a], [names[code] for code in b], [_NAME[code] for code in winner]
        features = dict(zip(STYLE, counts, strict=True))
        sides = ({name: features[f"{name}_{side}"] for name in ratings.STYLE_FEATURES} for side in "ab")
        with _where_defined():
            fit = ratings.contextual(*columns, ratings.style_differences(*sides), prior=ratings.PRIOR)
            board = ratings.leaderboard(ratings.count_pairs(*columns), fit=fit)
            yield self._board(HUMAN, OVERALL, "style", board)

    def _board(self, source: str, category: str, method: str, board: ratings.Leaderboard) -> dict[str, Any]:
        plain = board.to_dict()
        return {
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


def differences(published: Row, follows: Row, tolerance: float) -> Iterator[str]:
    """The numbers of a published leaderboard that differ from the computed ones, in words."""
    if published["votes"] != follows["votes"]:
        yield f"votes is {published['votes']}, and {follows['votes']} follow"
    stated = {row["model"]: row for row in published["models"]}
    computed = {row["model"]: row for row in follows["models"]}
    for model in dict.fromkeys((*stated, *computed)):
        if model not in stated or model not in computed:
            yield f"{model}: is {'not on the board' if model in computed else 'on the board, and has no place there'}"
            continue
        for name in stated[model]:
            if not _same(stated[model][name], computed[model].get(name), tolerance):
                yield f"{model}: {name} is {stated[model][name]}, and {computed[model].get(name)} follows"
    yield from _style_differences(published.get("style") or {}, follows.get("style") or {}, tolerance)


def _style_differences(stated: Row, computed: Row, tolerance: float) -> Iterator[str]:
    for name in dict.fromkeys((*stated, *computed)):
        given, expected = stated.get(name) or {}, computed.get(name) or {}
        for part in ("value", "lower", "upper"):
            if not _same(given.get(part), expected.get(part), tolerance):
                yield f"style {name}: {part} is {given.get(part)}, and {expected.get(part)} follows"


def _same(given: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(given, float) and isinstance(expected, int | float):
        return abs(given - expected) <= tolerance
    return bool(given == expected)


def board_name(board: Row) -> str:
    parts = (board["source"], board.get("category"), board.get("board"))
    return ", ".join(str(part) for part in parts if part)


def by_key(boards: Iterable[Row]) -> dict[str, Row]:
    return {board_name(board): board for board in boards}
