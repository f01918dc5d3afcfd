"""Two ratings of the same models, such as by judges and by people, against each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from arena.rules.messages import gettext_noop
from arena.web.locales import gettext as _
from arena.web.plots.figure_style import ACCENT, GREY, Row, laid_out

TITLES = {"people": gettext_noop("Rating by people"), "judges": gettext_noop("Rating by judges")}


def figure(rows: Sequence[Row], x: str = "people", y: str = "judges") -> go.Figure:
    """`rows`: model, then rating, lower and upper under each name: people, people_lower, …"""
    both = [row[x] for row in rows] + [row[y] for row in rows]
    low, high = min(both) - 25, max(both) + 25
    titles = [_(TITLES[name]) if name in TITLES else _("Rating by {name}", name=name) for name in (x, y)]
    plot = go.Figure()
    plot.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": GREY, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    plot.add_scatter(
        x=[row[x] for row in rows],
        y=[row[y] for row in rows],
        error_x=_bars(rows, x),
        error_y=_bars(rows, y),
        mode="markers",
        marker={"color": ACCENT, "size": 9},
        customdata=[row["model"] for row in rows],
        hovertemplate=f"%{{customdata}}<br>{titles[0]}: %{{x:.0f}}<br>{titles[1]}: %{{y:.0f}}<extra></extra>",
        showlegend=False,
    )
    return laid_out(
        plot,
        height=400,
        xaxis={"title": titles[0]},
        yaxis={"title": titles[1]},
        annotations=_correlation_note(rows, x, y),
    )


def _bars(rows: Sequence[Row], name: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [row[f"{name}_upper"] - row[name] for row in rows],
        "arrayminus": [row[name] - row[f"{name}_lower"] for row in rows],
        "color": GREY,
        "thickness": 1,
        "width": 0,
    }


def _correlation_note(rows: Sequence[Row], x: str, y: str) -> list[dict[str, object]]:
    if len(rows) < 3:
        return []
    r = float(np.corrcoef([row[x] for row in rows], [row[y] for row in rows])[0, 1])
    place = {"xref": "paper", "yref": "paper", "x": 0.02, "y": 0.98, "showarrow": False, "xanchor": "left"}
    return [{**place, "text": _("correlation {value:.2f} over {count} models", value=r, count=len(rows))}]
