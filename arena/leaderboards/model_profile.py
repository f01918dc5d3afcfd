"""The profile of one model: its opponents, its place on a board, and the origin of its completions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

import ratings
from arena.config import AnyModel
from arena.leaderboards.leaderboard import Published


@dataclass(frozen=True)
class Opponent:
    """Battles against one other model. `expected` is the win rate that the ratings predict."""

    model: str
    battles: int
    wins: int
    losses: int
    ties: int
    win_rate: float
    lower: float
    upper: float
    expected: float


@dataclass(frozen=True)
class Provenance:
    """The settings that a model is called with; None for a model that has votes only."""

    endpoint: str
    served_as: str | None
    revision: str | None
    parameters: dict[str, Any]
    max_tokens: int
    system_prompt: bool
    enabled: bool
    sampling_share: float  # of the draws for a battle's first model


def opponents(published: Published, name: str) -> list[Opponent]:
    """The opponents of a model on a board, most battles first; both bad counts as a tie."""
    counts = published.counts
    if name not in counts.models:
        return []
    own = counts.models.index(name)
    wins, losses, ties = np.zeros((3, len(counts.models)))
    for side, other, won, lost in (
        (counts.model_a, counts.model_b, 0, 1),
        (counts.model_b, counts.model_a, 1, 0),
    ):
        rows = side == own
        np.add.at(wins, other[rows], counts.table[rows, won])
        np.add.at(losses, other[rows], counts.table[rows, lost])
        np.add.at(ties, other[rows], counts.table[rows, 2:].sum(axis=1))
    rated = {row.model: row.rating for row in published.board.rows}
    if name not in rated:
        return []
    met = [m for m in np.flatnonzero(wins + losses + ties).tolist() if counts.models[m] in rated]
    opponents = [
        _opponent(
            counts.models[m], int(wins[m]), int(losses[m]), int(ties[m]), rated[name] - rated[counts.models[m]]
        )
        for m in met
    ]
    return sorted(opponents, key=lambda opponent: (-opponent.battles, opponent.model))


def _opponent(model: str, wins: int, losses: int, ties: int, lead: float) -> Opponent:
    battles = wins + losses + ties
    rate = (wins + ties / 2) / battles
    lower, upper = wilson(rate, battles)
    return Opponent(
        model, battles, wins, losses, ties, rate, lower, upper, float(expit(lead / ratings.POINTS_PER_LOGIT))
    )


def wilson(rate: float, battles: int, level: float = ratings.CONFIDENCE_LEVEL) -> tuple[float, float]:
    """Wilson's interval of a proportion (JASA 22, 1927): it stays inside 0 and 1 also for few battles.

    With ties as halves it is somewhat too wide, never too narrow: a half varies less than a win or a loss.
    """
    z = ratings.normal_quantile(level)
    centre = (rate + z * z / (2 * battles)) / (1 + z * z / battles)
    half = z / (1 + z * z / battles) * math.sqrt(rate * (1 - rate) / battles + z * z / (4 * battles * battles))
    return centre - half, centre + half


def row_of(published: Published, name: str) -> ratings.Row | None:
    return next((row for row in published.board.rows if row.model == name), None)


def provenance(models: tuple[AnyModel, ...], name: str) -> Provenance | None:
    """The provenance of a model from the settings, without keys, system prompts and server addresses."""
    model = next((model for model in models if model.name == name), None)
    if model is None:
        return None
    weights = sum(model.weight for model in models if model.enabled)
    served = next(
        (str(getattr(model, key)) for key in ("model", "source", "weights") if getattr(model, key, None)), None
    )
    return Provenance(
        endpoint=model.endpoint,
        served_as=served,
        revision=getattr(model, "revision", None),
        parameters=dict(model.parameters),
        max_tokens=model.max_tokens,
        system_prompt=model.system_prompt is not None,
        enabled=model.enabled,
        sampling_share=model.weight / weights if model.enabled and weights else 0.0,
    )
