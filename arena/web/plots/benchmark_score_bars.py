"""Scores on static benchmarks with 95% intervals, one bar for each model, grouped by task."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.plots.figure_style import GREY, SERIES, Row, laid_out, series, short

LABEL = 64  # pixels of a task's label of four lines


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, task, value, lower, upper (None where unknown); values in percent."""
    plot = go.Figure()
    for number, (model, own) in enumerate(series(rows, "model").items()):
        plot.add_bar(
            y=[_broken(row["task"]) for row in own],
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
                "color": GREY,
            },
            customdata=[row["task"] for row in own],
            hovertemplate=f"{model}, %{{customdata}}: %{{x:.1f}}%<extra></extra>",
        )
    tasks = len({row["task"] for row in rows})
    models = len({row["model"] for row in rows})
    return laid_out(
        plot,
        height=max(220, 110 + tasks * max(16 + 14 * models, LABEL)),
        barmode="group",
        bargap=0.28,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        xaxis={"range": [0, 100], "ticksuffix": "%"},
        yaxis={"autorange": "reversed"},
    )


def _broken(task: str) -> str:
    """The configuration on lines below the name; on the same line it would fill the width of a phone."""
    name, bracket, summary = task.partition(" (")
    return name if not bracket else f"{name}<br>{summary.replace(')', '').replace(', ', ',<br>')}"


def _reach(far: float | None, near: float | None) -> float:
    return 0.0 if far is None or near is None else max(far - near, 0.0)
