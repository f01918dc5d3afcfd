"""Curves as SVG that needs no script: for files that are read offline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 260, 46, 66, 28, 38
TICKS = 5
CLASSES = ("curve-first", "curve-second")  # of the lines, in their order


@dataclass(frozen=True)
class Curve:
    """A named line through points; `marks` draws the points too."""

    name: str
    points: Sequence[tuple[float, float]]
    marks: bool = False


def curves_svg(curves: Sequence[Curve], x_title: str, y_title: str) -> Markup:
    """Up to two curves in one picture, from 0 on both axes; empty where no curve has a point."""
    places = [point for curve in curves for point in curve.points]
    if not places:
        return Markup("")
    right, top = (max(max(values), 1e-9) for values in zip(*places, strict=True))
    xs, ys = ticks(right), ticks(top)
    right, top = max(right, xs[-1]), max(top, ys[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * x / right,
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top,
        )

    label = f"{y_title} by {x_title}: {', '.join(curve.name for curve in curves)}"
    parts = [
        Markup('<svg class="curves" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, label)
    ]
    for tick in xs:
        x, y = at(tick, 0)
        parts.append(_text(x, y + 16, f"{tick:g}", "middle"))
    for tick in ys:
        x, y = at(0, tick)
        parts.append(
            Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(x, y, WIDTH - RIGHT, y)
        )
        parts.append(_text(x - 6, y + 4, f"{tick:g}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_title, "middle"))
    parts.append(_text(2, 12, y_title, "start"))
    ends: list[float] = []
    for style, curve in zip(CLASSES, curves, strict=False):
        parts += _curve(style, curve, [at(x, y) for x, y in curve.points], ends)
    return Markup("").join([*parts, Markup("</svg>")])


def _curve(style: str, curve: Curve, points: Sequence[tuple[float, float]], ends: list[float]) -> list[Markup]:
    """The line, its points, and its name at its end, below the names that are there already."""
    if not points:
        return []
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = [Markup('<polyline class="{}" points="{}"/>').format(style, path)]
    if curve.marks:
        parts += [
            Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(style, x, y) for x, y in points
        ]
    x, y = points[-1]
    while any(abs(y - other) < 14 for other in ends):
        y += 14
    ends.append(y)
    name = Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(style, x + 6, y + 4, curve.name)
    return [*parts, name]


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to `most` or just above, about `TICKS` of them."""
    rough = most / TICKS
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]
