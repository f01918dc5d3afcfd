"""The leaderboard from pair counts; some methods read single votes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np

import ratings
from arena.leaderboards.methods import fit_of_method
from arena.leaderboards.notes import aside_notes, cycle_notes, held_notes, lack_of_fit, repeated_notes
from arena.leaderboards.pooled_judges import left_out
from arena.leaderboards.query import DEFAULT_RULES, BoardChoice, BoardRules, NoSuchBoard
from arena.leaderboards.stored_counts import counts_of
from arena.rules.categories import VERSION
from arena.rules.messages import Phrase
from arena.rules.tagger_prompt import classifier_of
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Session
from arena.store.schema.battles import now
from arena.store.votes import counted_categories, counted_sources, unknown_judge


@dataclass(frozen=True)
class Published:
    """A leaderboard with the query that it answers and the pair counts that it was computed from."""

    board: ratings.Leaderboard
    choice: BoardChoice
    as_of: datetime
    counts: ratings.PairCounts
    filter: str = ""  # of a past day's board; today's counts every vote
    fit_notes: tuple[str, ...] = ()  # what the fit showed that a reader has to know

    @property
    def source(self) -> str:
        return self.choice.source

    @property
    def category(self) -> str:
        return self.choice.category

    @cached_property
    def lack_of_fit(self) -> ratings.LackOfFit | None:
        """The test of a Bradley–Terry board, computed when it is first read: a reveal shows ratings alone."""
        return lack_of_fit(self.choice, self.board, self.counts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of this board."""
        return (*self.fit_notes, *cycle_notes(self.lack_of_fit))

    def to_dict(self) -> dict[str, object]:
        """The JSON of `GET /api/v1/leaderboard` and `arena leaderboard --format json`."""
        classifier = {} if self.category == OVERALL else {"classifier": classifier_of(self.category, VERSION)}
        return {
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "votes": self.board.battles,
            "source": self.source,
            "category": self.category,
            **classifier,
            **({"notes": [str(note) for note in self.notes]} if self.notes else {}),
            **self.board.to_dict(),
            **({"lack_of_fit": asdict(self.lack_of_fit)} if self.lack_of_fit else {}),
        }


def publish(
    session: Session, source: str = HUMAN, category: str = OVERALL, *, method: str = "bt", style: bool = False
) -> Published:
    """The leaderboard of the votes of one source in one category, of the models that have any.

    Raises `NoSuchBoard` with the available choices.
    """
    return publish_choice(session, BoardChoice(source, category, method, style))


def publish_choice(session: Session, choice: BoardChoice, rules: BoardRules = DEFAULT_RULES) -> Published:
    """The leaderboard of a query; see `publish`. `rules` are those of the settings."""
    if why := unknown_judge(session, choice.source):
        raise NoSuchBoard(why)
    if choice.category != OVERALL and choice.category not in (counted := counted_categories(session)):
        raise NoSuchBoard(
            "Category {category!r} has no votes. Categories with votes: {others}.",
            category=choice.category,
            others=", ".join(counted) or Phrase("none"),
        )
    repeated = left_out(session, choice, rules)
    counts = counts_of(session, choice.voters, choice.category, repeated)
    if choice.category != OVERALL and not counts.battles:
        raise _no_votes(session, choice)
    try:
        counts, fit, clusters, notes = fit_of_method(session, choice, counts, rules)
        board = ratings.leaderboard(
            counts,
            fit=fit,
            minimum_battles=rules.minimum_votes,
            minimum_clusters=rules.minimum_voters,
            clusters=clusters,
        )
    except ratings.RatingsError as problem:
        raise NoSuchBoard(
            "{source}, {category}, {method}: {problem}",
            source=choice.source,
            category=choice.category,
            method=choice.method,
            problem=problem,
        ) from problem
    if fit is not None and not np.isfinite(fit.covariance).any():
        board = _by_order(board)
    absent = (*repeated_notes(repeated), *aside_notes(session, choice), *held_notes(session, choice))
    return Published(board, choice, now(), counts, fit_notes=(*notes, *absent))


def _no_votes(session: Session, choice: BoardChoice) -> NoSuchBoard:
    """The error of a category in which this source has no votes, with those that have some."""
    voted = [name for name in counted_sources(session) if counts_of(session, name, choice.category).battles]
    return NoSuchBoard(
        "{source} has no votes in {category}. Sources with votes there: {others}.",
        source=choice.source,
        category=choice.category,
        others=", ".join(voted) or Phrase("none"),
    )


def _by_order(board: ratings.Leaderboard) -> ratings.Leaderboard:
    """Ranks by place, for fits without errors: no two models differ significantly."""
    ranked = [row for row in board.rows if row.rank is not None]
    place = {row.model: number for number, row in enumerate(ranked, start=1)}
    rows = (
        replace(row, rank=place[row.model], rank_low=1, rank_high=len(ranked)) if row.model in place else row
        for row in board.rows
    )
    return replace(board, rows=tuple(rows))
