"""The leaderboard from pair counts; only Elo and style control read single votes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

import numpy as np

import ratings
from arena.leaderboards.query import BOTH, BoardChoice, NoSuchBoard
from arena.messages import Phrase
from arena.rules.categories import VERSION
from arena.rules.tagger_prompt import classifier_of
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Session
from arena.store.models import model_ids
from arena.store.schema.battles import now
from arena.store.vote_columns import ordered_votes, styled_votes
from arena.store.votes import PairVotes, count_rows, counted_categories, counted_sources, unknown_judge

ELO_VOTES = 2_000_000  # beyond, one pass in order takes many seconds and gigabytes: use Bradley–Terry
ELO_STEPS = 5_000_000  # battles that bootstrap rounds may replay: a second or two
ELO_ROUNDS = 100


@dataclass(frozen=True)
class Published:
    """A leaderboard with the query that it answers and the pair counts that it was computed from."""

    board: ratings.Leaderboard
    choice: BoardChoice
    as_of: datetime
    counts: ratings.PairCounts
    filter: str = ""  # of a past day's board; today's counts every vote

    @property
    def source(self) -> str:
        return self.choice.source

    @property
    def category(self) -> str:
        return self.choice.category

    def to_dict(self) -> dict[str, object]:
        """The JSON of `GET /api/v1/leaderboard` and `arena leaderboard --format json`."""
        classifier = {} if self.category == OVERALL else {"classifier": classifier_of(self.category, VERSION)}
        return {
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "votes": self.board.battles,
            "source": self.source,
            "category": self.category,
            **classifier,
            **self.board.to_dict(),
        }


def publish(
    session: Session, source: str = HUMAN, category: str = OVERALL, *, method: str = "bt", style: bool = False
) -> Published:
    """The leaderboard of the votes of one source in one category.

    From pair counts all registered models are rated; Elo and style control rate those with votes.
    Raises `NoSuchBoard` with the available choices.
    """
    return publish_choice(session, BoardChoice(source, category, method, style))


def publish_choice(session: Session, choice: BoardChoice) -> Published:
    """The leaderboard of a query; see `publish`."""
    if why := unknown_judge(session, choice.source):
        raise NoSuchBoard(why)
    if choice.category != OVERALL and choice.category not in (counted := counted_categories(session)):
        raise NoSuchBoard(
            "Category {category!r} has no votes. Categories with votes: {others}.",
            category=choice.category,
            others=", ".join(counted) or Phrase("none"),
        )
    counts = counts_of(session, choice.voters, choice.category)
    try:
        counts, fit = _fit(session, choice, counts)
        board = ratings.leaderboard(counts, fit=fit)
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
    return Published(board, choice, now(), counts)


def counts_of(session: Session, source: str | None, category: str = OVERALL) -> ratings.PairCounts:
    """The pair counts of a source as columns over all registered models."""
    ids = model_ids(session)
    names = sorted(ids.values())
    flat = chain.from_iterable(count_rows(session, source, category))
    rows = np.fromiter(flat, dtype=np.int64).reshape(-1, 6)
    place = np.zeros(max(ids, default=0) + 1, dtype=np.int64)
    order = {name: number for number, name in enumerate(names)}
    for number, name in ids.items():
        place[number] = order[name]
    wins, losses, ties, both_bad = rows[:, 2:].T
    return ratings.PairCounts(tuple(names), place[rows[:, 0]], place[rows[:, 1]], wins, losses, ties, both_bad)


def pair_columns(models: Sequence[str], counted: Iterable[PairVotes]) -> ratings.PairCounts:
    """The pair counts between these models, including those without battles."""
    names = tuple(models)
    code = {name: number for number, name in enumerate(names)}
    between = [c for c in counted if c.model_a in code and c.model_b in code]
    rows = [(code[c.model_a], code[c.model_b], c.wins, c.losses, c.ties, c.both_bad) for c in between]
    a, b, wins, losses, ties, both_bad = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return ratings.PairCounts(
        models=names, model_a=a, model_b=b, wins=wins, losses=losses, ties=ties, both_bad=both_bad
    )


def _fit(
    session: Session, choice: BoardChoice, counts: ratings.PairCounts
) -> tuple[ratings.PairCounts, ratings.Fit | None]:
    """The fit, with the counts of the models that it rates; None for the board's own Bradley–Terry."""
    if choice.style:
        return _with_style(session, choice)
    if choice.source == BOTH:
        judges = [source for source in counted_sources(session) if source != HUMAN]
        by_source = {source: counts_of(session, source, choice.category) for source in (HUMAN, *judges)}
        voted = {source: counts for source, counts in by_source.items() if counts.battles}
        return counts, ratings.human_anchored_counts(voted, prior=ratings.PRIOR).fit
    if choice.method == "davidson":
        return counts, ratings.davidson(counts, prior=ratings.PRIOR)
    if choice.method == "elo":
        return _elo(session, choice, counts.battles)
    return counts, None


def _with_style(session: Session, choice: BoardChoice) -> tuple[ratings.PairCounts, ratings.Fit]:
    votes = styled_votes(session, choice.voters, choice.category)
    if not votes.votes[2]:
        raise NoSuchBoard(
            "{source} has no votes in {category} on stored completions. Turn off style control.",
            source=choice.source,
            category=choice.category,
        )
    z = ratings.style_differences(votes.features_a, votes.features_b)
    if not z:
        raise NoSuchBoard(
            "No two completions differ in style. Turn off style control, which changes nothing here."
        )
    return ratings.count_pairs(*votes.votes), ratings.contextual(*votes.votes, z, prior=ratings.PRIOR)


def _elo(session: Session, choice: BoardChoice, battles: int) -> tuple[ratings.PairCounts, ratings.Fit]:
    if battles > ELO_VOTES:
        raise NoSuchBoard(
            "Elo replays every vote, and there are {votes:,}, more than {most:,}. Use method bt.",
            votes=battles,
            most=ELO_VOTES,
        )
    columns = ordered_votes(session, choice.voters, choice.category)
    counts = ratings.count_pairs(*columns)
    rounds = min(ELO_ROUNDS, ELO_STEPS // max(counts.battles, 1))
    return counts, ratings.elo(*columns, rounds=rounds if rounds > 1 else 0)


def _by_order(board: ratings.Leaderboard) -> ratings.Leaderboard:
    """Ranks by place, for fits without errors: no two models differ significantly."""
    size = len(board.rows)
    rows = tuple(replace(row, rank=n, rank_low=1, rank_high=size) for n, row in enumerate(board.rows, start=1))
    return replace(board, rows=rows)
