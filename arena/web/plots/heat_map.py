"""A heat map over pairs of models, with numbers in the cells where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from arena.web.plots.figure_style import laid_out, short

WRITTEN = 14  # models up to which numbers fit into the cells
CELL = 26  # pixels


def heat_map(
    models: Sequence[str],
    cells: Sequence[Sequence[float | None]],
    hover: str,
    form: str,
    colours: Any,
    **heat: Any,
) -> go.Figure:
    """`cells[i][j]` belongs to row i and column j; None stays empty. `hover` is the text of a cell."""
    names = [short(name, 18) for name in models]
    size = len(models)
    written = {"texttemplate": f"%{{z:{form}}}", "textfont": {"size": 10}} if size <= WRITTEN else {}
    trace = go.Heatmap(
        z=[list(row) for row in cells],
        customdata=[[[models[i], models[j]] for j in range(size)] for i in range(size)],
        colorscale=colours,
        hovertemplate=f"{hover}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
        colorbar={"thickness": 10, "len": 0.9, "tickformat": form},
        **written,
        **heat,
    )
    places = {"tickmode": "array", "tickvals": list(range(size)), "ticktext": names}
    return laid_out(
        go.Figure(trace),
        height=max(320, 150 + CELL * size),
        xaxis={**places, "side": "top", "tickangle": -60, "showgrid": False},
        yaxis={**places, "autorange": "reversed", "showgrid": False},
    )


def square(rows: Sequence[Any], models: Sequence[str], key: str) -> list[list[float | None]]:
    """The values of `key` as a table over `models`, from rows (model, opponent, …)."""
    place = {name: number for number, name in enumerate(models)}
    table: list[list[float | None]] = [[None] * len(models) for _ in models]
    for row in rows:
        table[place[row["model"]]][place[row["opponent"]]] = row[key]
    return table


def models_of(rows: Sequence[Any]) -> list[str]:
    """The models of the rows, in order of first mention."""
    return list(dict.fromkeys(name for row in rows for name in (row["model"], row["opponent"])))
