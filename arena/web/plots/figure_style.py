"""Common style of all figures: few colours that also differ in lightness, names beside lines, a layout for phones.

The page sets the colours of text and lines, because it knows whether it is light or dark. Those of the data are middle
tones with a contrast of at least 3 to 1 on the surfaces of both themes. Each series has its own symbol, so colour is
never the only difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

Row = Mapping[str, Any]

# teal, orange, blue, magenta, violet, olive, red, grey
SERIES = ("#16958b", "#d9731a", "#3f7fe0", "#c4559c", "#8b6fe0", "#87891c", "#c9564a", "#7b8a87")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")
ACCENT = SERIES[0]
GREY = "#7b8a87"
# brown over white to teal, distinct for every type of colour vision (ColorBrewer's BrBG, mirrored)
DIVERGING = [[0.0, "#8c510a"], [0.25, "#d8b365"], [0.5, "#f5f5f5"], [0.75, "#5ab4ac"], [1.0, "#01665e"]]
SEQUENTIAL = "Cividis"  # designed for colour-blind readers too (Nuñez et al., PLOS ONE 13, 2018)
FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, 'PingFang SC', "
    "'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)
LABEL_HEIGHT = 15.0  # pixels of a name of size 11, with its distance to the next
NAME = 16  # letters of a name beside a line
LABEL_WIDTH = 122  # pixels of such a name

_AXIS = {
    "automargin": True,
    "zeroline": False,
    "showgrid": True,
    "gridwidth": 1,
    "ticks": "",
    "tickfont": {"size": 12},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 12.5},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": list(SERIES),
        "hovermode": "closest",
        "hoverlabel": {"font": {"family": FONT, "size": 13}, "bordercolor": "rgba(0,0,0,0)", "align": "left"},
        "dragmode": False,  # on a phone, dragging on the plot must scroll the page
        "legend": {"orientation": "h", "y": -0.2, "x": 0, "itemclick": False, "itemdoubleclick": False},
        "xaxis": {**_AXIS, "title": {"standoff": 12, "font": {"size": 12.5}}},
        "yaxis": {**_AXIS, "title": {"standoff": 12, "font": {"size": 12.5}}},
    }
)


def laid_out(figure: go.Figure, height: int = 360, **layout: Any) -> go.Figure:
    """The figure with the common template and margins; `layout` precedes both."""
    common: dict[str, Any] = {"template": TEMPLATE, "height": height, "margin": {"l": 8, "r": 12, "t": 10, "b": 8}}
    figure.update_layout(**{**common, **layout})
    figure.update_xaxes(automargin=True)  # an axis that is named, so that the page gives it its colours
    figure.update_yaxes(automargin=True)
    return figure


def line_names(
    names: Sequence[str], ends: Sequence[float], span: tuple[float, float], height: float
) -> list[dict[str, Any]]:
    """Annotations with the names of lines at their right ends, instead of a legend. `ends` are the last values, `span`
    the range of the axis and `height` its length in pixels; the margin on the right needs `LABEL_WIDTH`.
    """
    step = LABEL_HEIGHT * (span[1] - span[0]) / height
    places = apart(ends, step, span)
    return [
        {
            "text": f'<span style="color:{SERIES[number % len(SERIES)]}">━</span> {short(name, NAME)}',
            "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": place, "yref": "y", "yanchor": "middle",
            "showarrow": False, "font": {"size": 11},
        }
        for number, (name, place) in enumerate(zip(names, places, strict=True))
    ]  # fmt: skip


def apart(values: Sequence[float], step: float, span: tuple[float, float]) -> list[float]:
    """Values moved as little as a sweep needs so that any two differ by at least `step`, inside `span` if they fit.

    >>> apart([10.0, 9.0, 0.0], 3.0, (0.0, 20.0))
    [10.0, 7.0, 0.0]
    """
    order = sorted(range(len(values)), key=lambda place: -values[place])
    placed = list(values)
    for above, below in pairwise(order):
        placed[below] = min(placed[below], placed[above] - step)
    floor = span[0]
    for place in reversed(order):  # from the bottom, push up what has left the axis
        placed[place] = max(placed[place], floor)
        floor = placed[place] + step
    return placed


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
