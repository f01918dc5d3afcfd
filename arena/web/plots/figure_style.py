"""Common style of all figures: colours that also differ in lightness, a layout for phones, no toolbar.

The page sets the colours of text and lines, because it knows whether it is light or dark; those of the data are
middle tones that are visible on both. Each series has its own symbol, so colour is never the only difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

Row = Mapping[str, Any]

SERIES = ("#6366f1", "#d97706", "#0d9488", "#db2777", "#0284c7", "#65a30d", "#9333ea", "#78716c")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")
ACCENT = SERIES[0]
GREY = "#94a3b8"
# brown over white to blue, distinct for every type of colour vision (ColorBrewer's BrBG, mirrored)
DIVERGING = [[0.0, "#8c510a"], [0.25, "#d8b365"], [0.5, "#f5f5f5"], [0.75, "#5ab4ac"], [1.0, "#01665e"]]
SEQUENTIAL = "Cividis"  # designed for colour-blind readers too (Nuñez et al., PLOS ONE 13, 2018)


def laid_out(figure: go.Figure, height: int = 360, **layout: Any) -> go.Figure:
    """The figure with the common layout, which `layout` overrides."""
    common: dict[str, Any] = {
        "template": None,
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 10, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "colorway": list(SERIES),
        "hovermode": "closest",
        "dragmode": False,  # on a phone, dragging on the plot must scroll the page
        "legend": {"orientation": "h", "y": -0.2, "x": 0},
    }
    figure.update_layout(**{**common, **layout})
    figure.update_xaxes(automargin=True, zeroline=False, showgrid=True)
    figure.update_yaxes(automargin=True, zeroline=False, showgrid=True)
    return figure


def short(name: str, most: int = 22) -> str:
    """A name of at most `most` characters, cut in the middle, where versions differ least."""
    if len(name) <= most:
        return name
    head = (most - 1) * 2 // 3
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def series(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    """Rows grouped by a value, in order of first occurrence."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[key]), []).append(row)
    return groups
