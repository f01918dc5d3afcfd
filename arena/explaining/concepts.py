"""What goes on inside a judge over many battles: groups of its inner states, and whether they tell people's choice.

Every battle is read in both orders. Half the sum of the two states is about the battle and is clustered; half the
difference is about the answers and is probed for the side that people preferred.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.config import AnyModel
from arena.errors import ConfigError
from arena.explaining.judge_values import chat_text, orders
from arena.explaining.stages import Progress
from arena.rules.votes import JUDGE, SCORES
from arena.serving.local_weights import has_weights, load
from arena.store import Database
from arena.store.explanations import battle_texts
from arena.store.verdicts import StoredVote
from interp import BadOption, Floats, InterpError, Prompt, concepts, linear_probe
from judges import Pair

if TYPE_CHECKING:
    from interp import CausalLM

GROUPS = 10  # at most
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Read:
    """A battle with the mean preference of people for A, and a judge's states: about it, and about its answers."""

    battle: int
    pair: Pair
    preference: float
    about: Floats
    between: Floats


def inner_patterns(
    database: Database, judge: AnyModel, votes: Iterable[StoredVote], limit: int, progress: Progress
) -> dict[str, Any]:
    """Concepts and a probe over up to `limit` battles that people voted on. Raises `ConfigError`."""
    if not has_weights(judge):
        raise ConfigError(
            f"--concepts: {judge.name} is reached through {judge.endpoint!r}: its weights are not here"
        )
    lm = load(judge, lambda said: progress(said, 0, 0))
    try:
        read = list(_read(database, judge, lm, _preferences(votes, limit), progress))
        return {"judge": judge.name, "battles": len(read), "concepts": _concepts(read), "probe": _probe(read)}
    except InterpError as problem:
        raise ConfigError(f"--concepts: {problem}") from problem


def _preferences(votes: Iterable[StoredVote], limit: int) -> dict[int, float]:
    """By battle the mean preference of people for A; the first `limit` battles."""
    said: dict[int, list[float]] = defaultdict(list)
    for vote in votes:
        if not vote.source.startswith(JUDGE):
            said[vote.battle].append(SCORES[vote.winner])
    return {battle: float(np.mean(some)) for battle, some in [*said.items()][:limit]}


def _read(
    database: Database, judge: AnyModel, lm: CausalLM, preferences: dict[int, float], progress: Progress
) -> Iterable[Read]:
    from interp import hidden_state

    for number, (battle, preference) in enumerate(preferences.items()):
        progress("reading battles", number, len(preferences))
        with database.read() as session:
            pair = battle_texts(session, str(battle)).pair
        if not pair.completion_a.strip() or not pair.completion_b.strip():
            continue  # decided without asking
        if pair.completion_a.strip() == pair.completion_b.strip():
            continue
        first, second = (
            hidden_state(lm.contrast(Prompt.found(chat_text(lm, one.body["messages"]), one.contents)))
            for one in orders(judge, pair, None)
        )
        yield Read(battle, pair, preference, (first + second) / 2, (first - second) / 2)


def _concepts(read: Sequence[Read]) -> dict[str, Any]:
    if len(read) < 4:
        raise BadOption(f"{len(read)} battles with votes of people; expected 4 or more, better a hundred")
    most = max(2, min(GROUPS, len(read) // 4))
    found = concepts(np.stack([one.about for one in read]), most=most)
    groups = [
        {
            "size": int((found.labels == group).sum()),
            "people_for_a": float(
                np.mean([one.preference for one, at in zip(read, found.labels, strict=True) if at == group])
            ),
            "nearest": [
                {"battle": read[item].battle, "prompt": read[item].pair.messages[-1]["content"]}
                for item in nearest
            ],
        }
        for group, nearest in enumerate(found.nearest)
    ]
    silhouette = {str(count): value for count, value in found.silhouette.items()}
    return {
        "groups": groups,
        "silhouette": silhouette,
        "agreement": found.agreement,
        "stable": found.stable,
        "explained": found.explained,
    }


def _probe(read: Sequence[Read]) -> dict[str, Any] | None:
    """Can people's choice be read off the states? None where too few battles are decided."""
    decided = [one for one in read if one.preference != SCORES["tie"]]
    if not decided:
        return None
    try:
        found = linear_probe(
            np.stack([one.between for one in decided]),
            ["A" if one.preference > SCORES["tie"] else "B" for one in decided],
            [one.pair.messages[-1]["content"] for one in decided],
            [_sided(one.pair) for one in decided],
        )
    except BadOption:
        return None
    return {**asdict(found), "selectivity": found.selectivity, "verdict": found.verdict}


def _sided(pair: Pair) -> str:
    """The words of both answers, each marked with its side, for the baseline that sees words alone."""
    sides = (("a", pair.completion_a), ("b", pair.completion_b))
    return " ".join(f"{side}_{word}" for side, text in sides for word in WORD.findall(text))
