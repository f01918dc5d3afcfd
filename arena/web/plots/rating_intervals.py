"""Ratings with their 95% intervals, best on top."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.locales import gettext as _
from arena.web.plots.figure_style import ACCENT, Row, laid_out, short

ROW_HEIGHT = 22  # pixels a model


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, rating, lower, upper (None where unknown), best first."""
    trace = go.Scatter(
        x=[row["rating"] for row in rows],
        y=list(range(len(rows))),
        mode="markers",
        marker={"color": ACCENT, "size": 8},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [_reach(row["upper"], row["rating"]) for row in rows],
            "arrayminus": [_reach(row["rating"], row["lower"]) for row in rows],
            "color": ACCENT,
            "thickness": 1.5,
            "width": 3,
        },
        text=[_hover(row) for row in rows],
        hovertemplate="%{text}<extra></extra>",
    )
    labels = {
        "tickmode": "array",
        "tickvals": list(range(len(rows))),
        "ticktext": [short(row["model"]) for row in rows],
    }
    return laid_out(
        go.Figure(trace),
        height=max(200, 60 + ROW_HEIGHT * len(rows)),
        xaxis={"title": _("Rating"), "side": "top"},
        yaxis={**labels, "range": [len(rows) - 0.5, -0.5]},
    )


def _reach(far: float | None, near: float | None) -> float:
    return 0.0 if far is None or near is None else far - near


def _hover(row: Row) -> str:
    if row["lower"] is None:
        return f"{row['model']}: {row['rating']:.0f}"
    return _("{model}: {rating:.0f}, {lower:.0f} to {upper:.0f}", **row)
