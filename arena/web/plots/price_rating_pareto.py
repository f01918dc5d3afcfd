"""Rating against price, with latency as the size of the mark; the line is the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from arena.web.locales import gettext as _
from arena.web.plots.figure_style import ACCENT, GREY, Row, laid_out, short
from arena.web.plots.label_places import FONT, Label, Mark, placed

SMALLEST, LARGEST = 8.0, 22.0  # pixels
WIDTH, NARROW_WIDTH, HEIGHT = 1080, 250, 420  # pixels of the area of the data
FRAME = 80  # pixels of axes and margins
LONGEST = 26  # characters of a label


def figure(rows: Sequence[Row], width: int = WIDTH, height: int = HEIGHT) -> go.Figure:
    """`rows`: model, rating, price (USD per million tokens, blended), latency (seconds or None), energy (Wh or None).

    `width` and `height` are the pixels for which labels are placed.
    """
    best = frontier(rows)
    slowest = max((row["latency"] or 0.0 for row in rows), default=0.0)
    spans = _decades(rows), _ratings(rows)
    plot = go.Figure()
    _add_front(plot, best)
    _add_models(
        plot, rows, {row["model"] for row in best}, slowest, _labels(rows, best, slowest, spans, width, height)
    )
    return laid_out(
        plot,
        height=height + FRAME,
        xaxis={"type": "log", "title": _price_title(slowest), "range": spans[0], **_ticks(*spans[0])},
        yaxis={"title": _("Rating"), "range": spans[1]},
        margin={"l": 8, "r": 24, "t": 30, "b": 8},
    )


def narrow_figure(rows: Sequence[Row]) -> go.Figure:
    """The same for a phone."""
    return figure(rows, NARROW_WIDTH)


def _labels(
    rows: Sequence[Row],
    best: Sequence[Row],
    slowest: float,
    spans: Sequence[Sequence[float]],
    width: int,
    height: int,
) -> list[Label | None]:
    """The place of each model's name; None where there is none: the front is placed first, then from the top."""
    (left, right), (low, high) = spans
    marks = [
        Mark(
            x=width * (math.log10(_drawable(row["price"])) - left) / (right - left),
            y=height * (high - row["rating"]) / (high - low),
            radius=_size(row["latency"], slowest) / 2,
            text=short(row["model"], LONGEST),
        )
        for row in rows
    ]
    front = {row["model"] for row in best}
    first = sorted(range(len(rows)), key=lambda n: (rows[n]["model"] not in front, -rows[n]["rating"]))
    return placed(marks, first, width, height)


def _add_front(plot: go.Figure, best: Sequence[Row]) -> None:
    plot.add_scatter(
        x=[_drawable(row["price"]) for row in best],
        y=[row["rating"] for row in best],
        mode="lines",
        line={"color": GREY, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )


def _add_models(
    plot: go.Figure, rows: Sequence[Row], named: set[str], slowest: float, labels: Sequence[Label | None]
) -> None:
    """One mark for each model, with its name where there is room."""
    plot.add_scatter(
        x=[_drawable(row["price"]) for row in rows],
        y=[row["rating"] for row in rows],
        mode="markers+text",
        text=[label.text if label else "" for label in labels],
        textposition=[label.position if label else "middle right" for label in labels],
        textfont={"size": FONT},
        cliponaxis=False,
        marker={
            "color": [ACCENT if row["model"] in named else GREY for row in rows],
            "symbol": ["circle" if row["model"] in named else "circle-open" for row in rows],
            "size": [_size(row["latency"], slowest) for row in rows],
            "line": {"width": 1.5},
        },
        customdata=[
            [row["model"], _seconds(row["latency"]), row["price"], _energy(row.get("energy"))] for row in rows
        ],
        hovertemplate=_("%{customdata[0]}: %{y:.0f}, %{customdata[2]:g} USD / M, first token %{customdata[1]}")
        + "%{customdata[3]}<extra></extra>",
        showlegend=False,
    )


def _ratings(rows: Sequence[Row]) -> list[float]:
    """The ends of the other axis."""
    low, high = min(row["rating"] for row in rows), max(row["rating"] for row in rows)
    room = max(20.0, 0.06 * (high - low))
    return [low - room, high + room]


def _price_title(slowest: float) -> str:
    """The title of the axis, with the scale of the marks."""
    title = _("USD per million tokens")
    if not slowest:
        return title
    scale = _("largest mark: {seconds:.2f} s to the first token", seconds=slowest)
    return f"{title}<br><sub>{scale}</sub>"


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
    return _("unknown") if latency is None else _("{value:.2f} s", value=latency)


def _energy(energy: float | None) -> str:
    return "" if energy is None else ", " + _("{value:.3g} Wh for 1000 tokens", value=energy)
