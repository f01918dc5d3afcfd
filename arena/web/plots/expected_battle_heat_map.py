"""Number of battles expected if each model met its opponents in proportion to their battles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from arena.web.locales import gettext as _
from arena.web.plots.figure_style import SEQUENTIAL, Row
from arena.web.plots.heat_map import heat_map, models_of, square

ROUNDS = 200


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, opponent, expected, one for each ordered pair."""
    models = models_of(rows)
    hover = _("%{y} and %{x}: %{z:,.0f} battles expected")
    return heat_map(models, square(rows, models, "expected"), hover, ",.0f", SEQUENTIAL)


def expected_battles(met: NDArray[np.float64]) -> NDArray[np.float64]:
    """(models, models): the symmetric table x_i x_j, empty on the diagonal, with the row sums of `met`.

    By iterative proportional fitting: x_i ← n_i / sum over j of x_j, j other than i (Deming & Stephan, 1940;
    quasi-independence, Goodman, JASA 63, 1968). Where one model has more battles than all others together no
    such table has its sum; it is then as near as it can be.
    """
    wanted = met.sum(axis=1)
    x = wanted / math.sqrt(max(float(wanted.sum()), 1.0))
    for _round in range(ROUNDS):
        rest = x.sum() - x
        # the geometric mean of old and new keeps two large models from taking turns
        x = np.sqrt(x * np.divide(wanted, rest, out=np.zeros_like(wanted), where=rest > 0))
    table: NDArray[np.float64] = np.outer(x, x)
    np.fill_diagonal(table, 0.0)
    return table
