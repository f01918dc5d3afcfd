"""Equating of a retired judge and its successor over the battles that both have judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.errors import ConfigError
from arena.rules.votes import SCORES
from arena.store import Session
from arena.store.verdicts import StoredVote, votes_on_record
from judges.equating import Equating, equate
from judges.errors import JudgesError
from ratings import normal_quantile

LEVEL = 0.95


def equate_judges(
    session: Session, old: str, new: str, prompts: str | None = None
) -> tuple[Equating, list[dict[str, Any]]]:
    """The equating, and a row a model of the old judge with its win rates under both.

    Raises `ConfigError` if the bridge defines no equating.
    """
    by_source: dict[str, dict[int, StoredVote]] = {old: {}, new: {}}
    for vote in votes_on_record(session, (old, new), prompts):
        by_source[vote.source][vote.battle] = vote
    for source, votes in by_source.items():
        if not votes:
            raise ConfigError(f"No verdicts of {source!r}. Run `arena judge pairwise --help`.")
    bridge = [battle for battle in by_source[old] if battle in by_source[new]]
    both = [by_source[old][battle] for battle in bridge]
    try:
        equating = equate(
            [_preference(vote) for vote in both],
            [_preference(by_source[new][battle]) for battle in bridge],
            [vote.model_a for vote in both],
            [vote.model_b for vote in both],
            [vote.prompt for vote in both],
        )
    except JudgesError as problem:
        raise ConfigError(
            f"{old} and {new} cannot be equated. {problem} Judge more battles with both."
        ) from problem
    return equating, _rows(equating, list(by_source[old].values()), list(by_source[new].values()))


def _preference(vote: StoredVote) -> float:
    """For the left model; a vote without a preference is its winner."""
    if vote.preference is not None:
        return vote.preference
    return SCORES[vote.winner]


def _rows(equating: Equating, old: Sequence[StoredVote], new: Sequence[StoredVote]) -> list[dict[str, Any]]:
    before, after = _win_rates(old), _win_rates(new)
    half = normal_quantile(LEVEL)
    rows = []
    for model, (rate, error) in before.items():
        equated = equating.apply(rate, error)
        rows.append(
            {
                "model": model,
                "old_win_rate": rate,
                "linked_win_rate": equated.win_rate,
                "lower": max(equated.win_rate - half * equated.standard_error, 0.0),
                "upper": min(equated.win_rate + half * equated.standard_error, 1.0),
                "new_win_rate": after[model][0] if model in after else None,
            }
        )
    return sorted(rows, key=lambda row: (-row["linked_win_rate"], row["model"]))


def _win_rates(votes: Sequence[StoredVote]) -> dict[str, tuple[float, float]]:
    """Mean preference of each model and its standard error, prompts as clusters."""
    by_model: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for vote in votes:
        by_model[vote.model_a][vote.prompt].append(_preference(vote))
        by_model[vote.model_b][vote.prompt].append(1 - _preference(vote))
    rates = {}
    for model, prompts in by_model.items():
        count = sum(len(values) for values in prompts.values())
        mean = sum(sum(values) for values in prompts.values()) / count
        residual = np.array([sum(values) - mean * len(values) for values in prompts.values()]) / count
        rates[model] = mean, float(np.sqrt(residual @ residual))
    return rates
