"""A static benchmark's score against the arena's rating, with the correlation and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from scipy.stats import rankdata

from arena.web.plots.look import ACCENT, laid_out

FEWEST = 4  # models, below which the interval of a correlation has no width


@dataclass(frozen=True)
class Correlation:
    """Spearman's, with a 95 % interval."""

    value: float
    lower: float
    upper: float
    models: int


def figure(
    models: Sequence[str], scores: Sequence[float], ratings: Sequence[float], task: str = "score"
) -> go.Figure:
    """Three columns of the same models. Raises ValueError when they differ in length."""
    if not len(models) == len(scores) == len(ratings):
        raise ValueError(
            f"{len(models)} models, {len(scores)} scores and {len(ratings)} ratings; give one of each"
        )
    plot = go.Figure(
        go.Scatter(
            x=list(ratings),
            y=list(scores),
            mode="markers",
            marker={"color": ACCENT, "size": 9},
            customdata=list(models),
            hovertemplate=f"%{{customdata}}: rating %{{x:.0f}}, {task} %{{y:.3g}}<extra></extra>",
        )
    )
    place = {"xref": "paper", "yref": "paper", "x": 0.02, "y": 0.98, "showarrow": False, "xanchor": "left"}
    found = correlation(scores, ratings)
    text = (
        f"needs {FEWEST} models for a correlation"
        if found is None
        else f"rank correlation {found.value:.2f} ({found.lower:.2f} to {found.upper:.2f}), {found.models} models"
    )
    return laid_out(plot, xaxis={"title": "Rating"}, yaxis={"title": task}, annotations=[{**place, "text": text}])


def correlation(scores: Sequence[float], ratings: Sequence[float]) -> Correlation | None:
    """Spearman's rho with the interval of Fisher's z, variance (1 + rho²/2) / (n - 3) (Bonett & Wright, 2000).

    None for fewer than four models, or where one column does not vary.
    """
    size = len(scores)
    if size < FEWEST or len(set(scores)) == 1 or len(set(ratings)) == 1:
        return None
    rho = float(np.corrcoef(rankdata(scores), rankdata(ratings))[0, 1])
    inside = min(max(rho, -1 + 1e-9), 1 - 1e-9)
    half = 1.96 * math.sqrt((1 + rho * rho / 2) / (size - 3))
    return Correlation(rho, math.tanh(math.atanh(inside) - half), math.tanh(math.atanh(inside) + half), size)
