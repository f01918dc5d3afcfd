"""Ratings over time, with their intervals as bands."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.plots.figure_style import DASHES, SERIES, SYMBOLS, Row, laid_out, series, short

BAND = 0.08  # opacity


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, date (ISO), rating, lower, upper; in order of dates."""
    plot = go.Figure()
    for number, (model, own) in enumerate(series(rows, "model").items()):
        colour = SERIES[number % len(SERIES)]
        dates = [row["date"] for row in own]
        plot.add_scatter(
            x=dates + dates[::-1],
            y=[row["upper"] for row in own] + [row["lower"] for row in reversed(own)],
            fill="toself",
            fillcolor=colour,
            opacity=BAND,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=model,
        )
        plot.add_scatter(
            x=dates,
            y=[row["rating"] for row in own],
            name=short(model),
            mode="lines+markers",
            line={"color": colour, "dash": DASHES[number % len(DASHES)], "width": 2},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
            legendgroup=model,
            hovertemplate=f"{model}: %{{y:.0f}} at %{{x}}<extra></extra>",
        )
    latest = [own[-1] for own in series(rows, "model").values()]
    ends = [row["rating"] for row in rows] + [row[key] for row in latest for key in ("lower", "upper")]
    span = [min(ends) - 25, max(ends) + 25]  # early bands are wide and may exceed the axis
    return laid_out(plot, height=400, yaxis={"title": "Rating", "range": span}, xaxis={"type": "date"})
