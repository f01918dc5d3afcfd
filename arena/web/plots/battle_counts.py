"""How often two models met."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.plots.look import SEQUENTIAL, Row
from arena.web.plots.pair_matrix import heat_map, models_of, square


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, opponent, battles, one for each ordered pair."""
    models = models_of(rows)
    told = "%{customdata[0]} and %{customdata[1]}: %{z:,.0f} battles"
    return heat_map(models, square(rows, models, "battles"), told, ",.0f", SEQUENTIAL)
