"""Number of battles between each pair of models."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.locales import gettext as _
from arena.web.plots.figure_style import SEQUENTIAL, Row
from arena.web.plots.heat_map import heat_map, models_of, square


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, opponent, battles, one for each ordered pair."""
    models = models_of(rows)
    hover = _("%{y} and %{x}: %{z:,.0f} battles")
    return heat_map(models, square(rows, models, "battles"), hover, ",.0f", SEQUENTIAL)
