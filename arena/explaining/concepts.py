"""Clusters of a judge's hidden states over many battles, and a probe of them for people's choice.

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
from arena.explaining.judge_values import orders
from arena.explaining.prompts import chat_prompt
from arena.explaining.stages import Progress
from arena.rules.votes import JUDGE, SCORES
from arena.serving.local_weights import has_weights, load
from arena.store import Database
from arena.store.explanations import battle_texts
from arena.store.verdicts import StoredVote
from interp import BadOption, Floats, InterpError, concepts, linear_probe
from judges import Pair

if TYPE_CHECKING:
    from interp import CausalLM

GROUPS = 10  # at most
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class BattleStates:
    """A battle with the mean preference of people for A, and a judge's states of the battle and of its answers."""

    battle: int
    pair: Pair
    preference: float
    about: Floats
    between: Floats


def concept_report(
    database: Database, judge: AnyModel, votes: Iterable[StoredVote], limit: int, progress: Progress
) -> dict[str, Any]:
    """Concepts and a probe over up to `limit` battles that people voted on. Raises `ConfigError`."""
    if not has_weights(judge):
        raise ConfigError(
            f"--concepts: {judge.name} is reached through {judge.endpoint!r}, so its weights are not available. "
            "Name a judge with local weights."
        )
    lm = load(judge, lambda stage: progress(stage, 0, 0))
    try:
        states = list(_states(database, judge, lm, _preferences(votes, limit), progress))
        return {
            "judge": judge.name,
            "battles": len(states),
            "concepts": _concepts(states),
            "probe": _probe(states),
        }
    except InterpError as problem:
        raise ConfigError(f"--concepts: {problem}") from problem


def _preferences(votes: Iterable[StoredVote], limit: int) -> dict[int, float]:
    """The mean preference of people for A by battle, of the first `limit` battles."""
    by_battle: dict[int, list[float]] = defaultdict(list)
    for vote in votes:
        if not vote.source.startswith(JUDGE):
            by_battle[vote.battle].append(SCORES[vote.winner])
    return {battle: float(np.mean(scores)) for battle, scores in [*by_battle.items()][:limit]}


def _states(
    database: Database, judge: AnyModel, lm: CausalLM, preferences: dict[int, float], progress: Progress
) -> Iterable[BattleStates]:
    from interp import hidden_state

    for number, (battle, preference) in enumerate(preferences.items()):
        progress("reading battles", number, len(preferences))
        with database.read() as session:
            pair = battle_texts(session, str(battle)).pair
        if not pair.completion_a.strip() or not pair.completion_b.strip():
            continue  # decided without a call of the judge
        if pair.completion_a.strip() == pair.completion_b.strip():
            continue
        first, second = (
            hidden_state(lm.contrast(chat_prompt(lm, order.messages, order.places)))
            for order in orders(judge, pair, None)
        )
        yield BattleStates(battle, pair, preference, (first + second) / 2, (first - second) / 2)


def _concepts(states: Sequence[BattleStates]) -> dict[str, Any]:
    if len(states) < 4:
        raise BadOption(
            f"{len(states)} battles have votes of people. Clustering needs at least 4, and about 100 to be stable."
        )
    most = max(2, min(GROUPS, len(states) // 4))
    clusters = concepts(np.stack([battle.about for battle in states]), most=most)
    groups = [
        {
            "size": int((clusters.labels == group).sum()),
            "people_for_a": float(
                np.mean(
                    [state.preference for state, at in zip(states, clusters.labels, strict=True) if at == group]
                )
            ),
            "nearest": [
                {"battle": states[item].battle, "prompt": states[item].pair.messages[-1]["content"]}
                for item in nearest
            ],
        }
        for group, nearest in enumerate(clusters.nearest)
    ]
    silhouette = {str(count): value for count, value in clusters.silhouette.items()}
    return {
        "groups": groups,
        "silhouette": silhouette,
        "agreement": clusters.agreement,
        "stable": clusters.stable,
        "explained": clusters.explained,
    }


def _probe(states: Sequence[BattleStates]) -> dict[str, Any] | None:
    """A probe of the states for people's choice; None where too few battles are decided."""
    decided = [state for state in states if state.preference != SCORES["tie"]]
    if not decided:
        return None
    try:
        probe = linear_probe(
            np.stack([state.between for state in decided]),
            ["A" if state.preference > SCORES["tie"] else "B" for state in decided],
            [state.pair.messages[-1]["content"] for state in decided],
            [_marked_words(state.pair) for state in decided],
        )
    except BadOption:
        return None
    return {**asdict(probe), "selectivity": probe.selectivity, "verdict": probe.verdict}


def _marked_words(pair: Pair) -> str:
    """The words of both answers, each marked with its side, for the baseline that sees words alone."""
    sides = (("a", pair.completion_a), ("b", pair.completion_b))
    return " ".join(f"{side}_{word}" for side, text in sides for word in WORD.findall(text))
