"""Battles on which people, judges, or a judge and itself do not agree: where there is something to learn."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from arena.rules.votes import JUDGE, SCORES, mirrored
from arena.store import Session
from arena.store.duplicate_battles import Again, same_texts
from arena.store.explanations import UnknownBattle, battle_texts
from arena.store.verdicts import StoredVote
from interp import Preference

FROM_A_TO_B = ("model_a", "tie", "both_bad", "model_b")  # the order of the published columns
KINDS = {
    "people": "people split",
    "against": "judges against people",
    "judges": "judges among themselves",
    "swapped": "a judge against itself, sides swapped",
}


@dataclass(frozen=True)
class Disagreement:
    """One battle. Each kind of disagreement is from 0 (none) to 1 (opposite sides), None where it cannot be
    told: fewer than two votes, or no judge that was asked in both orders."""

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
        return max((one for one in self.kinds.values() if one is not None), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "flipped": list(self.flipped), "disagreement": self.disagreement}


def joined(session: Session, votes: Iterable[StoredVote]) -> list[StoredVote]:
    """The votes, with those on the same two completions as votes on one battle, the first that showed them.

    A person's vote closes a battle, so that people can split over two completions alone, not over a battle.
    """
    same = same_texts(session)
    return [_as_of(vote, same[vote.battle]) if vote.battle in same else vote for vote in votes]


def _as_of(vote: StoredVote, again: Again) -> StoredVote:
    if not again.swapped:
        return replace(vote, battle=again.battle)
    return replace(
        vote,
        battle=again.battle,
        model_a=vote.model_b,
        model_b=vote.model_a,
        winner=mirrored(vote.winner),
        preference=None if vote.preference is None else 1 - vote.preference,
        orders=tuple(mirrored(winner) for winner in reversed(vote.orders)),
    )


def disputes(
    votes: Iterable[StoredVote],
    *,
    model: str | None = None,
    category: str | None = None,
    judge: str | None = None,
    kind: str | None = None,
) -> list[Disagreement]:
    """Battles with any disagreement, the largest first; equal ones by the sum of all kinds, then by number.

    `judge` counts that judge alone, `kind` ranks by one of `KINDS` and leaves out battles that have none of it.
    """
    by_battle: dict[int, list[StoredVote]] = defaultdict(list)
    for vote in wanted(votes, model, category, judge):
        by_battle[vote.battle].append(vote)
    found = [_dispute(some) for some in by_battle.values()]
    return sorted(
        (one for one in found if _size(one, kind) > 0),
        key=lambda one: (-_size(one, kind), -sum(k or 0.0 for k in one.kinds.values()), one.battle),
    )


def wanted(
    votes: Iterable[StoredVote], model: str | None, category: str | None, judge: str | None
) -> Iterator[StoredVote]:
    """Votes on battles of a model and a category; people's, and those of one judge or of all."""
    for vote in votes:
        if model is not None and model not in (vote.model_a, vote.model_b):
            continue
        if category is not None and vote.category != category:
            continue
        if judge is not None and vote.source.startswith(JUDGE) and vote.source != JUDGE + judge:
            continue
        yield vote


def _size(dispute: Disagreement, kind: str | None) -> float:
    return dispute.disagreement if kind is None else dispute.kinds[kind] or 0.0


def _dispute(votes: Sequence[StoredVote]) -> Disagreement:
    first = votes[0]
    people = [vote for vote in votes if not vote.source.startswith(JUDGE)]
    judges: dict[str, list[StoredVote]] = defaultdict(list)
    for vote in votes:
        if vote.source.startswith(JUDGE):
            judges[vote.source.removeprefix(JUDGE)].append(vote)
    said = [SCORES[vote.winner] for vote in people]
    judged = {name: float(np.mean([_preference(vote) for vote in some])) for name, some in judges.items()}
    orders = [(name, vote.orders) for name, some in judges.items() for vote in some if len(vote.orders) == 2]
    flipped = tuple(dict.fromkeys(name for name, (one, other) in orders if one != other))
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
            "people": _among(said),
            "against": _between(said, list(judged.values())),
            "judges": _among(list(judged.values())),
            "swapped": _mean(_apart(*pair) for _, pair in orders),
        },
    )


def _preference(vote: StoredVote) -> float:
    return SCORES[vote.winner] if vote.preference is None else vote.preference


def _among(preferences: Sequence[float]) -> float | None:
    """The mean distance between two of them."""
    return _mean(abs(one - other) for one, other in itertools.combinations(preferences, 2))


def _between(people: Sequence[float], judges: Sequence[float]) -> float | None:
    """The distance between the people's mean and the judges' mean."""
    return abs(float(np.mean(people)) - float(np.mean(judges))) if people and judges else None


def _apart(one: str, other: str) -> float:
    return abs(SCORES[one] - SCORES[other])


def _mean(values: Iterator[float]) -> float | None:
    some = list(values)
    return float(np.mean(some)) if some else None


def _completions(session: Session, battle: int) -> tuple[str, str] | None:
    try:
        pair = battle_texts(session, str(battle)).pair
    except UnknownBattle:
        return None
    return pair.completion_a, pair.completion_b


def ratings_of(session: Session, votes: Iterable[StoredVote]) -> list[Preference]:
    """Every vote with the two answers it is about, for `interp.patterns.features`.

    A judge that was asked in both orders counts once for each, so that its bias for a place can be told from its
    taste; people see A on the left. Battles that were imported without texts tell nothing here.
    """
    texts: dict[int, tuple[str, str] | None] = {}
    made = []
    for vote in votes:
        if vote.battle not in texts:
            texts[vote.battle] = _completions(session, vote.battle)
        both = texts[vote.battle]
        if both is None:
            continue
        a, b = both
        judge = vote.source.startswith(JUDGE)
        if judge and len(vote.orders) == 2:
            made += [
                Preference(vote.battle, a, b, SCORES[winner], judge, first)
                for winner, first in zip(vote.orders, ("a", "b"), strict=True)
            ]
        else:
            made.append(Preference(vote.battle, a, b, _preference(vote), judge, None if judge else "a"))
    return made
