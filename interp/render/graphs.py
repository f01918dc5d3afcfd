"""Pictures as SVG: importance of heads, the flow of attention, and the curves of deletion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from interp.evaluation.faithfulness import Curve
from interp.render.templates import rendered
from interp.texts import gettext as _
from interp.texts import gettext_noop
from interp.whitebox.flow_graph import THE_ANSWER, THE_VERDICT, FlowGraph

CELL = 16  # pixels of one head
MOST = 120  # edges that are drawn
LABEL = 18  # characters of a node's label
TALL = 460  # pixels of all layers together
FAINTEST = 0.01  # of the heaviest edge; thinner lines cannot be seen
CURVES = (
    ("deletion", gettext_noop("strongest first"), "", "for-a"),
    ("reverse", gettext_noop("weakest first"), "6 3", "for-b"),
    ("insertion", gettext_noop("strongest alone"), "2 3", "soft"),
)

Edge = tuple[int, int, int, float]  # level, from, to, weight


def heads_svg(importance: Sequence[Sequence[float]]) -> Markup:
    """Layers x heads, signed: blue for A, orange for B, each cell with its number as a tooltip."""
    values = np.asarray(importance, dtype=float)
    largest = float(np.abs(values).max()) or 1.0
    layers, heads = values.shape
    left, top = 34, 22
    best = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    return rendered(
        "heads.svg",
        width=left + heads * CELL + 4,
        height=top + layers * CELL + 4,
        label=_(
            "importance of {layers} times {heads} heads; the strongest is layer {layer}, head {head}",
            layers=layers,
            heads=heads,
            layer=best[0],
            head=best[1],
        ),
        side=CELL - 1,
        rows=[{"x": left - 6, "y": top + layer * CELL + 12, "text": layer} for layer in range(0, layers, 5)],
        columns=[{"x": left + head * CELL + 8, "y": top - 7, "text": head} for head in range(heads)],
        cells=[
            {
                "x": left + head * CELL,
                "y": top + layer * CELL,
                "layer": layer,
                "head": head,
                "value": value,
                "share": abs(value) / largest,
            }
            for layer, row in enumerate(values.tolist())
            for head, value in enumerate(row)
        ],
    )


def flow_svg(flow: FlowGraph) -> Markup:
    """A layered graph, inputs at the bottom and the verdict on top.

    The strongest `MOST` edges are drawn, thicker for more.
    """
    edges = pruned(flow.edges)
    levels = max((level for level, *_ in edges), default=0) + 1
    gap = max(26, min(130, 1100 // max(1, len(flow.nodes))))
    step = min(46, TALL / levels)
    width, bottom = 30 + gap * len(flow.nodes), 20 + step * levels

    def at(node: int, level: int) -> tuple[float, float]:
        return 20 + gap * (node + 0.5), bottom - step * level

    nodes = [_(node) if node in (THE_ANSWER, THE_VERDICT) else node for node in flow.nodes]
    heaviest = max((weight for *_, weight in edges), default=1.0)
    edges = [edge for edge in edges if edge[3] >= FAINTEST * heaviest]
    lines = []
    for level, source, sink, weight in edges:
        (x1, y1), (x2, y2) = at(source, level), at(sink, level + 1)
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        names = {"source": nodes[source], "sink": nodes[sink]}
        lines.append({**ends, **names, "weight": weight, "share": weight / heaviest})
    ends_of_edges = {(source, level) for level, source, _to, _weight in edges}
    ends_of_edges |= {(sink, level + 1) for level, _from, sink, _weight in edges}
    return rendered(
        "flow.svg",
        width=width + 70,
        height=bottom + 90,
        label=_("flow of attention through {count} steps", count=levels),
        lines=lines,
        dots=[dict(zip("xy", at(*place), strict=True)) for place in sorted(ends_of_edges)],
        names=[{"x": at(node, 0)[0], "y": bottom + 14, "text": _short(label)} for node, label in enumerate(nodes)],
    )


def curves_svg(curve: Curve) -> Markup:
    """f while more and more words are hidden, most important first and least important first, and f of the most
    important words alone. The further the first two are apart, the better."""
    drawn = [(getattr(curve, name), *look) for name, *look in CURVES]
    values = [value for ys, *_ in drawn for value in ys]
    low, high = min([*values, 0.0]), max([*values, 0.0])
    left, top, width, height = 58, 8, 200, 96
    most = max(curve.fractions)

    def at(share: float, value: float) -> tuple[float, float]:
        return left + width * share / most, top + height * (high - value) / ((high - low) or 1.0)

    return rendered(
        "curves.svg",
        width=left + width + 140,
        height=top + height + 22,
        axis={
            "left": left,
            "right": left + width,
            "top": top,
            "bottom": top + height,
            "zero": at(0, 0.0)[1],
            "low": low,
            "high": high,
            "most": most,
        },
        lines=[
            {
                "points": [at(x, y) for x, y in zip(curve.fractions, ys, strict=True)],
                "text": _(text),
                "dashes": dashes,
                "colour": colour,
                "legend": top + 14 + 20 * number,
            }
            for number, (ys, text, dashes, colour) in enumerate(drawn)
        ],
    )


def pruned(edges: Sequence[Edge], most: int = MOST) -> list[Edge]:
    """The strongest edges of each level, as many of every level, `most` in all."""
    levels = sorted({edge[0] for edge in edges})
    each = max(1, most // max(1, len(levels)))
    return [
        edge
        for level in levels
        for edge in sorted((edge for edge in edges if edge[0] == level), key=lambda edge: -edge[3])[:each]
    ]


def _short(label: str) -> str:
    text = " ".join(label.split())
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"
