"""A waterfall of a rating's change, one step for each cause."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from arena.web.locales import gettext as _
from arena.web.names import cause_name
from arena.web.plots.figure_style import GREY, SERIES, laid_out

UP, DOWN = (
    SERIES[2],
    SERIES[1],
)  # teal and amber differ for every type of colour vision; the sign is shown too


def figure(before: float, steps: Mapping[str, float], after: float) -> go.Figure:
    """The steps from one rating to the other. `before` and the values of `steps` add up to `after`."""
    names = [_("before"), *map(cause_name, steps), _("after")]
    values = [before, *steps.values(), after]
    ends = [before]
    for step in steps.values():
        ends.append(ends[-1] + step)
    room = max(5.0, 0.3 * (max(ends) - min(ends)))
    low = min(ends) - room
    trace = go.Waterfall(
        x=[name.replace(" ", "<br>") for name in names],
        y=[before - low, *steps.values(), after - low],
        base=low,
        measure=["absolute", *["relative"] * len(steps), "total"],
        text=[f"{before:.1f}", *(f"{step:+.1f}" for step in steps.values()), f"{after:.1f}"],
        textposition="outside",
        customdata=values,
        hovertemplate="%{x}: %{customdata:.1f}<extra></extra>",
        increasing={"marker": {"color": UP}},
        decreasing={"marker": {"color": DOWN}},
        totals={"marker": {"color": GREY}},
        connector={"line": {"color": GREY, "width": 1}},
        cliponaxis=False,
    )
    return laid_out(
        go.Figure(trace),
        height=320,
        yaxis={"title": _("Rating"), "range": [low, max(ends) + room]},
        margin={"l": 8, "r": 12, "t": 24, "b": 8},
        showlegend=False,
    )
