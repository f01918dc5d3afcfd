"""Pictures of what goes on inside a network, as SVG: importance of heads, and the flow of attention."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

CELL = 16  # pixels of one head
MOST = 120  # edges that are drawn
LABEL = 18  # characters of a node's label
TALL = 460  # pixels of all layers together


def heads_svg(importance: Sequence[Sequence[float]]) -> str:
    """Layers x heads, signed: blue for A, orange for B, each cell with its number as a tooltip."""
    values = np.asarray(importance, dtype=float)
    reach = float(np.abs(values).max()) or 1.0
    layers, heads = values.shape
    left, top = 34, 22
    cells = "".join(
        f'<rect x="{left + head * CELL}" y="{top + layer * CELL}" width="{CELL - 1}" height="{CELL - 1}" '
        f'fill="var(--for-{"a" if value > 0 else "b"})" fill-opacity="{abs(value) / reach:.2f}" '
        f'stroke="var(--line)" stroke-width=".5"><title>layer {layer}, head {head}: {value:+.4f}</title></rect>'
        for layer, row in enumerate(values.tolist())
        for head, value in enumerate(row)
    )
    rows = "".join(
        f'<text class="soft" x="{left - 6}" y="{top + layer * CELL + 12}" text-anchor="end">{layer}</text>'
        for layer in range(0, layers, 5)
    )
    columns = "".join(
        f'<text class="soft" x="{left + head * CELL + 8}" y="{top - 7}" text-anchor="middle">{head}</text>'
        for head in range(heads)
    )
    best = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    says = f"importance of {layers} times {heads} heads; the strongest is layer {best[0]}, head {best[1]}"
    width, height = left + heads * CELL + 4, top + layers * CELL + 4
    return _svg(width, height, says, rows + columns + cells)


def flow_svg(flow: Mapping[str, Any]) -> str:
    """A layered graph, inputs at the bottom and the verdict on top.

    `flow` has `nodes`, the labels of the inputs, and `edges`, (level, from, to, weight): from a node of level l,
    0 the input, to one of level l + 1. The strongest `MOST` are drawn, thicker for more.
    """
    labels, edges = [str(label) for label in flow["nodes"]], pruned(flow["edges"])
    levels = max((int(edge[0]) for edge in edges), default=0) + 1
    gap = max(26, min(130, 1100 // max(1, len(labels))))
    step = min(46, TALL / levels)
    width, bottom = 30 + gap * len(labels), 20 + step * levels

    def at(node: int, level: int) -> tuple[float, float]:
        return 20 + gap * (node + 0.5), bottom - step * level

    reach = max((float(edge[3]) for edge in edges), default=1.0)
    low = 0.01 * reach  # thinner lines are not seen
    edges = [edge for edge in edges if float(edge[3]) >= low]
    lines = ""
    for level, source, sink, weight in edges:
        (x1, y1), (x2, y2) = at(int(source), int(level)), at(int(sink), int(level) + 1)
        share = float(weight) / reach
        lines += (
            f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="var(--for-a)" '
            f'stroke-width="{0.6 + 4 * share**0.5:.1f}" stroke-opacity="{0.15 + 0.8 * share**0.5:.2f}">'
            f"<title>{_(labels[int(source)])} to {_(labels[int(sink)])}: {float(weight):.3f}</title></line>"
        )
    places = {(int(s), int(n)) for n, s, _, _ in edges} | {(int(t), int(n) + 1) for n, _, t, _ in edges}
    dots = "".join(
        f'<circle cx="{at(node, level)[0]:.0f}" cy="{at(node, level)[1]:.0f}" r="3" fill="var(--soft)"/>'
        for node, level in sorted(places)
    )
    names = "".join(
        f'<text transform="translate({at(node, 0)[0]:.0f},{bottom + 14}) rotate(45)">{_(_short(label))}</text>'
        for node, label in enumerate(labels)
    )
    return _svg(width + 70, bottom + 90, f"flow of attention through {levels} steps", lines + dots + names)


def curves_svg(curve: Mapping[str, Any]) -> str:
    """f while more and more words are hidden, most important first and least important first, and f of the most
    important words alone. The further the first two are apart, the better."""
    drawn = (
        ("deletion", "most first", ""),
        ("reverse", "least first", "6 3"),
        ("insertion", "these alone", "2 3"),
    )
    values = [float(value) for name, _, _ in drawn for value in curve[name]]
    low, high = min([*values, 0.0]), max([*values, 0.0])
    left, top, width, height = 58, 8, 200, 96
    most = max(curve["fractions"])

    def at(share: float, value: float) -> tuple[float, float]:
        return left + width * share / most, top + height * (high - value) / ((high - low) or 1.0)

    lines, names = "", ""
    for number, (name, says, dashes) in enumerate(drawn):
        points = " ".join(
            "{:.1f},{:.1f}".format(*at(x, float(y))) for x, y in zip(curve["fractions"], curve[name], strict=True)
        )
        look = f'fill="none" stroke="var(--{("for-a", "for-b", "soft")[number]})" stroke-width="2"'
        lines += f'<polyline points="{points}" {look} stroke-dasharray="{dashes}"/>'
        y = top + 14 + 20 * number
        names += (
            f'<polyline points="{left + width + 14},{y - 4} {left + width + 38},{y - 4}" {look} '
            f'stroke-dasharray="{dashes}"/><text x="{left + width + 44}" y="{y}">{says}</text>'
        )
    zero = at(0, 0.0)[1]
    axis = (
        f'<line x1="{left}" y1="{zero:.1f}" x2="{left + width}" y2="{zero:.1f}" stroke="var(--line)"/>'
        f'<text class="soft" x="{left - 6}" y="{top + 8}" text-anchor="end">{high:+.2f}</text>'
        f'<text class="soft" x="{left - 6}" y="{top + height}" text-anchor="end">{low:+.2f}</text>'
        f'<text class="soft" x="{left}" y="{top + height + 16}">target, against words hidden, to {most:.0%}</text>'
    )
    return _svg(left + width + 120, top + height + 22, "the target as words are hidden", axis + lines + names)


def pruned(edges: Sequence[Sequence[float]], most: int = MOST) -> list[Sequence[float]]:
    """The strongest edges of each level, as many of every level, `most` in all."""
    levels = sorted({int(edge[0]) for edge in edges})
    each = max(1, most // max(1, len(levels)))
    return [
        edge
        for level in levels
        for edge in sorted((e for e in edges if int(e[0]) == level), key=lambda e: -float(e[3]))[:each]
    ]


def _(text: str) -> str:
    return html.escape(text)


def _short(label: str) -> str:
    text = " ".join(label.split())
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"


def _svg(width: float, height: float, says: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{_(says)}">{content}</svg>'
    )
