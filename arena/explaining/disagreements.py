"""Battles on which people, judges, or both orders of one judge disagree."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from arena.rules.votes import JUDGE, SCORES, mirrored
from arena.store import Session
from arena.store.duplicate_battles import Duplicate, find_duplicates
from arena.store.explanations import UnknownBattle, battle_texts
from arena.store.verdicts import StoredVote
from judges.patterns import Preference

FROM_A_TO_B = ("model_a", "tie", "both_bad", "model_b")  # the order of the published columns
KINDS = {
    "people": "people split",
    "against": "judges against people",
    "judges": "judges among themselves",
    "swapped": "a judge against itself, sides swapped",
}


@dataclass(frozen=True)
class Disagreement:
    """One battle with its disagreement of each kind, from 0 (none) to 1 (opposite sides).

    A kind is None where it is undefined: fewer than two votes, or no judge with verdicts in both orders.
    """

    battle: int
    prompt: str
    category: str
    model_a: str
    model_b: str
    people: Mapping[str, int]  # votes by winner
    judges: Mapping[str, float]  # preference for model_a by judge
    flipped: tuple[str, ...]  # judges that named another winner in the other order
    kinds: Mapping[str, float | None]

    @property
    def disagreement(self) -> float:
        """The largest of the kinds."""
        return max((size for size in self.kinds.values() if size is not None), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "flipped": list(self.flipped), "disagreement": self.disagreement}


def merge_duplicates(session: Session, votes: Iterable[StoredVote]) -> list[StoredVote]:
    """The votes, with those on the same two completions assigned to the first battle that showed them.

    A person's vote closes a battle, so people can disagree on two completions, but not within one battle.
    """
    duplicates = find_duplicates(session)
    return [_reassigned(vote, duplicates[vote.battle]) if vote.battle in duplicates else vote for vote in votes]


def _reassigned(vote: StoredVote, first: Duplicate) -> StoredVote:
    if not first.swapped:
        return replace(vote, battle=first.battle)
    return replace(
        vote,
        battle=first.battle,
        model_a=vote.model_b,
        model_b=vote.model_a,
        winner=mirrored(vote.winner),
        preference=None if vote.preference is None else 1 - vote.preference,
        orders=tuple(mirrored(winner) for winner in reversed(vote.orders)),
    )


def disagreements(
    votes: Iterable[StoredVote],
    *,
    model: str | None = None,
    category: str | None = None,
    judge: str | None = None,
    kind: str | None = None,
) -> list[Disagreement]:
    """Battles with any disagreement, the largest first; ties by the sum of all kinds, then by number.

    `judge` counts that judge only; `kind` ranks by one of `KINDS` and drops battles without it.
    """
    by_battle: dict[int, list[StoredVote]] = defaultdict(list)
    for vote in matching_votes(votes, model, category, judge):
        by_battle[vote.battle].append(vote)
    battles = [_disagreement(battle_votes) for battle_votes in by_battle.values()]
    return sorted(
        (battle for battle in battles if _size(battle, kind) > 0),
        key=lambda battle: (-_size(battle, kind), -sum(k or 0.0 for k in battle.kinds.values()), battle.battle),
    )


def matching_votes(
    votes: Iterable[StoredVote], model: str | None, category: str | None, judge: str | None
) -> Iterator[StoredVote]:
    """Votes on battles of a model and a category: people's votes, and those of one judge or of all."""
    for vote in votes:
        if model is not None and model not in (vote.model_a, vote.model_b):
            continue
        if category is not None and vote.category != category:
            continue
        if judge is not None and vote.source.startswith(JUDGE) and vote.source != JUDGE + judge:
            continue
        yield vote


def _size(battle: Disagreement, kind: str | None) -> float:
    return battle.disagreement if kind is None else battle.kinds[kind] or 0.0


def _disagreement(votes: Sequence[StoredVote]) -> Disagreement:
    first = votes[0]
    people = [vote for vote in votes if not vote.source.startswith(JUDGE)]
    judges: dict[str, list[StoredVote]] = defaultdict(list)
    for vote in votes:
        if vote.source.startswith(JUDGE):
            judges[vote.source.removeprefix(JUDGE)].append(vote)
    by_people = [SCORES[vote.winner] for vote in people]
    judged = {
        name: float(np.mean([_preference(vote) for vote in judge_votes])) for name, judge_votes in judges.items()
    }
    orders = [
        (name, vote.orders)
        for name, judge_votes in judges.items()
        for vote in judge_votes
        if len(vote.orders) == 2
    ]
    flipped = tuple(
        dict.fromkeys(name for name, (first_order, second_order) in orders if first_order != second_order)
    )
    counted = {winner: sum(vote.winner == winner for vote in people) for winner in FROM_A_TO_B}
    return Disagreement(
        battle=first.battle,
        prompt=first.prompt,
        category=first.category,
        model_a=first.model_a,
        model_b=first.model_b,
        people=counted,
        judges=judged,
        flipped=flipped,
        kinds={
            "people": _among(by_people),
            "against": _between(by_people, list(judged.values())),
            "judges": _among(list(judged.values())),
            "swapped": _mean(_apart(*pair) for _, pair in orders),
        },
    )


def _preference(vote: StoredVote) -> float:
    return SCORES[vote.winner] if vote.preference is None else vote.preference


def _among(preferences: Sequence[float]) -> float | None:
    """The mean distance between two of them."""
    return _mean(abs(a - b) for a, b in itertools.combinations(preferences, 2))


def _between(people: Sequence[float], judges: Sequence[float]) -> float | None:
    """The distance between the people's mean and the judges' mean."""
    return abs(float(np.mean(people)) - float(np.mean(judges))) if people and judges else None


def _apart(winner: str, other: str) -> float:
    return abs(SCORES[winner] - SCORES[other])


def _mean(values: Iterator[float]) -> float | None:
    numbers = list(values)
    return float(np.mean(numbers)) if numbers else None


def _completions(session: Session, battle: int) -> tuple[str, str] | None:
    try:
        pair = battle_texts(session, str(battle)).pair
    except UnknownBattle:
        return None
    return pair.completion_a, pair.completion_b


def preferences(session: Session, votes: Iterable[StoredVote]) -> list[Preference]:
    """Every vote with its two completions, for `judges.patterns.preference_patterns`.

    A judge with verdicts in both orders counts once for each, which separates its position bias from its taste; people
    see A on the left. Battles that were imported without texts are dropped.
    """
    texts: dict[int, tuple[str, str] | None] = {}
    rows: list[Preference] = []
    for vote in votes:
        if vote.battle not in texts:
            texts[vote.battle] = _completions(session, vote.battle)
        completions = texts[vote.battle]
        if completions is not None:
            rows += _preferences(vote, *completions)
    return rows


def _preferences(vote: StoredVote, a: str, b: str) -> list[Preference]:
    judge, models = vote.source.startswith(JUDGE), (vote.model_a, vote.model_b)
    if judge and len(vote.orders) == 2:
        return [
            Preference(vote.battle, a, b, SCORES[winner], judge, first, *models)
            for winner, first in zip(vote.orders, ("a", "b"), strict=True)
        ]
    return [Preference(vote.battle, a, b, _preference(vote), judge, None if judge else "a", *models)]
