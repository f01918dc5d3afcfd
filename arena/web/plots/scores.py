"""Scores on static benchmarks with their 95 % intervals, one bar a model, tasks side by side."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.plots.look import SERIES, Row, laid_out, series, short


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, task, value, lower, upper (None where unknown); values in percent."""
    plot = go.Figure()
    for number, (model, own) in enumerate(series(rows, "model").items()):
        plot.add_bar(
            y=[row["task"] for row in own],
            x=[row["value"] for row in own],
            orientation="h",
            name=short(model),
            marker={"color": SERIES[number % len(SERIES)]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_reach(row["upper"], row["value"]) for row in own],
                "arrayminus": [_reach(row["value"], row["lower"]) for row in own],
                "thickness": 1.5,
                "width": 3,
                "color": "#64748b",
            },
            hovertemplate=f"{model}, %{{y}}: %{{x:.1f}} %<extra></extra>",
        )
    tasks = len({row["task"] for row in rows})
    models = len({row["model"] for row in rows})
    return laid_out(
        plot,
        height=max(220, 90 + tasks * (16 + 14 * models)),
        barmode="group",
        xaxis={"range": [0, 100], "ticksuffix": " %"},
        yaxis={"autorange": "reversed"},
    )


def _reach(far: float | None, near: float | None) -> float:
    return 0.0 if far is None or near is None else max(far - near, 0.0)
