"""Why a rating moved between two days.

A rating's way from one day to the other is taken in steps, each a refit that changes one thing:

    1  the board of the first day
    2  new votes       the votes since then between models that had votes by then
    3  new opponents   the votes of models that had none by then
    4  filters         the second day's filter in place of the first day's
    5  style           with style control: what it adds on the second day, less what it added on the first

The steps add up to the whole change, for each begins where the one before ends. Another order of steps would give
other parts: votes and filters come first here because their effect is asked about most. Ratings are relative, so
what happens to others moves a model too. A battle's category is the one it has now, whatever it was that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from scipy.special import expit
from sqlmodel import Session, col, select

import ratings
from arena.board_choice import BOTH, BoardChoice
from arena.filters import EVERY, find_filter
from arena.history import NoSuchDay, filter_at
from arena.seals import SealedVote
from arena.store.conditions import in_category
from arena.store.ledger import as_sealed, sealed_votes
from arena.store.tables import HUMAN, OVERALL, Battle, Vote
from arena.store.trait_tables import BattleStyle
from arena.tallies import Tally, of_source
from ratings.scale import POINTS
from ratings.style import FEATURES

STEPS = ("new votes", "new opponents", "filters", "style")
UNIT = 10_000  # ratings here are whole numbers of 1/10,000 points, so that parts add up exactly


@dataclass(frozen=True)
class Opponent:
    """Votes on a model against one other since the first day. `expected`: its score by the first day's board."""

    model: str
    new: bool  # it had no votes by the first day
    votes: int
    score: float
    expected: float | None


@dataclass(frozen=True)
class Moved:
    """A rating's change, and the steps that it is the sum of."""

    model: str
    source: str
    category: str
    style: bool
    since: datetime
    until: datetime
    filters: tuple[str, str]
    ratings: tuple[float, float]
    ranks: tuple[int, int]
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
            "opponents": [asdict(one) for one in self.opponents],
        }


def moved(
    session: Session,
    model: str,
    since: datetime,
    until: datetime,
    *,
    source: str = HUMAN,
    category: str = OVERALL,
    style: bool = False,
    version: str = EVERY,
) -> Moved:
    """Why the rating of `model` on the board of `until` is not that on the board of `since`.

    Raises `NoSuchDay` when the days are the wrong way round, or the model had no votes by the first; `NoSuchBoard`
    for an unknown source.
    """
    if BoardChoice(source, category).source == BOTH:
        raise NoSuchDay("source both has no steps to take apart; ask for human, judges, judge:NAME or all")
    if since >= until:
        raise NoSuchDay(f"from {since:%Y-%m-%d %H:%M} is not before to {until:%Y-%m-%d %H:%M}; exchange them")
    filters = filter_at(session, since, version), filter_at(session, until, version)
    where = (col(Vote.created_at) < until, in_category(category))
    votes = [one for one in sealed_votes(session, where=where) if of_source(one.source, source)]
    earlier = [one for one in votes if datetime.fromisoformat(one.created_at) < since]
    kept = [
        list(find_filter(version).counted(some))
        for version, some in ((filters[0], earlier), (filters[0], votes), (filters[1], votes))
    ]
    tallies = [_tally(some) for some in kept]
    old = sorted(tallies[0].models())
    if model not in old:
        _say_why_not(model, votes, since)
    everybody = [sorted(tally.models()) for tally in tallies]
    boards = [
        ratings.leaderboard(tallies[0].counts(source, old)),
        ratings.leaderboard(tallies[1].counts(source, old)),
        ratings.leaderboard(tallies[1].counts(source, everybody[1])),
        ratings.leaderboard(tallies[2].counts(source, everybody[2])),
    ]
    stages = [_rating(board, model) for board in boards]
    steps = {name: stages[n + 1] - stages[n] for n, name in enumerate(STEPS[:3])}
    ends = boards[0], boards[3]
    if style:
        styled = [_styled(session, kept[n]) for n in (0, 2)]
        steps["style"] = (_rating(styled[1], model) - stages[3]) - (_rating(styled[0], model) - stages[0])
        ends = styled[0], styled[1]
    return Moved(
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
        opponents=_opponents(model, kept[0], kept[1], boards[0]),
    )


