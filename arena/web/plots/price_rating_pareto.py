"""Rating against price, with latency as the size of the mark; the line is the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from arena.web.plots.figure_style import ACCENT, GREY, Row, laid_out, short

SMALLEST, LARGEST = 8.0, 30.0  # pixels


def figure(rows: Sequence[Row]) -> go.Figure:
    """`rows`: model, rating, price (USD per million tokens, blended), latency (seconds or None), energy (Wh or None)."""
    best = frontier(rows)
    slowest = max((row["latency"] or 0.0 for row in rows), default=0.0)
    plot = go.Figure()
    _add_front(plot, best)
    _add_models(plot, rows, {row["model"] for row in best}, slowest)
    ends = _decades(rows)
    return laid_out(
        plot,
        height=400,
        xaxis={"type": "log", "title": _price_title(slowest), "range": ends, **_ticks(*ends)},
        yaxis={"title": "Rating"},
        margin={"l": 8, "r": 24, "t": 30, "b": 8},
    )


def _add_front(plot: go.Figure, best: Sequence[Row]) -> None:
    plot.add_scatter(
        x=[_drawable(row["price"]) for row in best],
        y=[row["rating"] for row in best],
        mode="lines",
        line={"color": GREY, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )


def _add_models(plot: go.Figure, rows: Sequence[Row], named: set[str], slowest: float) -> None:
    """One mark for each model, with the names of those on the front."""
    first, last = (end(rows, key=lambda row: row["price"]) for end in (min, max))
    plot.add_scatter(
        x=[_drawable(row["price"]) for row in rows],
        y=[row["rating"] for row in rows],
        mode="markers+text",
        text=[short(row["model"], 16) if row["model"] in named else "" for row in rows],
        textposition=[
            "top right" if row == first else "top left" if row == last else "top center" for row in rows
        ],
        marker={
            "color": [ACCENT if row["model"] in named else GREY for row in rows],
            "symbol": ["circle" if row["model"] in named else "circle-open" for row in rows],
            "size": [_size(row["latency"], slowest) for row in rows],
            "line": {"width": 1.5},
        },
        customdata=[
            [row["model"], _seconds(row["latency"]), row["price"], _energy(row.get("energy"))] for row in rows
        ],
        hovertemplate="%{customdata[0]}: %{y:.0f}, %{customdata[2]:g} USD / M, first token %{customdata[1]}"
        "%{customdata[3]}<extra></extra>",
        showlegend=False,
    )


def _price_title(slowest: float) -> str:
    """The title of the axis, with the scale of the marks."""
    scale = f"<br><sub>largest mark: {slowest:.2f} s to the first token</sub>" if slowest else ""
    return f"USD per million tokens{scale}"


def frontier(rows: Sequence[Row]) -> list[Row]:
    """The models with the highest rating at their price or less, by price."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda row: (row["price"], -row["rating"])):
        if not best or row["rating"] > best[-1]["rating"]:
            best.append(row)
    return best


def _drawable(price: float) -> float:
    return max(price, 0.001)  # a free model has no place on a logarithmic axis and is drawn at its left end


def _decades(rows: Sequence[Row]) -> list[float]:
    """The ends of the axis, as powers of ten, with room for the outermost names."""
    prices = [math.log10(_drawable(row["price"])) for row in rows]
    room = max(0.3, 0.12 * (max(prices) - min(prices)))
    return [min(prices) - room, max(prices) + room]


def _ticks(low: float, high: float) -> dict[str, list[Any]]:
    """1, 2 and 5 of each power of ten, in full: Plotly's own labels omit the zeros."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    prices = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    return {"tickvals": prices, "ticktext": [f"{price:g}" for price in prices]}


def _size(latency: float | None, slowest: float) -> float:
    if latency is None or slowest <= 0:
        return SMALLEST
    return SMALLEST + (LARGEST - SMALLEST) * math.sqrt(latency / slowest)


def _seconds(latency: float | None) -> str:
    return "unknown" if latency is None else f"{latency:.2f} s"


def _energy(energy: float | None) -> str:
    return "" if energy is None else f", {energy:.3g} Wh for 1000 tokens"
