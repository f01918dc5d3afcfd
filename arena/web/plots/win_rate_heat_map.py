"""Win rates: the share of battles that the model of the row won against the model of the column."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from arena.web.locales import gettext as _
from arena.web.plots.figure_style import DIVERGING, Row
from arena.web.plots.heat_map import heat_map, models_of, square

CERTAIN = 30  # battles from which a cell is uncovered: half an interval of 95% is then 18% or less


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, opponent, battles, win_rate (ties as halves), one for each ordered pair that met.

    A cell is the paler, the fewer its battles.
    """
    models = models_of(rows)
    hover = _("%{y} against %{x}: %{z:.0f}%, %{customdata} battles")
    cells = [[None if rate is None else 100 * rate for rate in row] for row in square(rows, models, "win_rate")]
    battles = square(rows, models, "battles")
    veil = [[_certainty(number) for number in row] for row in battles]
    return heat_map(models, cells, hover, ".0f", DIVERGING, veil, customdata=battles, zmin=0, zmid=50, zmax=100)


def _certainty(battles: float | None) -> float | None:
    """The share of the cell that shows: as the inverse of the interval's width, which falls with the root of battles."""
    return round(math.sqrt(min(battles, CERTAIN) / CERTAIN), 3) if battles else None
