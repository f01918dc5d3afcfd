"""Ratings by category (or scores by dimension), one outline for each model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from arena.web.names import category_name
from arena.web.plots.figure_style import DASHES, SERIES, SYMBOLS, Row, laid_out, series, short


def figure(
    rows: Sequence[Row],
    span: tuple[float, float] | None = None,
    name_of: Callable[[str], str] = category_name,
) -> go.Figure:
    """`rows`: model, category, rating; each model with the same categories.

    `span` is the range of the axis; by default it fits the ratings. `name_of` gives the name of a category.
    """
    plot = go.Figure()
    for number, (model, own) in enumerate(series(rows, "model").items()):
        closed = [*own, own[0]]
        plot.add_scatterpolar(
            theta=[name_of(row["category"]).replace(" ", "<br>") for row in closed],
            r=[row["rating"] for row in closed],
            name=short(model),
            mode="lines+markers",
            line={"color": SERIES[number % len(SERIES)], "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            hovertemplate=f"{model}, %{{theta}}: %{{r:.0f}}<extra></extra>",
        )
    ratings = [row["rating"] for row in rows]
    low, high = span or (50 * (min(ratings) // 50) - 50, 50 * (max(ratings) // 50 + 1))
    return laid_out(
        plot,
        height=440,
        polar={
            "radialaxis": {
                "range": [low, high],
                "nticks": 5,
                "tickfont": {"size": 10},
                "angle": 90,
                "tickangle": 90,
            }
        },
        margin={"l": 88, "r": 88, "t": 48, "b": 30},
    )
