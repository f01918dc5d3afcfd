"""Win rates: the share of battles that the model of the row won against the model of the column."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.plots.figure_style import DIVERGING, Row
from arena.web.plots.heat_map import heat_map, models_of, square


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, opponent, battles, win_rate (ties as halves), one for each ordered pair that met."""
    models = models_of(rows)
    hover = "%{customdata[0]} against %{customdata[1]}: %{z:.0f} %"
    cells = [[None if rate is None else 100 * rate for rate in row] for row in square(rows, models, "win_rate")]
    return heat_map(models, cells, hover, ".0f", DIVERGING, zmin=0, zmid=50, zmax=100)
