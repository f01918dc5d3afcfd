"""Scores on static benchmarks against the arena's rating, with the rank correlation and its interval."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.benchmarking.rank_correlation import FEWEST, Correlation
from arena.web.locales import gettext as _
from arena.web.plots.figure_style import ACCENT, SERIES, SYMBOLS, Row, laid_out, series


def figure(
    models: Sequence[str],
    scores: Sequence[float],
    ratings: Sequence[float],
    task: str = "score",
    rho: Correlation | None = None,
) -> go.Figure:
    """One task, from three columns of the same models, with their correlation.

    Raises ValueError when they differ in length.
    """
    if not len(models) == len(scores) == len(ratings):
        raise ValueError(
            f"There are {len(models)} models, {len(scores)} scores and {len(ratings)} ratings. Give one of each a model."
        )
    rating = _("Rating")
    plot = go.Figure(
        go.Scatter(
            x=list(ratings),
            y=list(scores),
            mode="markers",
            marker={"color": ACCENT, "size": 9},
            customdata=list(models),
            hovertemplate=f"%{{customdata}}<br>{rating}: %{{x:.0f}}<br>{task}: %{{y:.3g}}<extra></extra>",
        )
    )
    place = {"xref": "paper", "yref": "paper", "x": 0.02, "y": 0.98, "showarrow": False, "xanchor": "left"}
    text = (
        _too_few()
        if rho is None
        else _("rank correlation {value:.2f} ({lower:.2f} to {upper:.2f}), {models} models", **vars(rho))
    )
    return laid_out(plot, xaxis={"title": rating}, yaxis={"title": task}, annotations=[{**place, "text": text}])


def by_task(rows: Sequence[Row]) -> go.Figure:
    """One series a task. `rows`: task, model, rating, score (percent), and correlation with its ends (or None)."""
    plot, rating = go.Figure(), _("Rating")
    for number, (task, own) in enumerate(series(rows, "task").items()):
        plot.add_scatter(
            x=[row["rating"] for row in own],
            y=[row["score"] for row in own],
            name=f"{task}: {_correlation_text(own[0])}",
            mode="markers",
            marker={"color": SERIES[number % len(SERIES)], "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
            customdata=[row["model"] for row in own],
            hovertemplate=f"%{{customdata}}<br>{rating}: %{{x:.0f}}<br>{task}: %{{y:.1f}}%<extra></extra>",
        )
    height = 380 + 20 * len(plot.data)
    legend = {"orientation": "v", "y": -0.3, "yanchor": "top", "x": 0}
    yaxis = {"title": _("Score"), "ticksuffix": "%"}
    return laid_out(plot, height=height, xaxis={"title": rating}, yaxis=yaxis, legend=legend, showlegend=True)


def _correlation_text(row: Row) -> str:
    if row["correlation"] is None:
        return _too_few()
    return f"ρ = {row['correlation']:.2f} ({row['correlation_lower']:.2f} – {row['correlation_upper']:.2f})"


def _too_few() -> str:
    return _("a correlation needs {count} models", count=FEWEST)