def _say_why_not(model: str, votes: Sequence[SealedVote], since: datetime) -> None:
    known = sorted({name for vote in votes for name in (vote.model_a, vote.model_b)})
    if model not in known:
        raise NoSuchDay(f"{model!r} has no votes; models that have: {', '.join(known) or 'none'}")
    first = next(vote.created_at for vote in votes if model in (vote.model_a, vote.model_b))
    raise NoSuchDay(f"{model!r} had no votes by {since:%Y-%m-%d %H:%M} UTC; its first is of {first[:16]}")


def _tally(votes: Iterable[SealedVote]) -> Tally:
    tally = Tally()
    tally.add(votes)
    return tally


def _styled(session: Session, votes: Sequence[SealedVote]) -> ratings.Leaderboard:
    """The board with style control over the votes whose completions are known."""
    columns: tuple[Any, ...] = tuple(getattr(BattleStyle, f"{name}_{side}") for side in "ab" for name in FEATURES)
    query = (
        select(Battle.public_id, *columns)
        .join(Battle, col(Battle.id) == col(BattleStyle.battle_id))
    )  # fmt: skip
    known = {public_id: counts for public_id, *counts in session.execute(query)}
    some = [vote for vote in votes if vote.battle in known]
    half = len(FEATURES)
    features = [
        {name: [known[vote.battle][side * half + at] for vote in some] for at, name in enumerate(FEATURES)}
        for side in (0, 1)
    ]
    a, b, winner = ([getattr(vote, name) for vote in some] for name in ("model_a", "model_b", "winner"))
    try:
        z = ratings.style_differences(*features) if some else {}
        if not z:
            raise NoSuchDay("no two completions of that day differ in style: ask without style control")
        fit = ratings.contextual(a, b, winner, z, prior=ratings.PRIOR)
    except (ratings.RatingsError, np.linalg.LinAlgError) as problem:
        raise NoSuchDay(f"no board with style control of that day: {problem}") from problem
    return ratings.leaderboard(ratings.count_pairs(a, b, winner), fit=fit)


def _opponents(
    model: str, before: Iterable[SealedVote], after: Iterable[SealedVote], first: ratings.Leaderboard
) -> tuple[Opponent, ...]:
    """Everybody whom the model has met since, those with the greatest surprise first."""
    seen = {vote.vote for vote in before}
    was = {row.model: row.rating for row in first.rows}
    found: dict[str, Opponent] = {}
    for vote in after:
        if vote.vote in seen or model not in (vote.model_a, vote.model_b):
            continue
        left = vote.model_a == model
        other = vote.model_b if left else vote.model_a
        won = 0.5 if vote.winner in ("tie", "both_bad") else float((vote.winner == "model_a") == left)
        chance = float(expit((was[model] - was[other]) / POINTS)) if other in was else None
        one = found.get(other, Opponent(other, other not in was, 0, 0.0, None if chance is None else 0.0))
        expected = None if chance is None or one.expected is None else one.expected + chance
        found[other] = replace(one, votes=one.votes + 1, score=one.score + won, expected=expected)
    return tuple(sorted(found.values(), key=lambda one: (-_surprise(one), -one.votes, one.model)))


def _surprise(one: Opponent) -> float:
    return abs(one.score - (one.votes / 2 if one.expected is None else one.expected))


def _row(board: ratings.Leaderboard, model: str) -> ratings.Row:
    """Raises `NoSuchDay` when a filter or missing texts leave the model without a vote."""
    row = next((row for row in board.rows if row.model == model), None)
    if row is None:
        raise NoSuchDay(f"{model!r} has no votes that count on that board")
    return row


def _rating(board: ratings.Leaderboard, model: str) -> int:
    return _units(_row(board, model).rating)


def _units(rating: float) -> int:
    return round(rating * UNIT)


def _end(at: datetime, version: str, rating: float, rank: int) -> dict[str, Any]:
    return {"as_of": as_sealed(at), "filter": version, "rating": rating, "rank": rank}
