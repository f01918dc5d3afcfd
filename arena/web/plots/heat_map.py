"""A heat map over pairs of models, with numbers in the cells where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from arena.web.plots.figure_style import laid_out, short

WRITTEN = 14  # models up to which numbers fit into the cells
LABELLED = 60  # models up to which each has its label
VEIL = "veil"  # the page gives the trace its own colour, which is not known here

Cells = Sequence[Sequence[float | None]]


def heat_map(
    models: Sequence[str],
    cells: Cells,
    hover: str,
    form: str,
    colours: Any,
    veil: Cells | None = None,
    **heat: Any,
) -> go.Figure:
    """`cells[i][j]` belongs to row i and column j; None stays empty. `hover` is the text of a cell.

    `veil` is how far each cell is uncovered, from 0 (pale) to 1; by default all are.
    """
    size = len(models)
    written = {"texttemplate": f"%{{z:{form}}}", "textfont": {"size": 11}} if size <= WRITTEN else {}
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in cells],
            x=list(models),
            y=list(models),
            colorscale=colours,
            hovertemplate=f"{hover}<extra></extra>",
            hoverongaps=False,
            **_gaps(size),
            colorbar={"thickness": 10, "len": 0.9, "tickformat": form},
            **({} if veil else written),
            **heat,
        )
    )
    if veil:
        figure.add_trace(_veil(models, veil, cells if written else None, form))
    axis = {"type": "category", "showgrid": False, **_ticks(models)}
    return laid_out(
        figure,
        height=150 + size * _cell(size),
        xaxis={**axis, "side": "top", "tickangle": -60},
        yaxis={**axis, "autorange": "reversed"},
    )


def _veil(models: Sequence[str], veil: Cells, cells: Cells | None, form: str) -> go.Heatmap:
    """The trace over the cells, with their numbers."""
    text = [["" if cell is None else f"{cell:{form}}" for cell in row] for row in cells] if cells else None
    written = {"text": text, "texttemplate": "%{text}", "textfont": {"size": 11}} if text else {}
    return go.Heatmap(
        z=[list(row) for row in veil],
        x=list(models),
        y=list(models),
        zmin=0,
        zmax=1,
        colorscale=[[0, "rgba(255,255,255,0.86)"], [1, "rgba(255,255,255,0)"]],
        meta=VEIL,
        showscale=False,
        hoverinfo="skip",
        **_gaps(len(models)),
        **written,
    )


def _cell(size: int) -> int:
    """The height of a cell in pixels."""
    return 28 if size <= 30 else 20 if size <= LABELLED else 10 if size <= 2 * LABELLED else 5


def _gaps(size: int) -> dict[str, int]:
    return {"xgap": 1, "ygap": 1} if size <= LABELLED else {}


def _ticks(models: Sequence[str]) -> dict[str, Any]:
    """A label for each model, or for every second, third, … of many."""
    step = -(-len(models) // LABELLED)
    shown = list(models)[::step]
    return {"tickmode": "array", "tickvals": shown, "ticktext": [short(name, 20) for name in shown]}


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
