"""The change of a rating between two days, split into its causes.

The change is computed in steps, each a refit that changes one thing:

    1  the leaderboard of the first day
    2  new votes       the votes since then between models that had votes by then
    3  new opponents   the votes of models that had none by then
    4  filters         the second day's filter in place of the first day's
    5  style           with style control: what it adds on the second day, less what it added on the first

The steps add up to the whole change, since each begins where the previous one ends. Another order of steps would
give other parts: votes and filters come first here because their effect is requested most. Ratings are relative, so
votes on other models change a rating too. A battle counts in the categories that it has now.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from scipy.special import expit

import ratings
from arena.leaderboards.history import NoSuchDay, filter_at, minute
from arena.leaderboards.query import BOTH, BoardChoice
from arena.leaderboards.vote_counts import VoteCounts, counted_votes
from arena.leaderboards.vote_filters import EVERY, find_filter
from arena.rules.messages import Phrase
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Session
from arena.store.ledger import as_sealed, vote_counts
from arena.store.query_filters import VoteSelection
from arena.store.vote_columns import style_features
from arena.store.votes import unknown_judge

STEPS = ("new votes", "new opponents", "filters", "style")
UNIT = 10_000  # ratings are whole numbers of 1/10,000 points here, so that the steps add up exactly


@dataclass(frozen=True)
class Opponent:
    """Votes on a model against one other since the first day. `expected` is its score by the first leaderboard."""

    model: str
    new: bool  # it had no votes by the first day
    votes: int
    score: float
    expected: float | None


@dataclass(frozen=True)
class RatingChange:
    """The change of a rating as a sum of steps."""

    model: str
    source: str
    category: str
    style: bool
    since: datetime
    until: datetime
    filters: tuple[str, str]
    ratings: tuple[float, float]
    ranks: tuple[int | None, int | None]
    steps: dict[str, float]
    opponents: tuple[Opponent, ...]

    @property
    def change(self) -> float:
        return (_units(self.ratings[1]) - _units(self.ratings[0])) / UNIT

    def to_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "source": self.source,
            "category": self.category,
            "style": self.style,
            "from": _end(self.since, self.filters[0], self.ratings[0], self.ranks[0]),
            "to": _end(self.until, self.filters[1], self.ratings[1], self.ranks[1]),
            "change": self.change,
            "steps": self.steps,
            "opponents": [asdict(opponent) for opponent in self.opponents],
        }


def split_change(
    session: Session,
    model: str,
    since: datetime,
    until: datetime,
    *,
    source: str = HUMAN,
    category: str = OVERALL,
    style: bool = False,
    version: str = EVERY,
) -> RatingChange:
    """The change of the rating of `model` from the leaderboard of `since` to that of `until`.

    Raises `NoSuchDay` when the days are in the wrong order, or the model had no votes by the first; `NoSuchBoard`
    for an unknown source.
    """
    _check(session, source, category, since, until)
    filters = filter_at(session, since, version), filter_at(session, until, version)
    days = tuple(VoteSelection(BoardChoice(source).voters, category, at) for at in (since, until))
    counts = [
        _vote_counts(session, version, votes)
        for version, votes in ((filters[0], days[0]), (filters[0], days[1]), (filters[1], days[1]))
    ]
    if model not in counts[0].models():
        _raise_unrated(session, model, days[1], since)
    boards = _refits(*counts)
    stages = [_rating(board, model) for board in boards]
    steps = {name: stages[n + 1] - stages[n] for n, name in enumerate(STEPS[:3])}
    ends = boards[0], boards[3]
    if style:
        ends = _styled(session, filters[0], days[0]), _styled(session, filters[1], days[1])
        steps["style"] = (_rating(ends[1], model) - stages[3]) - (_rating(ends[0], model) - stages[0])
    return RatingChange(
        model=model,
        source=source,
        category=category,
        style=style,
        since=since,
        until=until,
        filters=filters,
        ratings=(_rating(ends[0], model) / UNIT, _rating(ends[1], model) / UNIT),
        ranks=(_row(ends[0], model).rank, _row(ends[1], model).rank),
        steps={name: value / UNIT for name, value in steps.items()},
        opponents=_opponents(model, counts[0], counts[1], boards[0]),
    )


def _check(session: Session, source: str, category: str, since: datetime, until: datetime) -> None:
    """Raise `NoSuchDay` or `NoSuchBoard` for a source that has no steps, or days in the wrong order."""
    if BoardChoice(source, category).source == BOTH:
        raise NoSuchDay("Source both has no steps. Use human, judges, judge:NAME or all.")
    if why := unknown_judge(session, source):
        raise NoSuchDay(why)
    if since >= until:
        raise NoSuchDay(
            "From {since} is not before to {until}. Exchange the two days.",
            since=minute(since),
            until=minute(until),
        )


def _refits(first: VoteCounts, later: VoteCounts, filtered: VoteCounts) -> list[ratings.Leaderboard]:
    """The leaderboards before and after each step, without style."""
    old = sorted(first.models())
    return [
        ratings.leaderboard(first.pair_counts("all", old)),
        ratings.leaderboard(later.pair_counts("all", old)),
        ratings.leaderboard(later.pair_counts("all", sorted(later.models()))),
        ratings.leaderboard(filtered.pair_counts("all", sorted(filtered.models()))),
    ]


def _vote_counts(session: Session, version: str, votes: VoteSelection) -> VoteCounts:
    """The votes that count; without a filter the database counts them, which is faster than reading them."""
    counts = VoteCounts()
    if version == EVERY:
        counts.add_counts(vote_counts(session, replace(votes, counting=True)))
    else:
        counts.add(counted_votes(session, find_filter(version), votes))
    return counts


def _raise_unrated(session: Session, model: str, votes: VoteSelection, since: datetime) -> None:
    voted = sorted(_vote_counts(session, EVERY, votes).models())
    if model not in voted:
        raise NoSuchDay(
            "{model!r} has no votes. Models with votes: {models}.",
            model=model,
            models=", ".join(voted) or Phrase("none"),
        )
    raise NoSuchDay(
        "{model!r} had no votes by {since} UTC. Choose a later first day.",
        model=model,
        since=minute(since),
    )


def _styled(session: Session, version: str, votes: VoteSelection) -> ratings.Leaderboard:
    """The leaderboard with style control, from the votes on stored completions."""
    by_battle = style_features(session)
    counted = counted_votes(session, find_filter(version), votes)
    styled = [vote for vote in counted if vote.battle in by_battle]
    features = [
        {
            name: [by_battle[vote.battle][side][place] for vote in styled]
            for place, name in enumerate(ratings.STYLE_FEATURES)
        }
        for side in (0, 1)
    ]
    a, b, winner = ([getattr(vote, name) for vote in styled] for name in ("model_a", "model_b", "winner"))
    try:
        z = ratings.style_differences(*features) if styled else {}
        if not z:
            raise NoSuchDay("No two completions of that day differ in style. Turn off style control.")
        fit = ratings.contextual(a, b, winner, z, prior=ratings.PRIOR)
    except ratings.RatingsError as problem:
        raise NoSuchDay(
            "That day has no leaderboard with style control: {problem}. Turn off style control.", problem=problem
        ) from problem
    return ratings.leaderboard(ratings.count_pairs(a, b, winner), fit=fit)


def _opponents(
    model: str, before: VoteCounts, after: VoteCounts, first: ratings.Leaderboard
) -> tuple[Opponent, ...]:
    """The opponents since the first day, the largest difference from the expected score first."""
    first_rating = {row.model: row.rating for row in first.rows}
    earlier = before.against(model)
    opponents = []
    for other, (votes, score) in after.against(model).items():
        old_votes, old_score = earlier.get(other, (0, 0.0))
        if votes > old_votes:
            number = votes - old_votes
            expected = None
            if other in first_rating:
                lead = first_rating[model] - first_rating[other]
                expected = number * float(expit(lead / ratings.POINTS_PER_LOGIT))
            opponents.append(Opponent(other, other not in first_rating, number, score - old_score, expected))
    return tuple(sorted(opponents, key=lambda met: (-_surprise(met), -met.votes, met.model)))


def _surprise(met: Opponent) -> float:
    return abs(met.score - (met.votes / 2 if met.expected is None else met.expected))


def _row(board: ratings.Leaderboard, model: str) -> ratings.Row:
    """Raises `NoSuchDay` when a filter or missing texts leave the model without a vote."""
    row = next((row for row in board.rows if row.model == model), None)
    if row is None:
        raise NoSuchDay(
            "No vote on {model!r} counts on that leaderboard. Choose another day or filter.", model=model
        )
    return row


def _rating(board: ratings.Leaderboard, model: str) -> int:
    return _units(_row(board, model).rating)


def _units(rating: float) -> int:
    return round(rating * UNIT)


def _end(at: datetime, version: str, rating: float, rank: int | None) -> dict[str, Any]:
    return {"as_of": as_sealed(at), "filter": version, "rating": rating, "rank": rank}
