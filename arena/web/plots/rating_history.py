"""Ratings over time, with their intervals as bands."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.locales import gettext as _
from arena.web.plots.figure_style import (
    DASHES,
    LABEL_WIDTH,
    SERIES,
    SYMBOLS,
    Row,
    laid_out,
    line_names,
    series,
    short,
)

BAND = 0.08  # opacity
HEIGHT, AXIS = 400, 330  # pixels, with and without the margins and ticks


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
        )
        plot.add_scatter(
            x=dates,
            y=[row["rating"] for row in own],
            name=short(model),
            mode="lines+markers",
            line={"color": colour, "dash": DASHES[number % len(DASHES)], "width": 2},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
            hovertemplate=f"{model}: %{{y:.0f}}, %{{x}}<extra></extra>",
        )
    lines = series(rows, "model")
    latest = [own[-1] for own in lines.values()]
    ends = [row["rating"] for row in rows] + [row[key] for row in latest for key in ("lower", "upper")]
    span = (min(ends) - 25, max(ends) + 25)  # early bands are wide and may exceed the axis
    return laid_out(
        plot,
        height=HEIGHT,
        yaxis={"title": _("Rating"), "range": span},
        xaxis={"type": "date"},
        annotations=line_names(list(lines), [row["rating"] for row in latest], span, AXIS),
        margin={"l": 8, "r": LABEL_WIDTH, "t": 10, "b": 8},
        showlegend=False,
    )
